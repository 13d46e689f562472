-- Nothing truncates admin_heads: the row trigger admin_heads_kept does not see a TRUNCATE. Rejected by refuse_change
-- with SQLSTATE SL001, for every role.

create or replace trigger admin_heads_no_truncate before truncate on admin_heads for each statement
  execute function refuse_change('Nothing deletes history.');

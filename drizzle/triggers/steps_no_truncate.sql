-- Nothing truncates steps: the row trigger steps_kept does not see a TRUNCATE. Rejected by refuse_change with SQLSTATE
-- SL001, for every role.

create or replace trigger steps_no_truncate before truncate on steps for each statement
  execute function refuse_change('Nothing deletes history.');

-- Nothing truncates insights: the row trigger insights_kept does not see a TRUNCATE. Rejected by refuse_change with
-- SQLSTATE SL001, for every role.

create or replace trigger insights_no_truncate before truncate on insights for each statement
  execute function refuse_change('Nothing deletes history.');

-- Nothing truncates tasks: the row trigger tasks_kept does not see a TRUNCATE. Rejected by refuse_change with SQLSTATE
-- SL001, for every role.

create or replace trigger tasks_no_truncate before truncate on tasks for each statement
  execute function refuse_change('Nothing deletes history.');

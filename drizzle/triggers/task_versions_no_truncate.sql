-- Nothing truncates task_versions: the row trigger task_versions_kept does not see a TRUNCATE. Rejected by
-- refuse_change with SQLSTATE SL001, for every role.

create or replace trigger task_versions_no_truncate before truncate on task_versions for each statement
  execute function refuse_change('Nothing deletes history.');

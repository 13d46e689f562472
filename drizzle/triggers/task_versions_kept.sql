-- Nothing deletes from task_versions: its rows are history. Rejected by refuse_change with SQLSTATE SL001, for every
-- role.
--
-- The application is not granted DELETE; this holds for the owner too.

create or replace trigger task_versions_kept before delete on task_versions for each row
  execute function refuse_change('Nothing deletes history.');

-- Nothing deletes from steps: its rows are history. Rejected by refuse_change with SQLSTATE SL001, for every role.
--
-- The application is not granted DELETE; this holds for the owner too.

create or replace trigger steps_kept before delete on steps for each row
  execute function refuse_change('Nothing deletes history.');

-- Nothing deletes from trials: its rows are history. Rejected by refuse_change with SQLSTATE SL001, for every role.
--
-- The application is not granted DELETE; this holds for the owner too.

create or replace trigger trials_kept before delete on trials for each row
  execute function refuse_change('Nothing deletes history.');

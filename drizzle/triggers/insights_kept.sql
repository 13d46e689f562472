-- Nothing deletes from insights: its rows are history. Rejected by refuse_change with SQLSTATE SL001, for every role.
--
-- The application is not granted DELETE; this holds for the owner too.

create or replace trigger insights_kept before delete on insights for each row
  execute function refuse_change('Nothing deletes history.');

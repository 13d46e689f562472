-- Nothing truncates admin_events: the row trigger admin_events_append_only does not see a TRUNCATE. Rejected by
-- refuse_change with SQLSTATE SL001, for every role.

create or replace trigger admin_events_no_truncate before truncate on admin_events for each statement
  execute function refuse_change('Nothing deletes history.');

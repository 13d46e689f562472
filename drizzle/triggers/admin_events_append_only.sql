-- admin_events is append-only: rows are never updated or deleted. Rejected by refuse_change with SQLSTATE SL001, for
-- every role.
--
-- The application is granted only SELECT and INSERT; this holds for the owner too.

create or replace trigger admin_events_append_only before update or delete on admin_events for each row
  execute function refuse_change('History only grows.');

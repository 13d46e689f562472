-- run_late_reports (reports that came after their run had ended) is append-only: rows are never updated or deleted.
-- Rejected by refuse_change with SQLSTATE SL001, for every role.
--
-- The application is granted only SELECT and INSERT; this holds for the owner too.

create or replace trigger run_late_reports_append_only before update or delete on run_late_reports for each row
  execute function refuse_change('History only grows.');

-- Nothing truncates run_late_reports: the row trigger run_late_reports_append_only does not see a TRUNCATE. Rejected by
-- refuse_change with SQLSTATE SL001, for every role.

create or replace trigger run_late_reports_no_truncate before truncate on run_late_reports for each statement
  execute function refuse_change('Nothing deletes history.');

-- Nothing truncates data: row triggers such as data_artifacts_kept do not see a TRUNCATE. Rejected by refuse_change
-- with SQLSTATE SL001, for every role.

create or replace trigger data_no_truncate before truncate on data for each statement
  execute function refuse_change('Nothing deletes history.');

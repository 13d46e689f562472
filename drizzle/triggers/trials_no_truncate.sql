-- Nothing truncates trials: the row trigger trials_kept does not see a TRUNCATE. Rejected by refuse_change with
-- SQLSTATE SL001, for every role.

create or replace trigger trials_no_truncate before truncate on trials for each statement
  execute function refuse_change('Nothing deletes history.');

-- Nothing truncates evals: the row trigger evals_kept does not see a TRUNCATE. Rejected by refuse_change with SQLSTATE
-- SL001, for every role.

create or replace trigger evals_no_truncate before truncate on evals for each statement
  execute function refuse_change('Nothing deletes history.');

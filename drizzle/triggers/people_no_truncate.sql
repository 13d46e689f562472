-- Nothing truncates people: the row trigger people_kept does not see a TRUNCATE. Rejected by refuse_change with SQLSTATE
-- SL001, for every role.

create or replace trigger people_no_truncate before truncate on people for each statement
  execute function refuse_change('Nothing deletes a person.');

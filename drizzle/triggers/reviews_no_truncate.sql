-- Nothing truncates reviews: the row trigger reviews_kept does not see a TRUNCATE. Rejected by refuse_change with
-- SQLSTATE SL001, for every role.

create or replace trigger reviews_no_truncate before truncate on reviews for each statement
  execute function refuse_change('Nothing deletes history.');

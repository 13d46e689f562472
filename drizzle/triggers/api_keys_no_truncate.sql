-- Nothing truncates api_keys: the row trigger api_keys_kept does not see a TRUNCATE. Rejected by refuse_change with
-- SQLSTATE SL001, for every role.

create or replace trigger api_keys_no_truncate before truncate on api_keys for each statement
  execute function refuse_change('Nothing deletes a key.');

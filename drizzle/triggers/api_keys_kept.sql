-- Keys are never deleted: a revoked key stays, so that the history of administration can be checked against it. Rejected
-- by refuse_change with SQLSTATE SL001, for every role.

create or replace trigger api_keys_kept before delete on api_keys for each row
  execute function refuse_change('Nothing deletes a key.');

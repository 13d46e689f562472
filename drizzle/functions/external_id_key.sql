-- Returns what makes an external id the same as another one: its canonical composition, without surrounding blanks. An id
-- that a Mac decomposes, or that a spreadsheet pads, is the same id. Case counts.
--
-- Called by: the trigger tasks_keys, and statements that find a task by its external id. The domain has the same function
-- (externalIdKey in src/domain/task-ref.ts). Neither STRICT nor a SET clause, so that Postgres
-- can inline it.

create or replace function external_id_key(x text) returns text language sql immutable parallel safe
  return case when octet_length(x) = length(x) then btrim(x)
    else btrim(normalize(x, nfc),
      U&'\0020\0085\00A0\1680\2000\2001\2002\2003\2004\2005\2006\2007\2008\2009\200A\2028\2029\202F\205F\3000') end;

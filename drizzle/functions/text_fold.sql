-- Returns the text without differences of case and of canonical composition, so that "ÉCLAIR" and its decomposed, small
-- spelling are equal. Gives the same result on every machine and every supported PostgreSQL; see fold_unicode.
--
-- Called by: the trigger tasks_keys for `tasks.title_key`, and search. Neither STRICT nor a SET clause, so that Postgres
-- can inline it: plain ASCII is folded without a function call.

create or replace function text_fold(x text) returns text language sql immutable parallel safe
  return case when octet_length(x) = length(x) then lower(x collate "C") else fold_unicode(x) end;

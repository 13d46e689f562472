-- Returns the ids of the caller's tasks whose title or external id contains the needle, ignoring case. Wildcards in the
-- needle are escaped.
--
-- Called by: the `q` filter of lists, counts and exports (src/db/tasks/task-filter.ts).
--
-- Security definer, because ILIKE is not leakproof: under row security Postgres would not use the trigram index
-- tasks_search. The function therefore applies the tenant itself, from the setting app.tenant_id. Without that setting
-- it finds nothing.
--
-- The condition on the last five characters is redundant but fast. Identifiers differ at their end, and for each
-- candidate row GIN checks all other trigrams before it rejects the row. For "tracker-000004713" among a million tasks
-- like it, the second key cuts 61 ms to 6.5 ms; other needles are not slower by more than 10 %.

create or replace function search_tasks(needle text) returns setof uuid
  language sql stable security definer set search_path = pg_catalog, public, pg_temp
begin atomic
  select id from tasks
  where tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid
    and (title || ' ' || coalesce(external_id, ''))
      ilike '%' || regexp_replace(right(needle, 5), '([\\%_])', '\\\1', 'g') || '%'
    and (title || ' ' || coalesce(external_id, ''))
      ilike '%' || regexp_replace(needle, '([\\%_])', '\\\1', 'g') || '%';
end;

revoke execute on function search_tasks(text) from public;
grant execute on function search_tasks(text) to stepledger_app;

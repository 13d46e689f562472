-- Returns the ids of the caller's tasks whose title or external id contains the needle, ignoring case and canonical
-- composition.
--
-- Called by: the `q` filter of lists, counts and exports (src/db/tasks/task-filter.ts).
--
-- Security definer, because LIKE is not leakproof: under row security Postgres would not use the indexes tasks_search and
-- tasks_search_cjk. The function therefore applies the tenant itself, from the setting app.tenant_id. Without that
-- setting it finds nothing.
--
-- Chinese, Japanese and Korean needles are found by pairs of characters, all others by trigrams. `position` instead of
-- LIKE keeps Postgres from reading all of tasks_search for a needle that has no trigram.
--
-- The condition on the last five characters is redundant but fast. Identifiers differ at their end, and for each
-- candidate row GIN checks all other trigrams before it rejects the row. For "tracker-000004713" among a million tasks
-- like it, the second key cuts 61 ms to 6.5 ms; other needles are not slower by more than 10 %. Wildcards in the needle
-- are escaped. A plan for each needle, because a plan for any needle could not leave that condition out, nor see that a
-- needle has no trigram.

create or replace function search_tasks(needle text) returns setof uuid
  language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp
  set plan_cache_mode = force_custom_plan as $$
declare
  tenant constant uuid := nullif(current_setting('app.tenant_id', true), '')::uuid;
  folded constant text := text_fold(needle);
begin
  if has_cjk(folded) then
    return query
      select id from tasks
      where tenant_id = tenant
        and has_cjk(search_text(title_key, external_id))
        and search_pairs(search_text(title_key, external_id)) @> search_pairs(folded)
        and position(folded in search_text(title_key, external_id)) > 0;
  else
    return query
      select id from tasks
      where tenant_id = tenant
        and search_text(title_key, external_id)
          like '%' || regexp_replace(right(folded, 5), '([\\%_])', '\\\1', 'g') || '%'
        and (length(folded) <= 5 or search_text(title_key, external_id)
          like '%' || regexp_replace(folded, '([\\%_])', '\\\1', 'g') || '%');
  end if;
end
$$;

revoke execute on function search_tasks(text) from public;
grant execute on function search_tasks(text) to stepledger_app;

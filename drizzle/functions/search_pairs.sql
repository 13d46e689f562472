-- Returns every pair of neighboring characters of which at least one is Chinese, Japanese or Korean, each once. Trigrams
-- cannot find a word of two characters, and pg_trgm drops these scripts altogether if the database's locale is C.
--
-- Called by: search_tasks, and the index tasks_search_cjk.

create or replace function search_pairs(x text) returns text[]
  language plpgsql immutable strict parallel safe set search_path = pg_catalog, public, pg_temp as $$
begin
  return array(
    select distinct pair
    from (select c || lead(c) over (order by n) as pair
      from string_to_table(x, null) with ordinality as s(c, n)) p
    where has_cjk(pair));
end
$$;

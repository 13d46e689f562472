-- Stores the key at which the sweep of that name stopped. There is one such sweep, `objects`; other names are ignored.
--
-- Called by: keepSweepPosition (src/db/content/data-sweep.ts), at the end of the daily sweep. Security definer, because
-- the application has no rights on sweep_positions, which belongs to no tenant.

create or replace function keep_sweep_position(of_sweep text, reached text) returns void
  language sql security definer set search_path = pg_catalog, public, pg_temp
begin atomic
  insert into sweep_positions (sweep, position)
  select of_sweep, left(reached, 1024) where of_sweep = 'objects'
  on conflict (sweep) do update set position = excluded.position;
end;

revoke execute on function keep_sweep_position(text, text) from public;
grant execute on function keep_sweep_position(text, text) to stepledger_app;

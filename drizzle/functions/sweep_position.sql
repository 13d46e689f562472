-- Returns the key at which the last sweep of that name stopped, or null if it never ran.
--
-- Called by: readSweepPosition (src/db/content/data-sweep.ts): the daily sweep continues its walk through the bucket
-- there. Security definer, because the application has no rights on sweep_positions, which belongs to no tenant.

create or replace function sweep_position(of_sweep text) returns text
  language sql stable security definer set search_path = pg_catalog, public, pg_temp
begin atomic
  select position from sweep_positions where sweep = of_sweep;
end;

revoke execute on function sweep_position(text) from public;
grant execute on function sweep_position(text) to stepledger_app;

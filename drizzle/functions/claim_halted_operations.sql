-- Claims up to rows_max bulk operations that are unfinished and have made no progress for five minutes, and returns
-- them to be put on the queue again. Their message was lost, or the consumer that worked on them died.
--
-- Called by: the sweep (src/actions/upkeep/sweep.ts, through src/db/bulk/bulk-work.ts).
--
-- Setting progress_at is the claim: no other caller gets the operation for the next five minutes. Concurrent callers
-- share the work through SKIP LOCKED. Security definer, because it crosses tenants. The partial index
-- bulk_operations_unfinished serves it.

create or replace function claim_halted_operations(rows_max integer) returns table (tenant_id uuid, id uuid)
  language sql security definer set search_path = pg_catalog, public, pg_temp
begin atomic
  with halted as (
    select b.tenant_id, b.id from bulk_operations b
    where b.state in ('queued', 'running') and b.progress_at < now() - interval '5 minutes'
    order by b.progress_at limit least(rows_max, 1000)
    for update skip locked
  )
  update bulk_operations b set progress_at = now()
  from halted where b.tenant_id = halted.tenant_id and b.id = halted.id
  returning b.tenant_id, b.id;
end;

revoke execute on function claim_halted_operations(integer) from public;
grant execute on function claim_halted_operations(integer) to stepledger_app;

-- Deletes up to rows_max operations of the idempotency ledger that have expired, and returns their number. Their keys
-- can be used again.
--
-- Called by: the daily sweep (src/actions/upkeep/expire-operations.ts, through src/db/ledger/operations.ts), in batches
-- that hold locks only briefly.
--
-- SKIP LOCKED passes over an operation that a call is replacing at that moment. Security definer, because it crosses
-- tenants.

create or replace function expire_operations(rows_max integer) returns integer
  language sql security definer set search_path = pg_catalog, public, pg_temp
begin atomic
  with expired as (
    select o.tenant_id, o.id from operations o where o.expires_at <= now()
    limit least(rows_max, 5000) for update skip locked
  ),
  gone as (
    delete from operations o using expired
    where o.tenant_id = expired.tenant_id and o.id = expired.id
    returning 1
  )
  select count(*)::integer from gone;
end;

revoke execute on function expire_operations(integer) from public;
grant execute on function expire_operations(integer) to stepledger_app;

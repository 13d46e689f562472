-- Returns up to rows_max tenants that have pending webhook work: a delivery that is due to be put on the queue, or
-- events after the position of an enabled webhook that subscribes to them.
--
-- Called by: the sweep (src/actions/upkeep/sweep.ts, through tenantsWithPendingWebhooks in
-- src/db/webhooks/webhook-pump.ts), which enqueues one message for each tenant. It claims nothing: the consumer of those
-- messages tolerates repeats.
--
-- Security definer, because it crosses tenants.

create or replace function tenants_with_untold_webhooks(rows_max integer) returns table (tenant_id uuid)
  language sql stable security definer set search_path = pg_catalog, public, pg_temp
begin atomic
  select distinct w.tenant_id from webhooks w
  where w.enabled and (
    exists (select from webhook_deliveries d
      where d.tenant_id = w.tenant_id and d.webhook_id = w.id and d.state = 'pending' and d.relay_at <= now())
    or w.events && '{task.label_changed,task.attention}' and exists (select from step_events e
      where e.tenant_id = w.tenant_id and (e.txid, e.feed_id) > (w.position_txid, w.position_feed_id)))
  order by w.tenant_id limit least(rows_max, 1000);
end;

revoke execute on function tenants_with_untold_webhooks(integer) from public;
grant execute on function tenants_with_untold_webhooks(integer) to stepledger_app;

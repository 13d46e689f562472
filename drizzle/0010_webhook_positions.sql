-- No release has written a webhook or a delivery: columns without a default find no row.

DROP INDEX "webhook_deliveries_once";--> statement-breakpoint
DROP INDEX "webhook_deliveries_newest";--> statement-breakpoint
DROP INDEX "webhook_deliveries_due";--> statement-breakpoint
ALTER TABLE "webhooks" ALTER COLUMN "position_txid" SET NOT NULL;--> statement-breakpoint
ALTER TABLE "webhooks" ALTER COLUMN "position_feed_id" SET NOT NULL;--> statement-breakpoint
ALTER TABLE "webhook_deliveries" ADD COLUMN "webhook_id" uuid NOT NULL;--> statement-breakpoint
ALTER TABLE "webhook_deliveries" ADD COLUMN "occurred_at" timestamp with time zone DEFAULT now() NOT NULL;--> statement-breakpoint
ALTER TABLE "webhook_deliveries" ADD COLUMN "relay_at" timestamp with time zone DEFAULT now() NOT NULL;--> statement-breakpoint
ALTER TABLE "webhooks" ADD COLUMN "id" uuid NOT NULL;--> statement-breakpoint
ALTER TABLE "webhooks" ADD COLUMN "previous_secret_until" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "webhooks" ADD COLUMN "heard_nothing_of" "pg_snapshot" NOT NULL;--> statement-breakpoint
ALTER TABLE "webhooks" ADD COLUMN "deleted_at" timestamp with time zone;--> statement-breakpoint
CREATE UNIQUE INDEX "webhooks_id" ON "webhooks" USING btree ("tenant_id","id");--> statement-breakpoint
CREATE UNIQUE INDEX "webhook_deliveries_once" ON "webhook_deliveries" USING btree ("tenant_id","webhook_id","event","source");--> statement-breakpoint
CREATE INDEX "webhook_deliveries_newest" ON "webhook_deliveries" USING btree ("tenant_id","webhook_id","id");--> statement-breakpoint
CREATE INDEX "webhook_deliveries_due" ON "webhook_deliveries" USING btree ("tenant_id","webhook_id","relay_at") WHERE state = 'pending';--> statement-breakpoint
ALTER TABLE "webhook_deliveries" ADD CONSTRAINT "webhook_deliveries_delivered" CHECK (("webhook_deliveries"."state" = 'delivered') = ("webhook_deliveries"."delivered_at" is not null));--> statement-breakpoint
ALTER TABLE "webhooks" ADD CONSTRAINT "webhooks_deleted" CHECK ("webhooks"."deleted_at" is null or not "webhooks"."enabled");--> statement-breakpoint
ALTER TABLE "webhooks" ADD CONSTRAINT "webhooks_previous_secret" CHECK (("webhooks"."previous_secret" is null) = ("webhooks"."previous_secret_until" is null));--> statement-breakpoint

-- Tenants whose webhooks have something to be told: a message that is to be put on the queue, or events beyond the
-- position of one that listens to them.
create or replace function tenants_with_untold_webhooks(rows_max integer) returns table (tenant_id uuid)
  language sql stable security definer set search_path = pg_catalog, public
begin atomic
  select distinct w.tenant_id from webhooks w
  where w.enabled and (
    exists (select from webhook_deliveries d
      where d.tenant_id = w.tenant_id and d.webhook_id = w.id and d.state = 'pending' and d.relay_at <= now())
    or w.events && '{task.label_changed,task.attention}' and exists (select from step_events e
      where e.tenant_id = w.tenant_id and (e.txid, e.feed_id) > (w.position_txid, w.position_feed_id)))
  order by w.tenant_id limit rows_max;
end;

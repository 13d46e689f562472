-- Endpoints are judged by one law of answers, an endpoint that is gone switches its webhook off, and what is dead can be
-- sent again by a filter.
--
-- The new columns are null in all rows, which adds them without rewriting a table: null means the rules of earlier
-- releases, so verification judges only what ends from now on. The check of admin_events reads a table that grows with
-- administration only. The index is read by calls that look for the oldest dead deliveries of a webhook, which are few
-- among many that arrived; building it reads the table once, and messages that are due meanwhile wait for the next try.

ALTER TABLE "admin_events" DROP CONSTRAINT "admin_events_type";--> statement-breakpoint
ALTER TABLE "pipeline_dispatches" ADD COLUMN "dead_reason" text;--> statement-breakpoint
ALTER TABLE "webhook_deliveries" ADD COLUMN "dead_reason" text;--> statement-breakpoint
ALTER TABLE "webhooks" ADD COLUMN "gone_at" timestamp with time zone;--> statement-breakpoint
CREATE INDEX "webhook_deliveries_dead" ON "webhook_deliveries" USING btree ("tenant_id","webhook_id","id") WHERE state = 'dead';--> statement-breakpoint
ALTER TABLE "admin_events" ADD CONSTRAINT "admin_events_type" CHECK ("admin_events"."type" = any ('{"state_imported","tenant_created","key_created","key_rotated","key_revoked","person_created","person_changed","person_deactivated","pipeline_changed","pipeline_secret_rotated","webhook_created","webhook_changed","webhook_secret_rotated","webhook_deleted","webhook_delivery_retried","webhook_deliveries_retried","webhook_switched_off"}'::text[]));--> statement-breakpoint
ALTER TABLE "webhooks" ADD CONSTRAINT "webhooks_gone" CHECK ("webhooks"."gone_at" is null or not "webhooks"."enabled");

-- Delivery of dispatches, runs for workers that poll, bulk operations of any size and their undoing, webhooks. No release
-- has written a webhook or offered a run: columns without a default find no row there.
CREATE TABLE "dead_letters" (
	"queue" text NOT NULL,
	"message_id" text NOT NULL,
	"reason" text NOT NULL,
	"body" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "dead_letters_queue_message_id_pk" PRIMARY KEY("queue","message_id")
);
--> statement-breakpoint
CREATE TABLE "webhook_deliveries" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"webhook_id" uuid NOT NULL,
	"webhook_name" text NOT NULL,
	"event" text NOT NULL,
	"source" text NOT NULL,
	"data" text NOT NULL,
	"occurred_at" timestamp with time zone DEFAULT now() NOT NULL,
	"state" text DEFAULT 'pending' NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"next_attempt_at" timestamp with time zone DEFAULT now() NOT NULL,
	"relay_at" timestamp with time zone DEFAULT now() NOT NULL,
	"lease_until" timestamp with time zone,
	"lease_owner" uuid,
	"response_status" integer,
	"last_error" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"delivered_at" timestamp with time zone,
	CONSTRAINT "webhook_deliveries_tenant_id_id_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "webhook_deliveries_event" CHECK ("webhook_deliveries"."event" in ('task.label_changed', 'task.attention', 'bulk.finished', 'dispatch.dead')),
	CONSTRAINT "webhook_deliveries_state" CHECK ("webhook_deliveries"."state" in ('pending', 'delivered', 'dead')),
	CONSTRAINT "webhook_deliveries_delivered" CHECK (("webhook_deliveries"."state" = 'delivered') = ("webhook_deliveries"."delivered_at" is not null))
);
--> statement-breakpoint
DROP INDEX "pipeline_dispatches_due";--> statement-breakpoint
ALTER TABLE "webhooks" ALTER COLUMN "position_txid" SET NOT NULL;--> statement-breakpoint
ALTER TABLE "webhooks" ALTER COLUMN "position_feed_id" SET NOT NULL;--> statement-breakpoint
ALTER TABLE "bulk_operations" ADD COLUMN "actor_kind" text DEFAULT 'key' NOT NULL;--> statement-breakpoint
ALTER TABLE "bulk_operations" ADD COLUMN "actor_role" text DEFAULT 'reviewer' NOT NULL;--> statement-breakpoint
ALTER TABLE "bulk_operations" ADD COLUMN "request_id" text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE "bulk_operations" ADD COLUMN "registry_version" integer DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE "bulk_operations" ADD COLUMN "changes" jsonb;--> statement-breakpoint
ALTER TABLE "bulk_operations" ADD COLUMN "recalled" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "bulk_operations" ADD COLUMN "already_delivered" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "bulk_operations" ADD COLUMN "progress_at" timestamp with time zone DEFAULT now() NOT NULL;--> statement-breakpoint
ALTER TABLE "pipeline_dispatches" ADD COLUMN "bulk_operation_id" uuid;--> statement-breakpoint
ALTER TABLE "pipeline_dispatches" ADD COLUMN "not_before" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "pipeline_dispatches" ADD COLUMN "lease_owner" uuid;--> statement-breakpoint
ALTER TABLE "pipelines" ADD COLUMN "previous_secret_until" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "webhooks" ADD COLUMN "id" uuid NOT NULL;--> statement-breakpoint
ALTER TABLE "webhooks" ADD COLUMN "previous_secret_until" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "webhooks" ADD COLUMN "heard_nothing_of" "pg_snapshot" NOT NULL;--> statement-breakpoint
ALTER TABLE "webhooks" ADD COLUMN "deleted_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "worker_runs" ADD COLUMN "offered" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "worker_runs" ADD COLUMN "lease_seconds" integer;--> statement-breakpoint
ALTER TABLE "webhook_deliveries" ADD CONSTRAINT "webhook_deliveries_tenant_fk" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "webhook_deliveries_once" ON "webhook_deliveries" USING btree ("tenant_id","webhook_id","event","source");--> statement-breakpoint
CREATE INDEX "webhook_deliveries_newest" ON "webhook_deliveries" USING btree ("tenant_id","webhook_id","id");--> statement-breakpoint
CREATE INDEX "webhook_deliveries_due" ON "webhook_deliveries" USING btree ("tenant_id","webhook_id","relay_at") WHERE state = 'pending';--> statement-breakpoint
ALTER TABLE "pipeline_dispatches" ADD CONSTRAINT "pipeline_dispatches_bulk_operation_fk" FOREIGN KEY ("tenant_id","bulk_operation_id") REFERENCES "public"."bulk_operations"("tenant_id","id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "bulk_operations_reverted_once" ON "bulk_operations" USING btree ("tenant_id","parent_id") WHERE action = 'revert';--> statement-breakpoint
CREATE INDEX "bulk_operations_unfinished" ON "bulk_operations" USING btree ("progress_at") WHERE state in ('queued', 'running');--> statement-breakpoint
CREATE INDEX "pipeline_dispatches_state" ON "pipeline_dispatches" USING btree ("tenant_id","state","id");--> statement-breakpoint
CREATE INDEX "pipeline_dispatches_bulk" ON "pipeline_dispatches" USING btree ("tenant_id","bulk_operation_id") WHERE bulk_operation_id is not null;--> statement-breakpoint
CREATE UNIQUE INDEX "webhooks_id" ON "webhooks" USING btree ("tenant_id","id");--> statement-breakpoint
CREATE INDEX "worker_runs_offered" ON "worker_runs" USING btree ("tenant_id","type","id") WHERE offered and state = 'QUEUED';--> statement-breakpoint
CREATE INDEX "worker_runs_deadline" ON "worker_runs" USING btree ("deadline_at") WHERE state in ('QUEUED', 'RUNNING');--> statement-breakpoint
CREATE INDEX "pipeline_dispatches_due" ON "pipeline_dispatches" USING btree ("next_attempt_at") WHERE state in ('pending', 'sent');--> statement-breakpoint
ALTER TABLE "bulk_operations" ADD CONSTRAINT "bulk_operations_action" CHECK ("bulk_operations"."action" in ('advance', 'retry', 'run_pipelines', 'edit', 'revert'));--> statement-breakpoint
ALTER TABLE "bulk_operations" ADD CONSTRAINT "bulk_operations_actor_kind" CHECK ("bulk_operations"."actor_kind" in ('person', 'key', 'service', 'system'));--> statement-breakpoint
ALTER TABLE "bulk_operations" ADD CONSTRAINT "bulk_operations_actor_role" CHECK ("bulk_operations"."actor_role" in ('viewer', 'operator', 'reviewer', 'admin', 'service'));--> statement-breakpoint
ALTER TABLE "pipelines" ADD CONSTRAINT "pipelines_signed" CHECK ("pipelines"."endpoint" is null or "pipelines"."secret" is not null);--> statement-breakpoint
ALTER TABLE "pipelines" ADD CONSTRAINT "pipelines_previous_secret" CHECK (("pipelines"."previous_secret" is null) = ("pipelines"."previous_secret_until" is null));--> statement-breakpoint
ALTER TABLE "webhooks" ADD CONSTRAINT "webhooks_deleted" CHECK ("webhooks"."deleted_at" is null or not "webhooks"."enabled");--> statement-breakpoint
ALTER TABLE "webhooks" ADD CONSTRAINT "webhooks_previous_secret" CHECK (("webhooks"."previous_secret" is null) = ("webhooks"."previous_secret_until" is null));--> statement-breakpoint
ALTER TABLE "worker_runs" ADD CONSTRAINT "worker_runs_offered_by_dispatch" CHECK (not "worker_runs"."offered" or "worker_runs"."dispatch_id" is not null);--> statement-breakpoint
ALTER TABLE "worker_runs" ADD CONSTRAINT "worker_runs_lease" CHECK (num_nulls("worker_runs"."lease_owner", "worker_runs"."lease_until", "worker_runs"."lease_seconds") in (0, 3) and ("worker_runs"."offered" or "worker_runs"."lease_owner" is null));
--> statement-breakpoint

-- Operations that were there before tell who asked by their events.
update bulk_operations b
set actor_kind = e.actor_kind, actor_role = e.actor_role, request_id = e.request_id,
  registry_version = e.registry_version
from (select distinct on (tenant_id, bulk_operation_id) * from step_events
  where bulk_operation_id is not null order by tenant_id, bulk_operation_id, feed_id) e
where e.tenant_id = b.tenant_id and e.bulk_operation_id = b.id;
--> statement-breakpoint

-- Row security and grants. ----------------------------------------------------------------------------

alter table webhook_deliveries enable row level security;
--> statement-breakpoint
alter table webhook_deliveries force row level security;
--> statement-breakpoint
create policy webhook_deliveries_of_tenant on webhook_deliveries to stepledger_app
  using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
  with check (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
--> statement-breakpoint
create policy webhook_deliveries_of_owner on webhook_deliveries to stepledger_owner using (true) with check (true);
--> statement-breakpoint
grant select, insert, update on webhook_deliveries to stepledger_app;
--> statement-breakpoint

-- The net under the queues, across tenants: each function may be called at any time, beside itself. ------

-- Hands out dispatches whose time has come, to one caller each for a minute. One that was sent and never heard of is
-- handed out anew: its message was lost, and if it was not, a second one does nothing.
create function claim_dispatches(rows_max integer) returns table (tenant_id uuid, id uuid)
  language sql security definer set search_path = pg_catalog, public
begin atomic
  with due as (
    select d.tenant_id, d.id, d.state from pipeline_dispatches d
    where d.state in ('pending', 'sent') and d.next_attempt_at <= now()
      and (d.lease_until is null or d.lease_until < now())
    order by d.next_attempt_at limit rows_max
    for update skip locked
  ),
  claimed as (
    update pipeline_dispatches d
    set state = 'pending', next_attempt_at = now() + interval '1 minute', updated_at = now()
    from due where d.tenant_id = due.tenant_id and d.id = due.id
    returning d.tenant_id, d.id
  ),
  logged as (
    insert into dispatch_events (tenant_id, id, dispatch_id, from_state, to_state, actor_id, actor_name, reason)
    select due.tenant_id, new_id(), due.id, 'sent', 'pending', 'system', 'Relay', 'Nothing was heard of its message.'
    from due where due.state = 'sent'
  )
  select claimed.tenant_id, claimed.id from claimed;
end;
--> statement-breakpoint
-- Says that messages of these dispatches are on disk. They are taken for lost when nothing is heard for a quarter of
-- an hour: a queue that is that far behind gets a message twice, which does no harm.
create function mark_dispatches_sent(sent json) returns void
  language sql security definer set search_path = pg_catalog, public
begin atomic
  with locked as (
    select d.tenant_id, d.id from json_to_recordset(sent) as s(tenant_id uuid, id uuid)
    join pipeline_dispatches d on d.tenant_id = s.tenant_id and d.id = s.id
    where d.state = 'pending'
    order by d.tenant_id, d.id
    for update of d
  ),
  marked as (
    update pipeline_dispatches d
    set state = 'sent', next_attempt_at = now() + interval '15 minutes', updated_at = now()
    from locked where d.tenant_id = locked.tenant_id and d.id = locked.id
    returning d.tenant_id, d.id
  )
  insert into dispatch_events (tenant_id, id, dispatch_id, from_state, to_state, actor_id, actor_name)
  select marked.tenant_id, new_id(), marked.id, 'pending', 'sent', 'system', 'Relay' from marked;
end;
--> statement-breakpoint
-- Runs whose worker has been silent beyond its deadline, the longest first.
create function late_runs(rows_max integer) returns table (tenant_id uuid, id uuid)
  language sql stable security definer set search_path = pg_catalog, public
begin atomic
  select w.tenant_id, w.id from worker_runs w
  where w.state in ('QUEUED', 'RUNNING') and w.deadline_at < now()
  order by w.deadline_at limit rows_max;
end;
--> statement-breakpoint
-- Bulk operations that have made no progress for five minutes: their message was lost, or the one who worked on them.
-- Each is handed out to one caller, who gets it going again.
create function claim_halted_operations(rows_max integer) returns table (tenant_id uuid, id uuid)
  language sql security definer set search_path = pg_catalog, public
begin atomic
  with halted as (
    select b.tenant_id, b.id from bulk_operations b
    where b.state in ('queued', 'running') and b.progress_at < now() - interval '5 minutes'
    order by b.progress_at limit rows_max
    for update skip locked
  )
  update bulk_operations b set progress_at = now()
  from halted where b.tenant_id = halted.tenant_id and b.id = halted.id
  returning b.tenant_id, b.id;
end;
--> statement-breakpoint
-- Tenants whose webhooks have something to be told: a message that is to be put on the queue, or events beyond the
-- position of one that listens to them.
create function tenants_with_untold_webhooks(rows_max integer) returns table (tenant_id uuid)
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
--> statement-breakpoint
-- Keeps a queue message that nobody could work through. It comes here once, however often it is brought.
create function keep_dead_letter(queue text, message_id text, reason text, body text) returns void
  language sql security definer set search_path = pg_catalog, public
begin atomic
  insert into dead_letters (queue, message_id, reason, body)
  values (keep_dead_letter.queue, keep_dead_letter.message_id, keep_dead_letter.reason, keep_dead_letter.body)
  on conflict do nothing;
end;
--> statement-breakpoint
-- Takes away operations whose day is over: their keys are free again by then.
create function expire_operations(rows_max integer) returns integer
  language sql security definer set search_path = pg_catalog, public
begin atomic
  with expired as (
    select o.tenant_id, o.id from operations o where o.expires_at <= now()
    limit rows_max for update skip locked
  ),
  gone as (
    delete from operations o using expired
    where o.tenant_id = expired.tenant_id and o.id = expired.id
    returning 1
  )
  select count(*)::integer from gone;
end;
--> statement-breakpoint
revoke execute on function claim_dispatches(integer), mark_dispatches_sent(json), late_runs(integer),
  claim_halted_operations(integer), tenants_with_untold_webhooks(integer),
  keep_dead_letter(text, text, text, text), expire_operations(integer) from public;
--> statement-breakpoint
grant execute on function claim_dispatches(integer), mark_dispatches_sent(json), late_runs(integer),
  claim_halted_operations(integer), tenants_with_untold_webhooks(integer),
  keep_dead_letter(text, text, text, text), expire_operations(integer) to stepledger_app;

-- A seed run keeps its settings in columns, and how far its story is told. No release has written the table before, so the
-- old columns can go. A run of a simulated task is never late: the story decides what becomes of its worker.
ALTER TABLE "seed_runs" ADD COLUMN "seed" integer NOT NULL;--> statement-breakpoint
ALTER TABLE "seed_runs" ADD COLUMN "tasks" integer NOT NULL;--> statement-breakpoint
ALTER TABLE "seed_runs" ADD COLUMN "anchor" timestamp with time zone NOT NULL;--> statement-breakpoint
ALTER TABLE "seed_runs" ADD COLUMN "days" integer NOT NULL;--> statement-breakpoint
ALTER TABLE "seed_runs" ADD COLUMN "mix" jsonb NOT NULL;--> statement-breakpoint
ALTER TABLE "seed_runs" ADD COLUMN "speed" numeric NOT NULL;--> statement-breakpoint
ALTER TABLE "seed_runs" ADD COLUMN "wanted_until" timestamp with time zone NOT NULL;--> statement-breakpoint
ALTER TABLE "seed_runs" ADD COLUMN "applied_until" timestamp with time zone NOT NULL;--> statement-breakpoint
ALTER TABLE "seed_runs" ADD COLUMN "slice_until" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "seed_runs" ADD COLUMN "teams_done" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "seed_runs" ADD COLUMN "batches_done" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "seed_runs" ADD COLUMN "next_action_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "seed_runs" ADD COLUMN "actions_applied" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "seed_runs" ADD COLUMN "actions_refused" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "seed_runs" ADD COLUMN "lease_holder" uuid;--> statement-breakpoint
ALTER TABLE "seed_runs" ADD COLUMN "lease_until" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "seed_runs" ADD COLUMN "ticked_at" timestamp with time zone DEFAULT now() NOT NULL;--> statement-breakpoint
ALTER TABLE "seed_runs" ADD COLUMN "tick_due_at" timestamp with time zone DEFAULT now() NOT NULL;--> statement-breakpoint
ALTER TABLE "seed_runs" ADD COLUMN "updated_at" timestamp with time zone DEFAULT now() NOT NULL;--> statement-breakpoint
CREATE UNIQUE INDEX "seed_runs_open" ON "seed_runs" USING btree ("tenant_id") WHERE "seed_runs"."state" in ('active', 'deleting');--> statement-breakpoint
CREATE INDEX "seed_runs_due" ON "seed_runs" USING btree ("tick_due_at") WHERE "seed_runs"."state" in ('active', 'deleting');--> statement-breakpoint
CREATE INDEX "tasks_seed_run" ON "tasks" USING btree ("tenant_id","seed_run_id") WHERE "tasks"."seed_run_id" is not null;--> statement-breakpoint
ALTER TABLE "seed_runs" DROP COLUMN "settings";--> statement-breakpoint
ALTER TABLE "seed_runs" DROP COLUMN "clock_at";--> statement-breakpoint
ALTER TABLE "seed_runs" DROP COLUMN "archived_at";--> statement-breakpoint
ALTER TABLE "seed_runs" ADD CONSTRAINT "seed_runs_state" CHECK ("seed_runs"."state" = any ('{"active","ended","deleting","deleted"}'::text[]));--> statement-breakpoint
ALTER TABLE "seed_runs" ADD CONSTRAINT "seed_runs_tasks" CHECK ("seed_runs"."tasks" > 0);--> statement-breakpoint
ALTER TABLE "seed_runs" ADD CONSTRAINT "seed_runs_speed" CHECK ("seed_runs"."speed" between 0 and 604800);--> statement-breakpoint
ALTER TABLE "seed_runs" ADD CONSTRAINT "seed_runs_order" CHECK ("seed_runs"."applied_until" <= "seed_runs"."wanted_until" and "seed_runs"."wanted_until" <= "seed_runs"."anchor"
        and coalesce("seed_runs"."slice_until", "seed_runs"."applied_until") between "seed_runs"."applied_until" and "seed_runs"."wanted_until");
--> statement-breakpoint
create or replace function late_runs(rows_max integer) returns table (tenant_id uuid, id uuid)
  language sql stable security definer set search_path = pg_catalog, public, pg_temp
begin atomic
  select w.tenant_id, w.id from worker_runs w
  where w.state in ('QUEUED', 'RUNNING') and w.deadline_at < now()
    and not exists (select from tasks t
      where t.tenant_id = w.tenant_id and t.id = w.task_id and t.seed_run_id is not null)
  order by w.deadline_at limit least(rows_max, 1000);
end;

revoke execute on function late_runs(integer) from public;
grant execute on function late_runs(integer) to stepledger_app;
--> statement-breakpoint
create or replace function claim_due_seed_runs(rows_max integer) returns table (tenant_id uuid, id uuid)
  language sql security definer set search_path = pg_catalog, public, pg_temp
begin atomic
  with due as (
    select r.tenant_id, r.id from seed_runs r
    where r.state in ('active', 'deleting') and r.tick_due_at < now() - interval '2 minutes'
      and (r.speed > 0 or r.state = 'deleting' or r.applied_until < r.wanted_until)
      and (r.lease_until is null or r.lease_until < now())
    order by r.tick_due_at limit least(rows_max, 1000)
    for update skip locked
  )
  update seed_runs r set tick_due_at = now(), ticked_at = now() - (r.tick_due_at - r.ticked_at)
  from due where r.tenant_id = due.tenant_id and r.id = due.id
  returning r.tenant_id, r.id;
end;

revoke execute on function claim_due_seed_runs(integer) from public;
grant execute on function claim_due_seed_runs(integer) to stepledger_app;

-- A review can be withdrawn by the person who recorded it, and a reviewer can take the next task that waits for review.
--
-- New columns are null in existing rows: no review is withdrawn, and labels get theirs from the next migration. The two
-- constraints on large tables are validated there, so that no exclusive lock lasts for a scan.
CREATE TABLE "review_slots" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"task_id" uuid NOT NULL,
	"version_id" uuid NOT NULL,
	"step_id" uuid NOT NULL,
	"round" integer NOT NULL,
	"slot" smallint,
	"person" text NOT NULL,
	"actor_id" text NOT NULL,
	"actor_name" text NOT NULL,
	"task_seq" integer NOT NULL,
	"lease_seconds" integer NOT NULL,
	"lease_until" timestamp with time zone NOT NULL,
	"draft" text,
	"declined_at" timestamp with time zone,
	"decline_reason" text,
	"operation_id" uuid NOT NULL,
	"claimed_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "review_slots_tenant_id_id_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "review_slots_slot" UNIQUE("tenant_id","step_id","round","slot"),
	CONSTRAINT "review_slots_person" UNIQUE("tenant_id","step_id","round","person"),
	CONSTRAINT "review_slots_counted" CHECK ("review_slots"."round" > 0 and "review_slots"."slot" > 0),
	CONSTRAINT "review_slots_declined" CHECK (num_nulls("review_slots"."declined_at", "review_slots"."decline_reason") in (0, 2) and ("review_slots"."slot" is null) = ("review_slots"."declined_at" is not null))
);
--> statement-breakpoint
ALTER TABLE "step_events" DROP CONSTRAINT "step_events_type";
--> statement-breakpoint
DROP INDEX "step_events_reverts";
--> statement-breakpoint
ALTER TABLE "reviews" ADD COLUMN "withdrawn_seq" integer;
--> statement-breakpoint
ALTER TABLE "task_labels" ADD COLUMN "priority" smallint;
--> statement-breakpoint
ALTER TABLE "task_labels" ADD COLUMN "taxonomy_code" text;
--> statement-breakpoint
ALTER TABLE "task_labels" ADD COLUMN "waits_for_review" boolean;
--> statement-breakpoint
ALTER TABLE "task_labels" ADD COLUMN "event_seq" integer;
--> statement-breakpoint
ALTER TABLE "review_slots" ADD CONSTRAINT "review_slots_step_fk" FOREIGN KEY ("tenant_id","step_id","task_id","version_id") REFERENCES "public"."steps"("tenant_id","id","task_id","version_id") ON DELETE no action ON UPDATE no action;
--> statement-breakpoint
CREATE INDEX "review_slots_lease" ON "review_slots" USING btree ("tenant_id","lease_until") WHERE slot is not null;
--> statement-breakpoint
CREATE INDEX "review_slots_operation" ON "review_slots" USING btree ("tenant_id","operation_id");
--> statement-breakpoint
ALTER TABLE "reviews" ADD CONSTRAINT "reviews_withdrawal_fk" FOREIGN KEY ("tenant_id","task_id","withdrawn_seq") REFERENCES "public"."step_events"("tenant_id","task_id","seq") ON DELETE no action ON UPDATE no action NOT VALID;
--> statement-breakpoint
CREATE INDEX "task_labels_waiting" ON "task_labels" USING btree ("tenant_id",priority desc,"since","task_id") WHERE waits_for_review;
--> statement-breakpoint
CREATE INDEX "task_labels_waiting_by_code" ON "task_labels" USING btree ("tenant_id","taxonomy_code",priority desc,"since","task_id") WHERE waits_for_review;
--> statement-breakpoint
CREATE INDEX "step_events_reverts" ON "step_events" USING btree ("tenant_id","task_id","seq") WHERE type in ('bulk_reverted', 'review_withdrawn');
--> statement-breakpoint
ALTER TABLE "step_events" ADD CONSTRAINT "step_events_type" CHECK ("step_events"."type" = any ('{"task_created","step_transitioned","gate_changed","step_advanced","step_reworked","version_created","review_recorded","review_withdrawn","worker_run_changed","bulk_transitioned","bulk_reverted","task_updated","task_archived","task_restored","note_added"}'::text[])) NOT VALID;
--> statement-breakpoint
ALTER TABLE review_slots ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE review_slots FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY review_slots_of_tenant ON review_slots FOR ALL TO stepledger_app
  USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
  WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
--> statement-breakpoint
CREATE POLICY review_slots_of_owner ON review_slots FOR ALL TO stepledger_owner USING (true) WITH CHECK (true);
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE (slot, person, actor_id, actor_name, task_seq, lease_seconds, lease_until, draft, declined_at,
  decline_reason, operation_id, claimed_at) ON review_slots TO stepledger_app;
--> statement-breakpoint
GRANT UPDATE (withdrawn_seq) ON reviews TO stepledger_app;

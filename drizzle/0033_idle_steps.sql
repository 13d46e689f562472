-- Steps that run without an open run: `idled_seq` names the event by which the sweep found one, and `running_since` is what
-- the sweep looks for. It is kept in task_labels, because every move rewrites the row there anyway, while an index on a
-- column of tasks or steps that moves change would end their HOT updates. The partial index has one entry for each task
-- that runs in a stage of a pipeline, in the order of time, so that a sweep that finds nothing reads next to nothing.
--
-- The new list of event types contains the old one. It is validated by the next migration, so that no lock on step_events
-- lasts.
ALTER TABLE "step_events" DROP CONSTRAINT "step_events_type";--> statement-breakpoint
ALTER TABLE "steps" ADD COLUMN "idled_seq" integer;--> statement-breakpoint
ALTER TABLE "task_labels" ADD COLUMN "running_since" timestamp with time zone;--> statement-breakpoint
CREATE INDEX "task_labels_running" ON "task_labels" USING btree ("running_since") WHERE running_since is not null;--> statement-breakpoint
ALTER TABLE "step_events" ADD CONSTRAINT "step_events_type" CHECK ("step_events"."type" = any ('{"task_created","step_transitioned","gate_changed","step_advanced","step_reworked","version_created","review_recorded","review_withdrawn","worker_run_changed","bulk_transitioned","bulk_reverted","task_updated","task_archived","task_restored","note_added","step_idled"}'::text[])) NOT VALID;

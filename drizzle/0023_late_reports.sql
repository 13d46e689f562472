-- Reports on ended runs: they are kept whole, each in a row of its own, and the run keeps what it ended with. Until now
-- the last one took the place of the one before, without its state and its verdict.
CREATE TABLE "run_late_reports" (
	"tenant_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"run_id" uuid NOT NULL,
	"state" text,
	"verdict" text,
	"result" jsonb,
	"error" text,
	"attempt" integer,
	"actor_id" text,
	"actor_name" text,
	"actor_kind" text,
	"actor_role" text,
	"operation_id" uuid,
	"request_id" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "run_late_reports_tenant_id_id_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "run_late_reports_state" CHECK ("run_late_reports"."state" = any ('{"QUEUED","RUNNING","SUCCEEDED","FAILED","CANCELLED"}'::text[])),
	CONSTRAINT "run_late_reports_verdict" CHECK ("run_late_reports"."verdict" = any ('{"passed","failed"}'::text[])),
	CONSTRAINT "run_late_reports_actor_kind" CHECK ("run_late_reports"."actor_kind" = any ('{"person","key","service","system"}'::text[])),
	CONSTRAINT "run_late_reports_actor_role" CHECK ("run_late_reports"."actor_role" = any ('{"viewer","operator","reviewer","admin","service"}'::text[]))
);
--> statement-breakpoint
ALTER TABLE run_late_reports ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE run_late_reports FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY run_late_reports_of_tenant ON run_late_reports FOR ALL TO stepledger_app
  USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
  WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
--> statement-breakpoint
CREATE POLICY run_late_reports_of_owner ON run_late_reports FOR ALL TO stepledger_owner USING (true) WITH CHECK (true);
--> statement-breakpoint
GRANT SELECT, INSERT ON run_late_reports TO stepledger_app;
--> statement-breakpoint
-- What earlier releases kept. Their state and verdict are lost, and `npm run verify` names these rows. Before worker_runs
-- is altered, so that its lock is held for a moment only.
INSERT INTO run_late_reports (tenant_id, id, run_id, result, error, created_at)
SELECT tenant_id, new_id(), id, nullif(late_report -> 'result', 'null'), late_report ->> 'error',
  (late_report ->> 'at')::timestamptz
FROM worker_runs WHERE late_report IS NOT NULL;
--> statement-breakpoint
ALTER TABLE "run_late_reports" ADD CONSTRAINT "run_late_reports_run_fk" FOREIGN KEY ("tenant_id","run_id") REFERENCES "public"."worker_runs"("tenant_id","id") ON DELETE no action ON UPDATE no action;
--> statement-breakpoint
CREATE INDEX "run_late_reports_run" ON "run_late_reports" USING btree ("tenant_id","run_id","id");
--> statement-breakpoint
ALTER TABLE "worker_runs" ADD COLUMN "verdict" text;
--> statement-breakpoint
ALTER TABLE "worker_runs" ADD CONSTRAINT "worker_runs_verdict" CHECK ("worker_runs"."verdict" = any ('{"passed","failed"}'::text[]));
--> statement-breakpoint
-- run_late_reports (reports that came after their run had ended) is append-only: rows are never updated or deleted.
-- Rejected by refuse_change with SQLSTATE SL001, for every role.
--
-- The application is granted only SELECT and INSERT; this holds for the owner too.

create or replace trigger run_late_reports_append_only before update or delete on run_late_reports for each row
  execute function refuse_change('History only grows.');
--> statement-breakpoint
-- Nothing truncates run_late_reports: the row trigger run_late_reports_append_only does not see a TRUNCATE. Rejected by
-- refuse_change with SQLSTATE SL001, for every role.

create or replace trigger run_late_reports_no_truncate before truncate on run_late_reports for each statement
  execute function refuse_change('Nothing deletes history.');
--> statement-breakpoint
-- A run ends once: it keeps the state, the verdict, the result and the error that it ended with. What is reported
-- afterwards is a row of run_late_reports. Rejected by refuse_change with SQLSTATE SL001, for every role.
--
-- Legal updates come from the writer of moves (src/db/moves/run-ctes.ts), reports without an event
-- (src/db/runs/worker-runs.ts), claims, deliveries and deadlines. All of them change open runs; only a delivery whose
-- run timed out detaches the ended run from its dispatch.

create or replace trigger worker_runs_end_once before update on worker_runs for each row
  when (old.state not in ('QUEUED', 'RUNNING')
    and (new.state, new.verdict, new.result, new.error)
      is distinct from (old.state, old.verdict, old.result, old.error))
  execute function refuse_change('A run that has ended keeps what it ended with.');

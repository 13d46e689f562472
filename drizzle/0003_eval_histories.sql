-- Evals have the same guards as tasks: a history that can be proven, and trials that change only with an event.

ALTER TABLE "trials" ADD COLUMN "event_seq" integer NOT NULL;--> statement-breakpoint
-- GET /v1/evals/{evalId}/trials lists retracted trials too, which the index of live slots leaves out.
CREATE INDEX "trials_eval" ON "trials" USING btree ("tenant_id","eval_id","id");--> statement-breakpoint
-- GET /v1/insights?evalId= and ?trialId=, newest first.
CREATE INDEX "insights_eval" ON "insights" USING btree ("tenant_id","eval_id","id");--> statement-breakpoint
CREATE INDEX "insights_trial" ON "insights" USING btree ("tenant_id","trial_id","id");--> statement-breakpoint

-- A trial is as an event of its eval says that it is.
alter table trials add constraint trials_newest_event_fk
  foreign key (tenant_id, eval_id, event_seq)
  references eval_step_events (tenant_id, eval_id, seq) deferrable initially deferred;
--> statement-breakpoint
create trigger trials_move_with_event before update on trials for each row
  when (old.retracted_at is not null
    or new.event_seq <= old.event_seq
    or (new.tenant_id, new.id, new.eval_id, new.task_id, new.k, new.model, new.model_revision, new.agent,
        new.provider, new.created_by, new.created_at)
      is distinct from (old.tenant_id, old.id, old.eval_id, old.task_id, old.k, old.model, old.model_revision,
        old.agent, old.provider, old.created_by, old.created_at))
  execute function refuse_change('A trial changes only together with a new event of its eval, until it is retracted.');
--> statement-breakpoint
drop trigger evals_move_with_event on evals;
--> statement-breakpoint
create trigger evals_move_with_event before update on evals for each row
  when (new.event_seq <= old.event_seq
    or (new.tenant_id, new.id, new.task_id, new.version_id, new.name, new.k, new.created_by, new.created_at)
      is distinct from (old.tenant_id, old.id, old.task_id, old.version_id, old.name, old.k, old.created_by,
        old.created_at))
  execute function refuse_change('An eval changes only together with a new event of its own.');
--> statement-breakpoint
create trigger insights_keep_identity before update on insights for each row
  when ((new.tenant_id, new.id, new.task_id, new.eval_id, new.trial_id, new.kind, new.model, new.model_revision,
        new.agent, new.provider, new.input, new.created_by, new.created_at)
      is distinct from (old.tenant_id, old.id, old.task_id, old.eval_id, old.trial_id, old.kind, old.model,
        old.model_revision, old.agent, old.provider, old.input, old.created_by, old.created_at))
  execute function refuse_change('Of an insight only the status, the output and the usage change.');
--> statement-breakpoint
-- The one spelling of an eval's event that its hash is over; writer and verifier both call it.
create function eval_event_canonical(
  tenant_id uuid, eval_id uuid, seq integer, task_id uuid, trial_id uuid, type text,
  from_status text, to_status text,
  actor_id text, actor_name text, actor_kind text, actor_role text,
  reason text, payload text, operation_id uuid, request_id text, registry_version integer, at timestamptz
) returns text language sql stable parallel safe
  return json_build_array('sl1e', tenant_id, eval_id, seq, task_id, trial_id, type,
    from_status, to_status, actor_id, actor_name, actor_kind, actor_role,
    reason, payload, operation_id, request_id, registry_version,
    to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))::text;

-- Evals say what tells their trials apart, agents have revisions, and trials can have a score without a verdict.
--
-- Every statement here is quick: new columns are null, which means the old rule, and the checks are not yet held against
-- stored rows. The next migration validates them and builds the indexes, outside of the transaction, because a lock that
-- this one takes would last until all of that is done.
ALTER TABLE "eval_step_events" DROP CONSTRAINT "eval_step_events_type";
--> statement-breakpoint
ALTER TABLE "trials" DROP CONSTRAINT "trials_status";
--> statement-breakpoint
ALTER TABLE "data" ADD COLUMN "agent_revision" text;
--> statement-breakpoint
ALTER TABLE "evals" ADD COLUMN "slot_by" text[];
--> statement-breakpoint
ALTER TABLE "evals" ADD COLUMN "twin_of" uuid;
--> statement-breakpoint
ALTER TABLE "insights" ADD COLUMN "agent_revision" text;
--> statement-breakpoint
ALTER TABLE "prompts" ADD COLUMN "agent_revision" text;
--> statement-breakpoint
ALTER TABLE "trials" ADD COLUMN "agent_revision" text;
--> statement-breakpoint
ALTER TABLE "trials" ADD COLUMN "slot" text;
--> statement-breakpoint
ALTER TABLE "eval_step_events" ADD CONSTRAINT "eval_step_events_type" CHECK ("eval_step_events"."type" = any ('{"eval_created","eval_transitioned","eval_updated","trials_recorded","trial_transitioned","trial_retracted"}'::text[])) NOT VALID;
--> statement-breakpoint
ALTER TABLE "evals" ADD CONSTRAINT "evals_slot_by" CHECK ("evals"."slot_by" <@ '{model,modelRevision,agent,agentRevision,provider}'::text[] and "evals"."slot_by"[1] = 'model' and "evals"."slot_by" <> '{model}'::text[]) NOT VALID;
--> statement-breakpoint
ALTER TABLE "trials" ADD CONSTRAINT "trials_scored" CHECK ("trials"."status" <> 'scored' or ("trials"."score" is not null and abs("trials"."score") < 'Infinity')) NOT VALID;
--> statement-breakpoint
ALTER TABLE "trials" ADD CONSTRAINT "trials_status" CHECK ("trials"."status" = any ('{"pending","running","passed","failed","scored","errored"}'::text[])) NOT VALID;
--> statement-breakpoint
-- Returns the SHA-256 of a text in UTF-8, for a unique index over texts that are too long for an entry of it.
--
-- Called by: the index trials_live_slot, and the queries that look a slot up in it (src/db/evals).
--
-- IMMUTABLE although convert_to is only STABLE: the target encoding is fixed, and a database never changes its own.

create or replace function text_digest(value text) returns bytea
  language plpgsql immutable strict parallel safe as $$
begin
  return sha256(convert_to(value, 'UTF8'));
end
$$;
--> statement-breakpoint
-- Returns the slot of a trial: a JSON array of the members of its maker that tell trials of its eval apart, in the order of
-- evals.slot_by. Null if the eval has none, because the model alone then makes the slot.
--
-- Called by: the writer and the reads of trials (src/db/evals), and the invariants of evals (src/db/invariants/evals.ts).

create or replace function trial_slot(
  slot_by text[], model text, model_revision text, agent text, agent_revision text, provider text
) returns text language sql stable parallel safe
  return (select json_agg(case member
      when 'model' then model when 'modelRevision' then model_revision
      when 'agent' then agent when 'agentRevision' then agent_revision
      when 'provider' then provider end order by place)::text
    from unnest(slot_by) with ordinality as slot_member(member, place));
--> statement-breakpoint
-- Of a row of `data`, only stored_at changes, and only once, from null: a row says what its content is before the
-- content is uploaded. Rejected by refuse_change with SQLSTATE SL001, for every role.
--
-- The legal update is markStored in src/db/content/data.ts. The application is granted UPDATE on stored_at only.

create or replace trigger data_stored_once before update on data for each row
  when ((old.stored_at is not null and new.stored_at is distinct from old.stored_at)
    or (new.tenant_id, new.id, new.task_id, new.version_id, new.step_id, new.kind, new.object_key, new.uri,
        new.content_type, new.size_bytes, new.sha256, new.model, new.model_revision, new.agent, new.agent_revision,
        new.provider,
        new.prompt_id, new.insight_id, new.created_by, new.created_at)
      is distinct from
      (old.tenant_id, old.id, old.task_id, old.version_id, old.step_id, old.kind, old.object_key, old.uri,
        old.content_type, old.size_bytes, old.sha256, old.model, old.model_revision, old.agent, old.agent_revision,
        old.provider,
        old.prompt_id, old.insight_id, old.created_by, old.created_at))
  execute function refuse_change('Of data only the time of storage is set, once.');
--> statement-breakpoint
-- An eval changes only together with a newer event of its own: event_seq must grow. What it was created with never
-- changes, except that k rises, and that a migration marks a twin once. Rejected by refuse_change with SQLSTATE SL001,
-- for every role.
--
-- Legal updates come from src/db/evals/record-evals.ts. The deferred key evals_newest_event_fk requires the event to
-- have the eval's new status.

create or replace trigger evals_move_with_event before update on evals for each row
  when (new.event_seq <= old.event_seq
    or new.k < old.k
    or (old.twin_of is not null and new.twin_of is distinct from old.twin_of)
    or (new.tenant_id, new.id, new.task_id, new.version_id, new.name, new.slot_by, new.created_by, new.created_at)
      is distinct from (old.tenant_id, old.id, old.task_id, old.version_id, old.name, old.slot_by, old.created_by,
        old.created_at))
  execute function refuse_change('An eval changes only together with a new event of its own.');
--> statement-breakpoint
-- Of an insight, only the status, the output and the usage change. Rejected by refuse_change with SQLSTATE SL001, for
-- every role.
--
-- Legal updates come from src/db/evals/insights.ts.

create or replace trigger insights_keep_identity before update on insights for each row
  when ((new.tenant_id, new.id, new.task_id, new.eval_id, new.trial_id, new.kind, new.model, new.model_revision,
        new.agent, new.agent_revision, new.provider, new.input, new.created_by, new.created_at)
      is distinct from (old.tenant_id, old.id, old.task_id, old.eval_id, old.trial_id, old.kind, old.model,
        old.model_revision, old.agent, old.agent_revision, old.provider, old.input, old.created_by, old.created_at))
  execute function refuse_change('Of an insight only the status, the output and the usage change.');
--> statement-breakpoint
-- A trial changes only together with a newer event of its eval, and never again after it is retracted. What it was
-- created with never changes. Rejected by refuse_change with SQLSTATE SL001, for every role.
--
-- Legal updates come from src/db/evals/record-evals.ts. The deferred key trials_newest_event_fk requires the event to
-- exist.

create or replace trigger trials_move_with_event before update on trials for each row
  when (old.retracted_at is not null
    or new.event_seq <= old.event_seq
    or (new.tenant_id, new.id, new.eval_id, new.task_id, new.k, new.model, new.model_revision, new.agent,
        new.agent_revision, new.provider, new.slot, new.created_by, new.created_at)
      is distinct from (old.tenant_id, old.id, old.eval_id, old.task_id, old.k, old.model, old.model_revision,
        old.agent, old.agent_revision, old.provider, old.slot, old.created_by, old.created_at))
  execute function refuse_change('A trial changes only together with a new event of its eval, until it is retracted.');

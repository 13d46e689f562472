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

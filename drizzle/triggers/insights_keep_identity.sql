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

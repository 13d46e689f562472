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

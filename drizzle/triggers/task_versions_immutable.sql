-- A version is immutable, except that its current_step_id moves until the version is sealed. The update that seals it
-- cannot move the pointer, and after it nothing changes. Rejected by refuse_change with SQLSTATE SL001, for every role.
--
-- Legal updates come from src/db/moves/move-statement.ts: a move within the version, or the seal when the task moves to
-- a newer version.

create or replace trigger task_versions_immutable before update on task_versions for each row
  when (old.sealed_at is not null
    or (new.sealed_at is not null and new.current_step_id <> old.current_step_id)
    or (new.tenant_id, new.id, new.task_id, new.number, new.content, new.content_hash, new.reason, new.created_by,
        new.created_at)
      is distinct from
      (old.tenant_id, old.id, old.task_id, old.number, old.content, old.content_hash, old.reason, old.created_by,
        old.created_at))
  execute function refuse_change('Of a version only the pointer moves, until the version is sealed.');

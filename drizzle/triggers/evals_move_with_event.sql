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

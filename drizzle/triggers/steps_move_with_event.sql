-- A step changes only together with a newer event that names it: event_seq must grow. Its id, task, version, kind and
-- attempt never change. Rejected by refuse_change with SQLSTATE SL001, for every role.
--
-- Legal updates come from the one statement that moves tasks (src/db/moves/move-statement.ts). The deferred key
-- steps_newest_event_fk requires the event to have the step's new status and gate.

create or replace trigger steps_move_with_event before update on steps for each row
  when (new.event_seq <= old.event_seq
    or (new.tenant_id, new.id, new.task_id, new.version_id, new.kind, new.attempt)
      is distinct from (old.tenant_id, old.id, old.task_id, old.version_id, old.kind, old.attempt))
  execute function refuse_change('A step changes only together with a new event that names it.');

-- A task changes only together with a newer event of its own: event_seq must grow. Its id, tenant, author and creation
-- time never change. Rejected by refuse_change with SQLSTATE SL001, for every role.
--
-- Legal updates come from the one statement that moves tasks (src/db/moves/move-statement.ts). Together with the
-- deferred key tasks_newest_event_fk, nothing can change a task without also recording why.

create or replace trigger tasks_move_with_event before update on tasks for each row
  when (new.event_seq <= old.event_seq
    or (new.tenant_id, new.id, new.created_at, new.created_by)
      is distinct from (old.tenant_id, old.id, old.created_at, old.created_by))
  execute function refuse_change('A task changes only together with a new event of its own.');

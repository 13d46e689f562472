-- A task changes only together with a newer event of its own: event_seq must grow. Its id, tenant, author and creation
-- time never change. Rejected by refuse_change with SQLSTATE SL001, for every role.
--
-- Legal updates come from the one statement that moves tasks (src/db/moves/move-statement.ts). Together with the
-- deferred key tasks_newest_event_fk, nothing can change a task without also recording why. One exception: a task from
-- before the keys existed gets them once, without an event (fill_task_keys). They say nothing that the title and the
-- external id do not say.

create or replace trigger tasks_move_with_event before update on tasks for each row
  when (
    (new.event_seq <= old.event_seq
      and (old.title_key is not null or new.title_key is null
        or (new.external_id, new.title, new.taxonomy_code, new.priority, new.assignee, new.current_step_id,
            new.active_version_id, new.event_seq, new.event_head, new.status_since, new.archived_at, new.seed_run_id,
            new.updated_at)
          is distinct from (old.external_id, old.title, old.taxonomy_code, old.priority, old.assignee,
            old.current_step_id, old.active_version_id, old.event_seq, old.event_head, old.status_since,
            old.archived_at, old.seed_run_id, old.updated_at)))
    or (new.tenant_id, new.id, new.created_at, new.created_by)
      is distinct from (old.tenant_id, old.id, old.created_at, old.created_by))
  execute function refuse_change('A task changes only together with a new event of its own.');

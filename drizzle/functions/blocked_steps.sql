-- Returns up to rows_max tasks whose current step was blocked by hand before holds existed: its gate is blocked, its
-- status does not imply that, and it has no hold.
--
-- Called by: the daily sweep (src/actions/upkeep/hold-blocked-steps.ts), which holds these steps through the writer. It
-- claims nothing: the writer skips a task that has moved since, so a step that two sweeps find is held once.
--
-- Security definer, because it crosses tenants. It reads the partial index task_labels_attention, which holds only the
-- tasks that need attention. An index on steps would make every move of a step write all its indexes.

create or replace function blocked_steps(rows_max integer) returns table (tenant_id uuid, task_id uuid)
  language sql stable security definer set search_path = pg_catalog, public, pg_temp
begin atomic
  select t.tenant_id, t.id
  from task_labels l
  join tasks t on t.tenant_id = l.tenant_id and t.id = l.task_id
  join steps s on s.tenant_id = t.tenant_id and s.id = t.current_step_id
  where l.attention <> '{}' and 'blocked' = any (l.attention)
    and s.gate = 'blocked' and s.held_seq is null and s.status not in ('paused', 'awaiting_input')
  limit least(rows_max, 1000);
end;

revoke execute on function blocked_steps(integer) from public;
grant execute on function blocked_steps(integer) to stepledger_app;

import { TERMINAL_UNIFIED } from "../../domain/status/unified.ts";
import type { Invariant } from "./invariant.ts";

const TERMINAL = [...TERMINAL_UNIFIED].map((label) => `'${label}'`).join(", ");

export const BULK_INVARIANTS: readonly Invariant[] = [
  {
    name: "changed-items-have-their-event",
    description:
      "A bulk item is told as changed without its event, or an event of a bulk has no item.",
    sql: `
      select i.tenant_id, i.operation_id, i.task_id
      from bulk_operation_items i
      join bulk_operations b on b.tenant_id = i.tenant_id and b.id = i.operation_id
      where i.outcome = 'changed' and b.action is distinct from 'run_pipelines'
        and not exists (select from step_events e where e.tenant_id = i.tenant_id
          and e.bulk_operation_id = i.operation_id and e.step_id = i.step_id and e.seq = i.event_seq)
      union all
      select e.tenant_id, e.bulk_operation_id, e.task_id::text
      from step_events e
      where e.bulk_operation_id is not null and not exists (select from bulk_operation_items i
        where i.tenant_id = e.tenant_id and i.operation_id = e.bulk_operation_id
          and i.step_id = e.step_id and i.outcome = 'changed')`,
  },
  {
    name: "bulk-counts-equal-items",
    description: "A bulk operation's counts or state are not those of its items.",
    sql: `
      select b.tenant_id, b.id
      from bulk_operations b
      left join lateral (select count(*)::integer as all_items,
          count(*) filter (where outcome = 'changed')::integer as changed,
          count(*) filter (where outcome = 'refused')::integer as refused,
          count(*) filter (where outcome = 'stale')::integer as stale,
          count(*) filter (where outcome = 'failed')::integer as failed
        from bulk_operation_items i where i.tenant_id = b.tenant_id and i.operation_id = b.id) i on true
      where (b.requested, b.changed, b.refused, b.stale, b.failed)
          is distinct from (i.all_items, i.changed, i.refused, i.stale, i.failed)
        or (b.state in ('completed', 'partial', 'failed') and b.state <> case
          when i.stale + i.failed = 0 then 'completed' when i.changed = 0 then 'failed' else 'partial' end)`,
  },
  {
    name: "analytics-tell-terminal-changes-once",
    description:
      "An analytics event tells of a target that is not terminal, or of one operation twice.",
    sql: `
      select a.tenant_id, a.bulk_operation_id
      from analytics_events a
      join bulk_operations b on b.tenant_id = a.tenant_id and b.id = a.bulk_operation_id
      where a.name = 'admin_bulk_status_terminal'
      group by a.tenant_id, a.bulk_operation_id, b.target_status
      having count(*) > 1 or b.target_status is null or b.target_status not in (${TERMINAL})`,
  },
];

import { BULK_END_STATES } from "../../domain/bulk/outcomes.ts";
import { TERMINAL_UNIFIED } from "../../domain/status/unified.ts";
import type { Invariant } from "./invariant.ts";

/** The condition that item i of operation b writes no event: b only requests dispatches, or reverts such an operation. */
const IS_SILENT = `(b.action is not distinct from 'run_pipelines' or exists (select from bulk_operations p
        where p.tenant_id = b.tenant_id and p.id = b.parent_id and b.action = 'revert'
          and (p.action = 'run_pipelines' or p.action = 'revert') and i.event_seq is null))`;

/** The states in which an operation has an outcome for each of its tasks. */
const ENDED = BULK_END_STATES.filter((state) => state !== "cancelled")
  .map((state) => `'${state}'`)
  .join(", ");

const TERMINAL = [...TERMINAL_UNIFIED].map((label) => `'${label}'`).join(", ");

export const BULK_INVARIANTS: readonly Invariant[] = [
  {
    name: "changed-items-have-their-event",
    description:
      "A bulk item is marked as changed but has no event, or an event of a bulk operation has no changed item.",
    sql: `
      select i.tenant_id, i.operation_id, i.task_id
      from bulk_operation_items i
      join bulk_operations b on b.tenant_id = i.tenant_id and b.id = i.operation_id
      where i.outcome = 'changed' and not ${IS_SILENT}
        and not exists (select from step_events e where e.tenant_id = i.tenant_id
          and e.bulk_operation_id = i.operation_id and e.step_id = i.step_id and e.seq = i.event_seq)
      union all
      select e.tenant_id, e.bulk_operation_id, e.task_id::text
      from step_events e
      where e.bulk_operation_id is not null and not exists (select from bulk_operation_items i
        where i.tenant_id = e.tenant_id and i.operation_id = e.bulk_operation_id
          and i.task_id = e.task_id::text and i.outcome = 'changed')`,
  },
  {
    name: "changed-items-have-their-dispatch",
    description:
      "An item of run_pipelines is marked as changed without a dispatch, or a bulk operation's dispatch has no changed item.",
    sql: `
      select i.tenant_id, i.operation_id, i.task_id
      from bulk_operation_items i
      join bulk_operations b on b.tenant_id = i.tenant_id and b.id = i.operation_id
      where b.action = 'run_pipelines' and (i.outcome = 'changed') <> exists (select from pipeline_dispatches d
        where d.tenant_id = i.tenant_id and d.bulk_operation_id = i.operation_id and d.by_hand
          and d.task_id::text = i.task_id)
      union all
      select d.tenant_id, d.bulk_operation_id, d.task_id::text
      from pipeline_dispatches d
      where d.bulk_operation_id is not null and not exists (select from bulk_operation_items i
        where i.tenant_id = d.tenant_id and i.operation_id = d.bulk_operation_id
          and i.task_id = d.task_id::text and i.outcome = 'changed')`,
  },
  {
    name: "reverts-and-originals-reference-each-other",
    description:
      "An operation is marked as reverted by one that is not its revert, or it is reverted but not marked.",
    sql: `
      select r.tenant_id, r.id
      from bulk_operations r left join bulk_operations b on b.tenant_id = r.tenant_id and b.id = r.parent_id
      where r.action = 'revert' and b.action is distinct from 'revert' and b.reverted_by is distinct from r.id
      union all
      select b.tenant_id, b.id
      from bulk_operations b left join bulk_operations r on r.tenant_id = b.tenant_id and r.id = b.reverted_by
      where b.reverted_by is not null
        and (r.parent_id is distinct from b.id or r.action is distinct from 'revert' or b.action = 'revert')`,
  },
  {
    name: "reverted-operations-are-not-retried",
    description: "An operation retries another one that was reverted before, or a retry of it.",
    sql: `
      with recursive retried as (
        select tenant_id, id, created_at, parent_id from bulk_operations
        where parent_id is not null and action is distinct from 'revert'
        -- A forged circle of parents ends, because equal rows are left out.
        union
        select c.tenant_id, c.id, c.created_at, p.parent_id
        from retried c join bulk_operations p on p.tenant_id = c.tenant_id and p.id = c.parent_id
      )
      select c.tenant_id, c.id, c.parent_id
      from retried c
      join bulk_operations p on p.tenant_id = c.tenant_id and p.id = c.parent_id
      join bulk_operations r on r.tenant_id = p.tenant_id and r.id = p.reverted_by
      where c.created_at > r.finished_at`,
  },
  {
    name: "ended-operations-are-complete",
    description:
      "An operation's state and end time do not agree, or it has ended with pending items or was cancelled without a request.",
    sql: `
      select b.tenant_id, b.id
      from bulk_operations b
      where (b.state in (${ENDED}, 'cancelled')) <> (b.finished_at is not null)
        or (b.state in (${ENDED}) and exists (select from bulk_operation_items i
          where i.tenant_id = b.tenant_id and i.operation_id = b.id and i.outcome = 'pending'))
        or (b.state = 'cancelled' and b.cancel_requested_at is null)`,
  },
  {
    name: "bulk-counts-equal-items",
    description: "A bulk operation's counts or state do not match its items.",
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
        or (b.state in (${ENDED}) and b.state <> case
          -- Before version 2, an operation in which every task was refused ended as completed.
          when i.refused = b.requested and (b.registry_version > 1 or b.state = 'refused') then 'refused'
          when i.stale + i.failed = 0 then 'completed' when i.changed = 0 then 'failed' else 'partial' end)`,
  },
  {
    name: "reworks-lead-to-their-stage",
    description: "A bulk rework opened a step of another stage than its operation names.",
    sql: `
      select e.tenant_id, e.task_id, e.seq
      from bulk_operations b
      join step_events e on e.tenant_id = b.tenant_id and e.bulk_operation_id = b.id and e.type = 'step_reworked'
      join steps s on s.tenant_id = e.tenant_id and s.id = e.step_id
      where b.to_kind is distinct from s.kind`,
  },
  {
    name: "analytics-report-terminal-changes-once",
    description:
      "An analytics event reports a target that is not terminal, or an operation is reported twice.",
    sql: `
      select a.tenant_id, a.bulk_operation_id
      from analytics_events a
      join bulk_operations b on b.tenant_id = a.tenant_id and b.id = a.bulk_operation_id
      where a.name = 'admin_bulk_status_terminal'
      group by a.tenant_id, a.bulk_operation_id, b.target_status
      having count(*) > 1 or b.target_status is null or b.target_status not in (${TERMINAL})`,
  },
];

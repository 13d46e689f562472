import type { Invariant } from "./invariant.ts";

export const WEBHOOK_INVARIANTS: readonly Invariant[] = [
  {
    name: "webhooks-receive-events",
    description:
      "A delivery about a task has no event, has another time than its event, or is ahead of its webhook's position.",
    sql: `
      select d.tenant_id, d.id
      from webhook_deliveries d
      left join step_events e on e.tenant_id = d.tenant_id
        and e.task_id = split_part(d.source, '/', 1)::uuid and e.seq = split_part(d.source, '/', 2)::integer
      left join webhooks w on w.tenant_id = d.tenant_id and w.id = d.webhook_id
      where d.event in ('task.label_changed', 'task.attention')
        and (e.at is distinct from d.occurred_at
          or (e.txid, e.feed_id) > (w.position_txid, w.position_feed_id))`,
  },
  {
    name: "webhook-positions-are-settled",
    description: "A webhook's position is in the part of the feed that is not settled yet.",
    sql: `
      select tenant_id, name from webhooks
      where position_txid > pg_snapshot_xmin(pg_current_snapshot())`,
  },
];

import { EXHAUSTED, NOT_ALLOWED } from "../../domain/delivery/endpoint-law.ts";
import { DEAD_REASONS } from "../../domain/webhooks/delivery-attempts.ts";
import { DELIVERY_ATTEMPTS_MAX } from "../../domain/webhooks/delivery-backoff.ts";
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
    name: "deliveries-end-by-the-law",
    description:
      "A delivery is dead although attempts were left, or for a reason that the law of answers does not know.",
    sql: `
      select tenant_id, id, dead_reason, response_status, attempts from webhook_deliveries
      -- Deliveries of earlier releases have no reason: they followed other rules.
      where dead_reason is not null and (state <> 'dead'
        or dead_reason <> all ('{${DEAD_REASONS.join()}}')
        or dead_reason = '${EXHAUSTED}' and attempts < ${DELIVERY_ATTEMPTS_MAX}
        or dead_reason = '${NOT_ALLOWED}' and response_status is not null)`,
  },
  {
    name: "endpoints-are-signed",
    description:
      "A pipeline with an endpoint, or a webhook, has no current secret. Its messages wait.",
    sql: `
      select o.tenant_id, o.kind, o.name from (
        select tenant_id, 'pipeline' as kind, name, secret from pipelines where endpoint is not null
        union all
        select tenant_id, 'webhook', name, secret from webhooks where deleted_at is null
      ) o
      where coalesce(length(o.secret), 0) = 0
        and not exists (select from signing_secrets s where s.tenant_id = o.tenant_id and s.kind = o.kind
          and s.name = o.name and s.signs_until is null)`,
  },
  {
    name: "secrets-have-owners",
    description: "A secret belongs to no pipeline, or to no webhook, or to one that was deleted.",
    sql: `
      select s.tenant_id, s.id from signing_secrets s
      where not exists (select from pipelines p
          where s.kind = 'pipeline' and p.tenant_id = s.tenant_id and p.name = s.name)
        and not exists (select from webhooks w
          where s.kind = 'webhook' and w.tenant_id = s.tenant_id and w.name = s.name and w.deleted_at is null)`,
  },
  {
    name: "webhook-positions-are-settled",
    description: "A webhook's position is in the part of the feed that is not settled yet.",
    sql: `
      select tenant_id, name from webhooks
      where position_txid > pg_snapshot_xmin(pg_current_snapshot())`,
  },
];

import { type SQL, sql } from "drizzle-orm";
import { TASK_EVENTS, type WebhookEvent } from "../../domain/webhooks/events.ts";
import type { Bound } from "../connection/prepared.ts";

/** The condition that the webhook of the alias w has events of tasks. */
const HAS_TASK_EVENTS = sql`w.events && ${`{${TASK_EVENTS.join()}}`}::text[]`;

/** The condition that the webhook of the alias w is enabled and has events of tasks. */
export const LISTENS_TO_TASKS = sql`(w.enabled and ${HAS_TASK_EVENTS})`;

/** The condition that a webhook is owed what happens now. One that was switched off gets it when it is switched on again. */
const IS_OWED = sql`(w.enabled or w.gone_at is not null)`;

/** The condition that a webhook keeps its place in the feed. */
export const KEEPS_PLACE = sql`(${IS_OWED} and ${HAS_TASK_EVENTS})`;

/**
 * The insert of one delivery for each webhook that has the event, also for one that was switched off. It is a CTE of the statement that writes the change,
 * so that a change and its deliveries are committed together. It returns a row for each delivery. If there are any, the
 * caller sets `outgoing.events`, so that they are sent right after the commit.
 *
 * `rows` is a query with the columns `source` and `data`. The source identifies the change, and a webhook gets one
 * delivery for it: the id of the operation, or of the `dispatch_events` row with which the dispatch became dead. `data`
 * is JSON in the shape of `WEBHOOK_DATA` in the domain.
 */
export function enqueueDeliveries(tenantId: Bound<string>, event: WebhookEvent, rows: SQL): SQL {
  return sql`insert into webhook_deliveries (tenant_id, id, webhook_id, webhook_name, event, source, data)
  select w.tenant_id, new_id(), w.id, w.name, ${event}::text, change.source::text, change.data::text
  from (${rows}) change cross join webhooks w
  where w.tenant_id = ${tenantId}::uuid and ${IS_OWED} and w.events @> array[${event}::text]
  on conflict do nothing
  returning id`;
}

import { type SQL, sql } from "drizzle-orm";
import { TASK_EVENTS, type WebhookEvent } from "../../domain/webhooks/events.ts";
import type { Bound } from "../connection/prepared.ts";

/** Whether the webhook of the alias w wants to hear of tasks. */
export const LISTENS_TO_TASKS = sql`(w.enabled and w.events && ${`{${TASK_EVENTS.join()}}`}::text[])`;

/**
 * The insert that tells webhooks of something, for the very statement that writes what it tells of: nothing happens
 * untold, and nothing is told that did not happen. It goes into a CTE and returns a row for each message that it
 * wrote; where there are any, `outgoing.events` is to be set, so that they are sent right after.
 *
 * `rows` is a query with the columns `source` and `data`. The source names what is told of and is told once: an
 * operation's id, the id of the `dispatch_events` row with which a dispatch died. `data` is JSON, in the shape of
 * `WEBHOOK_DATA` in the domain.
 */
export function tellWebhooks(tenantId: Bound<string>, event: WebhookEvent, rows: SQL): SQL {
  return sql`insert into webhook_deliveries (tenant_id, id, webhook_id, webhook_name, event, source, data)
  select w.tenant_id, new_id(), w.id, w.name, ${event}::text, told.source::text, told.data::text
  from (${rows}) told cross join webhooks w
  where w.tenant_id = ${tenantId}::uuid and w.enabled and w.events @> array[${event}::text]
  on conflict do nothing
  returning id`;
}

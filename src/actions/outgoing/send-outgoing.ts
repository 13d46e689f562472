import type { Database, TenantDatabase } from "../../db/connection/client.ts";
import type { AnalyticsEvent } from "../../domain/analytics.ts";
import type { MessageQueue } from "../../queues/message-queue.ts";
import type {
  BulkMessage,
  DispatchMessage,
  SeedMessage,
  WebhookMessage,
} from "../../queues/messages.ts";
import { relayDispatches } from "./relay-dispatches.ts";

/** The queues that the service sends work to. */
export interface Queues {
  dispatch: MessageQueue<DispatchMessage>;
  bulk: MessageQueue<BulkMessage>;
  webhook: MessageQueue<WebhookMessage>;
  seed: MessageQueue<SeedMessage>;
}

/** The part of the Analytics Engine binding that is used. */
export interface ProductEvents {
  writeDataPoint: (point: { indexes: string[]; blobs: string[]; doubles: number[] }) => void;
}

/** What sending side effects requires. */
export interface SendingTools {
  database: Database;
  queues: Queues;
  /** Absent if product events are only kept in the database. */
  analytics?: ProductEvents | undefined;
}

/**
 * Sends the side effects that committed writes have enqueued on the tenant's database.
 * @throws the first error, after trying all of them. The sweep sends what was lost.
 */
export async function sendOutgoing(
  { database, queues, analytics }: SendingTools,
  { tenantId, outgoing }: Pick<TenantDatabase, "tenantId" | "outgoing">,
): Promise<void> {
  const sent = await Promise.allSettled([
    queues.bulk.send(
      outgoing.operations.map((operationId) => ({ version: 1, tenantId, operationId })),
    ),
    outgoing.dispatches ? relayDispatches({ database, queue: queues.dispatch }) : null,
    outgoing.events ? queues.webhook.send([{ version: 1, tenantId }]) : null,
    ...outgoing.seedRuns.map(({ runId, delaySeconds }) =>
      queues.seed.send([{ version: 1, tenantId, runId }], { delaySeconds }),
    ),
  ]);
  // Sent at most once. The table is authoritative, so a lost data point is not sent again.
  for (const event of outgoing.analytics) {
    analytics?.writeDataPoint(dataPoint(tenantId, event));
  }
  const failed = sent.find(({ status }) => status === "rejected");
  if (failed?.status === "rejected") throw failed.reason;
}

/** A product event as a data point: its text and number properties by position, sorted by property name. */
function dataPoint(tenantId: string, { name, properties }: AnalyticsEvent) {
  const values = Object.entries(properties)
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([, value]) => value);
  return {
    indexes: [tenantId],
    blobs: [name, ...values.filter((value) => typeof value === "string")],
    doubles: values.filter((value) => typeof value !== "string").map(Number),
  };
}

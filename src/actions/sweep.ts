import type { Database } from "../db/client.ts";
import { tenantsWithUntoldWebhooks } from "../db/outbox.ts";
import { relayDispatches } from "./relay-dispatches.ts";
import type { Queues } from "./send-outgoing.ts";

/** What a sweep found to do. */
export interface SweptWork {
  dispatches: number;
  /** Tenants whose webhooks have something to be told. */
  untold: number;
}

/**
 * The slow net under everything that leaves the database as a message: finds what was lost on the way and sends it
 * again. It may miss any run, and overlap itself.
 */
export async function sweep({
  database,
  queues,
}: {
  database: Database;
  queues: Queues;
}): Promise<SweptWork> {
  return {
    dispatches: await relayDispatches({ database, queue: queues.dispatch }),
    untold: await wakeWebhooks({ database, queues }),
  };
}

const TENANTS_MAX = 1000;

/** Has the consumer of webhooks look after each tenant that has something to be told. */
async function wakeWebhooks({
  database,
  queues,
}: {
  database: Database;
  queues: Queues;
}): Promise<number> {
  const tenantIds = await tenantsWithUntoldWebhooks(database, TENANTS_MAX);
  await queues.webhook.send(tenantIds.map((tenantId) => ({ version: 1, tenantId })));
  return tenantIds.length;
}

import type { Database } from "../db/client.ts";
import { tenantsWithUntoldWebhooks } from "../db/outbox.ts";
import { closeLateRuns } from "./close-late-runs.ts";
import { relayDispatches } from "./relay-dispatches.ts";
import type { Queues } from "./send-outgoing.ts";

/** What a sweep found to do. */
export interface SweptWork {
  dispatches: number;
  lateRuns: number;
  /** Tenants whose webhooks have something to be told. */
  untold: number;
}

interface Shared {
  database: Database;
  queues: Queues;
}

/**
 * The slow net: finds what was lost on its way to a queue and sends it again, and gives up runs whose worker went
 * silent. It may miss any run, and overlap itself.
 * @throws what one of them failed with, once the others are done.
 */
export async function sweep(shared: Shared, call: { requestId: string }): Promise<SweptWork> {
  const { database, queues } = shared;
  const [dispatches, lateRuns, untold] = await Promise.allSettled([
    relayDispatches({ database, queue: queues.dispatch }),
    closeLateRuns(shared, call),
    wakeWebhooks(shared),
  ]);
  return {
    dispatches: valueOf(dispatches),
    lateRuns: valueOf(lateRuns),
    untold: valueOf(untold),
  };
}

const TENANTS_MAX = 1000;

/** Has the consumer of webhooks look after each tenant that has something to be told. */
async function wakeWebhooks({ database, queues }: Shared): Promise<number> {
  const tenantIds = await tenantsWithUntoldWebhooks(database, TENANTS_MAX);
  await queues.webhook.send(tenantIds.map((tenantId) => ({ version: 1, tenantId })));
  return tenantIds.length;
}

function valueOf<Value>(settled: PromiseSettledResult<Value>): Value {
  if (settled.status === "rejected") throw settled.reason;
  return settled.value;
}

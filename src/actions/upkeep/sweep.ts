import { claimHaltedOperations } from "../../db/bulk/bulk-work.ts";
import type { Database } from "../../db/connection/client.ts";
import { tenantsWithPendingWebhooks } from "../../db/webhooks/webhook-pump.ts";
import { closeLateRuns } from "../runs/close-late-runs.ts";
import { relayDispatches } from "../outgoing/relay-dispatches.ts";
import type { Queues, SendingTools } from "../outgoing/send-outgoing.ts";

/** What a sweep found to do. */
export interface SweptWork {
  dispatches: number;
  lateRuns: number;
  /** Bulk operations that had come to a halt. */
  operations: number;
  /** Tenants whose webhooks have something to be told. */
  untold: number;
}

/**
 * The slow net: finds what was lost on its way to a queue and sends it again, and gives up runs whose worker went
 * silent. It may miss any run, and overlap itself.
 * @throws what one of them failed with, once the others are done.
 */
export async function sweep(tools: SendingTools, call: { requestId: string }): Promise<SweptWork> {
  const { database, queues } = tools;
  const [dispatches, lateRuns, operations, untold] = await Promise.allSettled([
    relayDispatches({ database, queue: queues.dispatch }),
    closeLateRuns(tools, call),
    resumeOperations(database, queues),
    wakeWebhooks(database, queues),
  ]);
  return {
    dispatches: valueOf(dispatches),
    lateRuns: valueOf(lateRuns),
    operations: valueOf(operations),
    untold: valueOf(untold),
  };
}

/** What one sweep gets going again; the next one finds the rest. */
const OPERATIONS_MAX = 100;

async function resumeOperations(database: Database, queues: Queues): Promise<number> {
  const halted = await claimHaltedOperations(database, OPERATIONS_MAX);
  await queues.bulk.send(
    halted.map(({ tenantId, id: operationId }) => ({ version: 1, tenantId, operationId })),
  );
  return halted.length;
}

const TENANTS_MAX = 1000;

/** Has the consumer of webhooks look after each tenant that has something to be told. */
async function wakeWebhooks(database: Database, queues: Queues): Promise<number> {
  const tenantIds = await tenantsWithPendingWebhooks(database, TENANTS_MAX);
  await queues.webhook.send(tenantIds.map((tenantId) => ({ version: 1, tenantId })));
  return tenantIds.length;
}

function valueOf<Value>(settled: PromiseSettledResult<Value>): Value {
  if (settled.status === "rejected") throw settled.reason;
  return settled.value;
}

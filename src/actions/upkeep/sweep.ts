import { claimHaltedOperations } from "../../db/bulk/bulk-work.ts";
import type { Database } from "../../db/connection/client.ts";
import { claimDueSeedRuns } from "../../db/seed/seed-work.ts";
import { tenantsWithPendingWebhooks } from "../../db/webhooks/webhook-pump.ts";
import { relayDispatches } from "../outgoing/relay-dispatches.ts";
import type { Queues, SendingTools } from "../outgoing/send-outgoing.ts";
import { closeLateRuns } from "../runs/close-late-runs.ts";
import { markIdleSteps } from "../runs/mark-idle-steps.ts";

/** How much work a sweep found. */
export interface SweptWork {
  dispatches: number;
  lateRuns: number;
  /** Steps that were running without an open run for too long. */
  idleSteps: number;
  /** Bulk operations that had stopped making progress. */
  operations: number;
  /** Tenants with webhook messages to write or send. */
  pendingWebhooks: number;
  /** Seed runs of demos that should have gone on. */
  seedRuns: number;
}

/**
 * Sends again what was lost on its way to a queue, fails runs whose worker went silent, and marks steps that no one works
 * on as idle. It is a safety net: a sweep
 * can be skipped, and two can overlap.
 * @throws the first error, once the other parts are done.
 */
export async function sweep(tools: SendingTools, call: { requestId: string }): Promise<SweptWork> {
  const { database, queues } = tools;
  const [dispatches, lateRuns, idleSteps, operations, pendingWebhooks, seedRuns] =
    await Promise.allSettled([
      relayDispatches({ database, queue: queues.dispatch }),
      closeLateRuns(tools, call),
      markIdleSteps(tools, call),
      resumeOperations(database, queues),
      wakeWebhooks(database, queues),
      reviveSeedRuns(database, queues),
    ]);
  return {
    dispatches: valueOf(dispatches),
    lateRuns: valueOf(lateRuns),
    idleSteps: valueOf(idleSteps),
    operations: valueOf(operations),
    pendingWebhooks: valueOf(pendingWebhooks),
    seedRuns: valueOf(seedRuns),
  };
}

/** Operations that one sweep resumes; the next one finds the rest. */
const OPERATIONS_MAX = 100;

async function resumeOperations(database: Database, queues: Queues): Promise<number> {
  const halted = await claimHaltedOperations(database, OPERATIONS_MAX);
  await queues.bulk.send(
    halted.map(({ tenantId, id: operationId }) => ({ version: 1, tenantId, operationId })),
  );
  return halted.length;
}

const SEED_RUNS_MAX = 100;

async function reviveSeedRuns(database: Database, queues: Queues): Promise<number> {
  const due = await claimDueSeedRuns(database, SEED_RUNS_MAX);
  await queues.seed.send(due.map(({ tenantId, id: runId }) => ({ version: 1, tenantId, runId })));
  return due.length;
}

const TENANTS_MAX = 1000;

/** Wakes the webhook consumer for each tenant that has pending messages. */
async function wakeWebhooks(database: Database, queues: Queues): Promise<number> {
  const tenantIds = await tenantsWithPendingWebhooks(database, TENANTS_MAX);
  await queues.webhook.send(tenantIds.map((tenantId) => ({ version: 1, tenantId })));
  return tenantIds.length;
}

function valueOf<Value>(settled: PromiseSettledResult<Value>): Value {
  if (settled.status === "rejected") throw settled.reason;
  return settled.value;
}

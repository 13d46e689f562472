import { createConsumers } from "../../src/consumers/index.ts";
import type { QueuedMessage } from "../../src/consumers/consume.ts";
import { openDatabase } from "../../src/db/connection/client.ts";
import type {
  DispatchEventRecord,
  DispatchRecord,
} from "../../src/db/dispatches/read-dispatches.ts";
import type { Pipeline } from "../../src/domain/pipelines/pipelines.ts";
import type { Outbound } from "../../src/outbound/post-signed.ts";
import { expectDone, type TestApi } from "./api.ts";
import type { TestDatabase } from "./database.ts";
import { testOutbound } from "./outbound.ts";
import { countedQueues } from "./queues.ts";

/** Dispatches the check of a new task, and returns the dispatch's id. No consumer takes its message. */
export async function givenDispatch(api: TestApi): Promise<string> {
  const { currentStep } = await api.givenTask({ at: { kind: "pre_qa", status: "queued" } });
  const body = { pipeline: "quality_automation" satisfies Pipeline, reason: "To have one" };
  const created = await api.call<{ id: string }>("POST", `/steps/${currentStep.id}/dispatch`, {
    body,
  });
  return expectDone(created, 201).id;
}

/** Marks a dispatch as dead, like a delivery that was refused. */
export async function givenDead(database: TestDatabase, id: string): Promise<void> {
  await database.transaction("owner", [
    {
      text: `insert into dispatch_events
          (tenant_id, id, dispatch_id, from_state, to_state, actor_id, actor_name, reason)
        select tenant_id, new_id(), id, state, 'dead', 'system', 'Delivery', 'endpoint_answered_410'
        from pipeline_dispatches where id = $1`,
      values: [id],
    },
    { text: "update pipeline_dispatches set state = 'dead' where id = $1", values: [id] },
  ]);
}

export async function readDispatch(
  api: TestApi,
  id: string,
): Promise<DispatchRecord & { log: DispatchEventRecord[] }> {
  return expectDone(await api.call("GET", `/dispatches/${id}`));
}

/** What a consumer did with a message. */
export type Settled = "acknowledged" | { retryAfterSeconds: number | undefined };

/** Delivers messages to the consumer of a queue in one batch, and returns what it did with each. */
export async function consumed(
  api: TestApi,
  bodies: readonly unknown[],
  { queue = "stepledger-dispatches", ...outbound }: { queue?: string } & Partial<Outbound> = {},
): Promise<(Settled | null)[]> {
  const settled: (Settled | null)[] = bodies.map(() => null);
  const consume = createConsumers({
    database: openDatabase(api.database),
    queues: countedQueues(),
    outbound: testOutbound(outbound),
    assets: undefined,
    reportDefect: (error) => {
      throw error;
    },
  });
  const messages = bodies.map((body, index): QueuedMessage => ({
    id: crypto.randomUUID(),
    body,
    attempts: 1,
    ack: () => (settled[index] ??= "acknowledged"),
    retry: ({ delaySeconds } = {}) => (settled[index] ??= { retryAfterSeconds: delaySeconds }),
  }));
  await consume({ queue, messages });
  return settled;
}

/** Delivers the message of one dispatch to its consumer. */
export async function deliver(
  api: TestApi,
  dispatchId: string,
  outbound: Partial<Outbound> = {},
): Promise<Settled | null> {
  const message = { version: 1, tenantId: api.tenant.id, dispatchId };
  const [settled = null] = await consumed(api, [message], outbound);
  return settled;
}

/** Brings every due time of open dispatches closer by so many seconds. */
export async function timePasses(database: TestDatabase, seconds: number): Promise<void> {
  await timePassesForConsumers(database, seconds);
  await database.query(
    "owner",
    `update pipeline_dispatches set next_attempt_at = next_attempt_at - make_interval(secs => $1)
     where state in ('pending', 'sent')`,
    [seconds],
  );
}

/** The same only for leases and delays of deliveries. The times that the sweep waits for stay. */
export async function timePassesForConsumers(
  database: TestDatabase,
  seconds: number,
): Promise<void> {
  await database.query(
    "owner",
    `update pipeline_dispatches set lease_until = lease_until - make_interval(secs => $1),
       not_before = not_before - make_interval(secs => $1)
     where state in ('pending', 'sent') and coalesce(lease_until, not_before) is not null`,
    [seconds],
  );
}

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

/** A dispatch by hand of a task that waits for its check; its message is on a queue that nobody consumes. */
export async function givenDispatch(api: TestApi): Promise<string> {
  const { currentStep } = await api.givenTask({ at: { kind: "pre_qa", status: "queued" } });
  const body = { pipeline: "quality_automation" satisfies Pipeline, reason: "To have one" };
  const made = await api.call<{ id: string }>("POST", `/steps/${currentStep.id}/dispatch`, {
    body,
  });
  return expectDone(made, 201).id;
}

/** Has a dispatch die, as the delivery writes it. */
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

/** What a consumer said about a message. */
export type Said = "acknowledged" | { retryAfterSeconds: number | undefined };

/** Hands messages about dispatches to the consumer of a queue, all in one batch; what it said about each. */
export async function consumed(
  api: TestApi,
  bodies: readonly unknown[],
  { queue = "stepledger-dispatches", ...outbound }: { queue?: string } & Partial<Outbound> = {},
): Promise<(Said | null)[]> {
  const said: (Said | null)[] = bodies.map(() => null);
  const consume = createConsumers({
    database: openDatabase(api.database),
    queues: countedQueues(),
    outbound: testOutbound(outbound),
    reportDefect: (error) => {
      throw error;
    },
  });
  const messages = bodies.map((body, index): QueuedMessage => ({
    id: crypto.randomUUID(),
    body,
    attempts: 1,
    ack: () => (said[index] ??= "acknowledged"),
    retry: ({ delaySeconds } = {}) => (said[index] ??= { retryAfterSeconds: delaySeconds }),
  }));
  await consume({ queue, messages });
  return said;
}

/** Hands a message about one dispatch to its consumer. */
export async function deliver(
  api: TestApi,
  dispatchId: string,
  outbound: Partial<Outbound> = {},
): Promise<Said | null> {
  const message = { version: 1, tenantId: api.tenant.id, dispatchId };
  const [said = null] = await consumed(api, [message], outbound);
  return said;
}

/** What waits for a time is that much nearer to it. */
export async function timePasses(database: TestDatabase, seconds: number): Promise<void> {
  await timePassesForConsumers(database, seconds);
  await database.query(
    "owner",
    `update pipeline_dispatches set next_attempt_at = next_attempt_at - make_interval(secs => $1)
     where state in ('pending', 'sent')`,
    [seconds],
  );
}

/** The same for those alone who deliver: what the sweep waits for stays as far away as it is. */
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

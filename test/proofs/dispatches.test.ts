import { beforeAll, describe, expect, inject, test } from "vitest";
import type { MovedMany } from "../../src/actions/moves/move-tasks.ts";
import { relayDispatches } from "../../src/actions/outgoing/relay-dispatches.ts";
import { createConsumers } from "../../src/consumers/index.ts";
import { type Database, openDatabase } from "../../src/db/connection/client.ts";
import { DatabaseUnavailable } from "../../src/db/connection/faults.ts";
import { createMessageQueue } from "../../src/queues/message-queue.ts";
import { type DispatchMessage, dispatchMessage } from "../../src/queues/messages.ts";
import { AdversarialQueue, type Isolate, NO_FAULTS } from "../support/adversarial-queue.ts";
import { type Answer, expectDone, freshApi, type TestApi } from "../support/api.ts";
import { chanceFrom } from "../support/chance.ts";
import { timePasses, timePassesForConsumers } from "../support/dispatches.ts";
import { expectInvariantsHold } from "../support/model/invariants.ts";
import { tally } from "../support/model/load.ts";
import { silenceLog } from "../support/model/quiet.ts";
import { CrashingIsolate } from "../support/crashing-isolate.ts";
import { testOutbound } from "../support/outbound.ts";
import { countedQueues } from "../support/queues.ts";
import { UnreliableReceiver } from "../support/unreliable-receiver.ts";

const { seed, dispatches: DISPATCHES } = inject("stack");

const QUEUE = "stepledger-dispatches";
const CRASHES = 0.1;
const GARBAGE = 0.01;
const FAULTS = { duplicate: 0.3, failBefore: 0.05, failAfter: 0.05, delay: 0.2 };
/** One dispatch in this many is for a pipeline without an endpoint. */
const OFFERED_EVERY = 5;
const SWEEP_SECONDS = 15 * 60;

silenceLog();

let api: TestApi;
let secret: string;

beforeAll(async () => {
  api = await freshApi({ ALLOW_LOOPBACK_ENDPOINTS: "true" });
  const put = await api.call<{ secret: string }>("PUT", "/pipelines/quality_automation", {
    body: { endpoint: "https://checks.example.com/hook" },
  });
  secret = expectDone(put).secret;
});

describe("dispatches", () => {
  test(
    `each take effect once, whatever happens to messages, consumers and responses (${DISPATCHES}, replay with SEED=${seed})`,
    { timeout: 60_000 + DISPATCHES * 60 },
    async ({ annotate }) => {
      await givenDispatches(DISPATCHES);
      const world = new AdverseWorld(seed);
      // The first messages were lost: the Worker was killed between commit and send. A sweep stops at a failed send, so
      // several sweeps pass until each message has been sent.
      while (!world.isAllTaken()) await world.sweepAndDrain();
      world.stopFaults();
      await world.sweepAndDrain();
      await world.sweepAndDrain();

      const { queue, receiver, received, defects } = world;
      expect(defects).toEqual([]);
      const { offered, endpoint } = await settledDispatches();
      expect(offered).toEqual({ delivered: Math.floor(DISPATCHES / OFFERED_EVERY) });
      const asked = DISPATCHES - Math.floor(DISPATCHES / OFFERED_EVERY);
      expect(endpoint).toEqual(
        withoutZeros({ delivered: receiver.taken.size, dead: receiver.refused.size }),
      );
      expect(receiver.taken.size + receiver.refused.size).toBe(asked);
      // After an accepted response is received there is no further attempt, and all attempts name one run.
      expect([...received].filter(([, times]) => times > 1)).toEqual([]);
      expect([...receiver.taken.values()].filter((runs) => new Set(runs).size > 1)).toEqual([]);
      expect(await runsOfDispatches()).toEqual({ "1": DISPATCHES });
      expect(await deadLetters()).toBe(world.garbage);
      await expectInvariantsHold(api.database);
      const seen = JSON.stringify({ ...queue.seen, garbage: world.garbage, offered, endpoint });
      await annotate(`${DISPATCHES} dispatches, 0 lost, 0 duplicated: ${seen}`);
    },
  );
});

/** Everything around the dispatches, with faults in each part. */
class AdverseWorld {
  readonly queue: AdversarialQueue;
  readonly receiver: UnreliableReceiver;
  /** How often a consumer that did not crash received an accepted response for a dispatch. */
  readonly received = new Map<string, number>();
  /** Errors that no fault explains. */
  readonly defects: unknown[] = [];
  garbage = 0;
  readonly #chance: ReturnType<typeof chanceFrom>;
  readonly #database: Database;
  #crashes = CRASHES;

  constructor(from: number) {
    this.#chance = chanceFrom(from);
    this.#database = openDatabase(api.database);
    this.queue = new AdversarialQueue(QUEUE, this.#chance);
    this.queue.faults = FAULTS;
    this.receiver = new UnreliableReceiver(secret, this.#chance);
    this.receiver.faults = { away: 0.05, answerLost: 0.05, refuses: 0.02 };
  }

  stopFaults(): void {
    this.queue.faults = NO_FAULTS;
    this.receiver.faults = { away: 0, answerLost: 0, refuses: 0 };
    this.#crashes = 0;
  }

  /** True if the queue has stored a message for each dispatch. */
  isAllTaken(): boolean {
    return new Set(this.#takenIds()).size === DISPATCHES;
  }

  #takenIds(): string[] {
    return this.queue.taken.flatMap((body) => {
      const message = dispatchMessage.safeParse(body);
      return message.success ? [message.data.dispatchId] : [];
    });
  }

  /** 15 minutes later: sends what is in the outbox and drains the queue. */
  async sweepAndDrain(): Promise<void> {
    await this.queue.passTime(SWEEP_SECONDS, (seconds) => timePasses(api.database, seconds));
    await this.#relay();
    await this.queue.drain(
      (size) => this.#isolate(size),
      (seconds) => timePassesForConsumers(api.database, seconds),
    );
    await this.#expectTakenIsSettled();
  }

  /**
   * The sweep is for messages that were never stored. Stored messages must leave nothing undone once the queue is
   * empty.
   */
  async #expectTakenIsSettled(): Promise<void> {
    const undone = await api.database.query(
      "owner",
      `select d.id, d.state from pipeline_dispatches d
       where d.state in ('pending', 'sent') and d.id in (select value::uuid from json_array_elements_text($1))`,
      [JSON.stringify(this.#takenIds())],
    );
    expect(undone).toEqual([]);
  }

  async #relay(): Promise<void> {
    await this.#sendGarbage();
    const isolate = this.#crashing(50);
    const queue = createMessageQueue<DispatchMessage>(this.queue);
    const database = isolate.database(this.#database);
    const relaying = isolate.work(async () => void (await relayDispatches({ database, queue })));
    // The next sweep sends what this one did not.
    await relaying.catch(() => {});
  }

  async #sendGarbage(): Promise<void> {
    if (this.queue.faults === NO_FAULTS || this.garbage > 0) return;
    const { failBefore: _before, failAfter: _after, ...faults } = this.queue.faults;
    this.queue.faults = { ...faults, failBefore: 0, failAfter: 0 };
    const bodies = Array.from({ length: Math.ceil(DISPATCHES * GARBAGE) }, (_, index) =>
      this.#garbageBody(index),
    );
    this.garbage += bodies.length;
    await this.queue.sendBatch(bodies.map((body) => ({ body })));
    this.queue.faults = FAULTS;
  }

  #garbageBody(index: number): unknown {
    const ids = { tenantId: api.tenant.id, dispatchId: crypto.randomUUID() };
    const bodies = [null, "garbage", [], { version: 2, ...ids }, { version: 1 }, { ...ids, index }];
    return bodies[this.#chance.below(bodies.length)];
  }

  #crashing(stepsMax: number): CrashingIsolate {
    return new CrashingIsolate(
      this.#chance.isHit(this.#crashes) ? this.#chance.below(stepsMax) : null,
    );
  }

  /** A separate consumer for each batch. It interacts six times per message, and once more at the end. */
  #isolate(batchSize: number): Isolate {
    const isolate = this.#crashing(batchSize * 6 + 2);
    const taken: string[] = [];
    const consume = createConsumers({
      database: isolate.database(this.#database),
      queues: countedQueues(),
      outbound: isolate.outbound(
        testOutbound({
          fetch: async (input, init) => {
            const request = new Request(input, init);
            const id = request.headers.get("webhook-id") ?? "";
            const response = await this.receiver.answer(request);
            if (response.ok) taken.push(id);
            return response;
          },
        }),
      ),
      assets: undefined,
      reportDefect: (error) => {
        // A busy database is one more fault after which messages are retried.
        const isExplained = isolate.isDead || error instanceof DatabaseUnavailable;
        if (!isExplained) this.defects.push(error);
      },
    });
    return {
      isDead: () => isolate.isDead,
      consume: async (batch) => {
        await isolate.work(() => consume(batch));
        for (const id of taken) this.received.set(id, (this.received.get(id) ?? 0) + 1);
      },
    };
  }
}

/** Creates tasks whose moves dispatched a pipeline, through the API. */
async function givenDispatches(count: number): Promise<void> {
  const CHUNK = 250;
  for (let first = 0; first < count; first += CHUNK) {
    const numbers = Array.from({ length: Math.min(CHUNK, count - first) }, (_, at) => first + at);
    const tasks = numbers.map((number) => ({
      title: "A task",
      externalId: `dispatched-${number}`,
      start: {
        kind: (number + 1) % OFFERED_EVERY === 0 ? "output_generation" : "pre_qa",
        status: "approved",
        reason: "Done elsewhere",
      },
    }));
    expectDone(await persist("/tasks/import", { tasks }));
    const moves = numbers.map((number) => ({ task: `ext:dispatched-${number}`, status: "queued" }));
    const moved = await persist<MovedMany>("/moves", { moves, runAttachedWorkflows: true });
    expect(expectDone(moved).counts).toMatchObject({ changed: numbers.length });
  }
}

/** Repeats a call until the service is available. The machine may be busy. */
async function persist<Body>(path: string, body: object): Promise<Answer<Body>> {
  const idempotencyKey = crypto.randomUUID();
  for (;;) {
    const answer = await api.call<Body>("POST", path, { body, idempotencyKey });
    if (answer.status !== 503) return answer;
  }
}

/** Counts dispatches by final state, with and without an endpoint. */
async function settledDispatches() {
  const rows = await api.database.query(
    "owner",
    "select pipeline = 'output_generation' as offered, state, count(*) from pipeline_dispatches group by 1, 2",
  );
  const counted = (isOffered: "t" | "f"): Record<string, number> =>
    Object.fromEntries(
      rows
        .filter(({ offered }) => offered === isOffered)
        .map(({ state, count }) => [String(state), Number(count)]),
    );
  return { offered: counted("t"), endpoint: counted("f") };
}

/** Counts dispatches by their number of runs. */
async function runsOfDispatches() {
  const rows = await api.database.query(
    "owner",
    `select count(w.id) as runs from pipeline_dispatches d
     left join worker_runs w on w.tenant_id = d.tenant_id and w.dispatch_id = d.id group by d.tenant_id, d.id`,
  );
  return tally(rows.map(({ runs }) => String(runs)));
}

async function deadLetters(): Promise<number> {
  const [row] = await api.database.query("owner", "select count(*) as count from dead_letters");
  return Number(row?.["count"]);
}

function withoutZeros(counts: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}

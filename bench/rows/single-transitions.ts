import { compare } from "../measure.ts";
import { type MovedTask, moveStep, tasksInReview } from "../moves.ts";
import { MOVED_TENANT } from "../populations.ts";
import type { Row } from "../row.ts";
import type { Service } from "../service.ts";

const CLIENTS = 16;
const TASKS_PER_CLIENT = 8;
/** The round trips of a transition: one to load, one to record. */
const ROUND_TRIPS = 2;
const TURNS = 11;
const TURN_MS = 2_000;

export const singleTransitions: Row = {
  name: "single-transitions",
  about: `transitions by ${CLIENTS} clients, against \`select 1\` through the same Worker with as many round trips`,
  measure: async (environment) => {
    const service = await environment.large();
    const tasks = await tasksInReview(service, MOVED_TENANT, CLIENTS * TASKS_PER_CLIENT);
    const movers = Array.from({ length: CLIENTS }, (_, client) =>
      mover(service, tasks.slice(client * TASKS_PER_CLIENT, (client + 1) * TASKS_PER_CLIENT)),
    );
    const selectOne = `/v1/bench/select-1?times=${ROUND_TRIPS}`;
    const selecters = movers.map(() => () => service.call(selectOne, { tenant: MOVED_TENANT }));
    const turns: { figure: number; baseline: number }[] = [];
    // The first turn is a warm-up.
    for (let turn = -1; turn < TURNS; turn += 1) {
      const baseline = await callsPerSecond(selecters);
      const figure = await callsPerSecond(movers);
      if (turn >= 0) turns.push({ figure, baseline });
    }
    const about = `${CLIENTS} clients`;
    return [{ about, unit: "calls/s", ...compare(turns), budget: { atLeast: 0.6 } }];
  },
};

/** Returns a client that moves its tasks in turn, back and forth. */
function mover(service: Service, tasks: readonly MovedTask[]): () => Promise<unknown> {
  let calls = 0;
  return () => {
    const task = tasks[calls % tasks.length];
    if (task === undefined) throw new Error("The client has no tasks");
    const isInReview = Math.floor(calls / tasks.length) % 2 === 0;
    calls += 1;
    const status = isInReview ? "awaiting_input" : "in_review";
    return moveStep(service, MOVED_TENANT, task.stepId, status);
  };
}

/** Lets all clients call for two seconds, each again as soon as it has a response. Returns the calls per second. */
async function callsPerSecond(clients: readonly (() => Promise<unknown>)[]): Promise<number> {
  let calls = 0;
  const startedAt = performance.now();
  const deadline = AbortSignal.timeout(TURN_MS);
  await Promise.all(
    clients.map(async (call) => {
      while (!deadline.aborted) {
        await call();
        calls += 1;
      }
    }),
  );
  return (calls * 1_000) / (performance.now() - startedAt);
}

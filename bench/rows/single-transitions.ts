import { compare } from "../measure.ts";
import { type MovedTask, moveStep, tasksInReview } from "../moving.ts";
import { MOVED_TENANT } from "../populations.ts";
import type { Row } from "../row.ts";
import type { Service } from "../service.ts";

const CLIENTS = 16;
const TASKS_A_CLIENT = 8;
/** A transition loads and records. */
const ROUND_TRIPS = 2;
const TURNS = 11;
const TURN_MS = 2_000;

export const singleTransitions: Row = {
  name: "single-transitions",
  about: `transitions by ${CLIENTS} clients, against \`select 1\` through the same Worker in as many round trips`,
  measure: async (stage) => {
    const service = await stage.large();
    const tasks = await tasksInReview(service, MOVED_TENANT, CLIENTS * TASKS_A_CLIENT);
    const movers = Array.from({ length: CLIENTS }, (_, client) =>
      mover(service, tasks.slice(client * TASKS_A_CLIENT, (client + 1) * TASKS_A_CLIENT)),
    );
    const selectOne = `/v1/bench/select-1?times=${ROUND_TRIPS}`;
    const askers = movers.map(() => () => service.call(selectOne, { tenant: MOVED_TENANT }));
    const turns: { figure: number; baseline: number }[] = [];
    // The first turn of each is not counted.
    for (let turn = -1; turn < TURNS; turn += 1) {
      const baseline = await callsPerSecond(askers);
      const figure = await callsPerSecond(movers);
      if (turn >= 0) turns.push({ figure, baseline });
    }
    const about = `${CLIENTS} clients`;
    return [{ about, unit: "calls/s", ...compare(turns), budget: { atLeast: 0.6 } }];
  },
};

/** One client, who takes its tasks in turn and each to and fro. */
function mover(service: Service, tasks: readonly MovedTask[]): () => Promise<unknown> {
  let calls = 0;
  return () => {
    const task = tasks[calls % tasks.length];
    if (task === undefined) throw new Error("A client has tasks");
    const isThere = Math.floor(calls / tasks.length) % 2 === 0;
    calls += 1;
    return moveStep(service, MOVED_TENANT, task.stepId, isThere ? "awaiting_input" : "in_review");
  };
}

/** All clients call, each again as soon as it is answered, until the time is up. */
async function callsPerSecond(clients: readonly (() => Promise<unknown>)[]): Promise<number> {
  let calls = 0;
  const startedAt = performance.now();
  const over = AbortSignal.timeout(TURN_MS);
  await Promise.all(
    clients.map(async (call) => {
      while (!over.aborted) {
        await call();
        calls += 1;
      }
    }),
  );
  return (calls * 1_000) / (performance.now() - startedAt);
}

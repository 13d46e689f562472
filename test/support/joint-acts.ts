import { expect } from "vitest";
import { declareData } from "../../src/actions/content/declare-data.ts";
import { recordPrompt } from "../../src/actions/content/record-prompt.ts";
import { addNote } from "../../src/actions/moves/add-note.ts";
import { advanceTask } from "../../src/actions/moves/advance-task.ts";
import { commandTask } from "../../src/actions/moves/command-task.ts";
import { recordReview } from "../../src/actions/reviews/record-review.ts";
import { withdrawReview } from "../../src/actions/reviews/withdraw-review.ts";
import { reportRun } from "../../src/actions/runs/report-run.ts";
import { startRun } from "../../src/actions/runs/start-run.ts";
import { createTask, type NewTask } from "../../src/actions/tasks/create-task.ts";
import type { TenantDatabase } from "../../src/db/connection/client.ts";
import type { Outcome } from "../../src/domain/refusals.ts";
import { RUN_STATES, WORKER_TYPES } from "../../src/domain/lifecycle/statuses.ts";
import type { Chance } from "./chance.ts";
import { actionCall } from "./simulated-clock.ts";

/** A task of a test, and what acts on it have made. */
export interface ActedOn {
  id: string;
  runs: string[];
  reviews: string[];
}

/** One call of an action. Returns `done`, or the code of its refusal. */
export type Act = (database: TenantDatabase, task: ActedOn) => Promise<string>;

const codeOf = (outcome: Outcome<unknown>): string => (outcome.ok ? "done" : outcome.refusal.code);

export function valueOf<Value>(outcome: Outcome<{ value: Value }>): Value {
  return outcome.ok ? outcome.value.value : expect.fail(outcome.refusal.detail);
}

/** A call as a person who reviews, under an operation of its own. */
const conditional = (database: TenantDatabase) => ({
  ...actionCall(database),
  ifMatch: null,
  identity: "simulator",
  personId: null,
  credentialName: "simulator",
});

export async function givenTask(
  database: TenantDatabase,
  title: string,
  start?: NewTask["start"],
): Promise<ActedOn> {
  const fields = { title, externalId: null, taxonomyCode: null, priority: 0, assignee: null };
  const task = { fields, content: { brief: title }, start };
  return { id: valueOf(await createTask(actionCall(database), task)).id, runs: [], reviews: [] };
}

export function promptAct(content: string): Act {
  return async (database, { id }) =>
    codeOf(await recordPrompt(actionCall(database), { task: { id }, role: "user", content }));
}

const STATUSES = ["queued", "running", "awaiting_review", "approved", "changes_requested"] as const;

/** Acts that write events of a task, or runs: at most one of them at a time is lawful for a task. */
const MOVES: readonly ((chance: Chance) => Act)[] = [
  (chance) => {
    const text = `Note ${chance.below(1000)}`;
    return async (database, { id }) =>
      codeOf(await addNote(conditional(database), { task: { id }, text }));
  },
  () =>
    async (database, { id }) =>
      codeOf(
        await advanceTask(conditional(database), { task: { id }, runAttachedWorkflows: false }),
      ),
  (chance) => {
    const status = STATUSES[chance.below(STATUSES.length)] ?? "running";
    const command = {
      type: "transition",
      status,
      runAttachedWorkflows: chance.isHit(0.3),
    } as const;
    return async (database, { id }) =>
      codeOf(await commandTask(conditional(database), { id }, { ...command, reason: "So" }));
  },
  (chance) => {
    const type = WORKER_TYPES[chance.below(WORKER_TYPES.length)] ?? "QUALITY_AUTOMATION";
    return async (database, { id, runs }) => {
      const started = await startRun(actionCall(database), { task: { id }, type });
      if (started.ok) runs.push(started.value.value.id);
      return codeOf(started);
    };
  },
  (chance) => {
    const state = RUN_STATES[chance.below(RUN_STATES.length)] ?? "RUNNING";
    const verdict = state === "SUCCEEDED" ? "passed" : undefined;
    return async (database, { runs }) => {
      const runId = runs.at(-1) ?? crypto.randomUUID();
      return codeOf(await reportRun(conditional(database), { runId, state, verdict }));
    };
  },
  (chance) => {
    const kind = chance.isHit(0.8) ? "expert" : "automated";
    const move = chance.isHit(0.7)
      ? { status: "approved" as const, runAttachedWorkflows: false }
      : undefined;
    return async (database, { id, reviews }) => {
      const input = { task: { id }, kind, outcome: "passed", move, notes: "Read" } as const;
      const reviewed = await recordReview(conditional(database), input);
      if (reviewed.ok) reviews.push(reviewed.value.value.review.id);
      return codeOf(reviewed);
    };
  },
  () =>
    async (database, { reviews }) => {
      const reviewId = reviews.at(-1) ?? crypto.randomUUID();
      return codeOf(await withdrawReview(conditional(database), { reviewId, reason: "Too early" }));
    },
];

/** Acts that write no event, any number of them at a time. */
const RECORDS: readonly ((chance: Chance) => Act)[] = [
  (chance) => promptAct(`Prompt ${chance.next()}`),
  (chance) => {
    const sha256 = chance
      .below(2 ** 31)
      .toString(16)
      .padStart(64, "0");
    const kind = chance.isHit(0.5) ? "generated" : "source";
    const contentType = "text/plain";
    return async (database, { id }) => {
      const data = { task: { id }, kind, contentType, sizeBytes: 7, sha256 } as const;
      return codeOf(
        await declareData(actionCall(database), { ...data, uri: "https://example.com/a" }),
      );
    };
  },
];

const oneOf = (acts: readonly ((chance: Chance) => Act)[], chance: Chance): Act =>
  acts[chance.below(acts.length)]?.(chance) ?? expect.fail("there is no act");

/**
 * What happens to one task at about the same time: up to two records, and one move. The move comes last, as it does
 * jointly, where it takes a second round trip: some records are refused after some moves.
 */
export function randomActs(chance: Chance): Act[] {
  const records = Array.from({ length: chance.below(3) }, () => oneOf(RECORDS, chance));
  return [...records, oneOf(MOVES, chance)];
}

import { expect } from "vitest";
import type { TrialView } from "../../../src/actions/views/eval-view.ts";
import type { EvalEventView } from "../../../src/actions/views/event-view.ts";
import type { TaskView } from "../../../src/actions/views/task-view.ts";
import type { EvalRecord, TrialRecord } from "../../../src/db/evals/eval-json.ts";
import { type EvalState, foldEval } from "../../../src/domain/evals/fold.ts";
import type { SlotMember } from "../../../src/domain/evals/slot.ts";
import type { EvalStatus } from "../../../src/domain/evals/statuses.ts";
import {
  type CallOptions,
  expectDone,
  type Tenant,
  type CallableApi,
} from "../../support/api-calls.ts";

/** The transitions from `draft` to each status. */
const PATHS: Record<EvalStatus, readonly EvalStatus[]> = {
  draft: [],
  queued: ["queued"],
  running: ["queued", "running"],
  completed: ["queued", "running", "completed"],
  failed: ["queued", "running", "failed"],
  cancelled: ["cancelled"],
};

/** Creates an eval of the given task, or of a new one, and moves it to `status` through the API. */
export async function givenOpenEval(
  api: CallableApi,
  {
    status = "draft",
    k = 4,
    name = "accuracy",
    slotBy,
    tenant = api.tenant,
    ...given
  }: {
    status?: EvalStatus;
    k?: number;
    name?: string;
    slotBy?: readonly SlotMember[];
    tenant?: Tenant;
    task?: Pick<TaskView, "id">;
  } = {},
): Promise<EvalRecord> {
  const task = given.task ?? (await api.givenTask({ tenant }));
  const path = `/tasks/${task.id}/evals`;
  let opened = expectDone(
    await api.call<EvalRecord>("POST", path, { tenant, body: { name, k, slotBy } }),
    201,
  );
  for (const next of PATHS[status]) {
    const options = { tenant, body: { status: next } };
    opened = expectDone(await api.call<EvalRecord>("PATCH", `/evals/${opened.id}`, options));
  }
  return opened;
}

/** Records one trial through the API. */
export async function givenTrial(
  api: CallableApi,
  evalId: string,
  trial: object = {},
  options: CallOptions = {},
): Promise<TrialView> {
  const body = { k: 1, model: "solver", ...trial };
  return expectDone(
    await api.call<TrialView>("POST", `/evals/${evalId}/trials`, { ...options, body }),
    201,
  );
}

/** All events of an eval. */
export async function eventsOf(api: CallableApi, evalId: string): Promise<EvalEventView[]> {
  const path = `/evals/${evalId}/events?limit=200`;
  return expectDone(await api.call<{ data: EvalEventView[] }>("GET", path)).data;
}

/** Expects that folding an eval's events gives the eval and trials that the API returns, and that the history verifies. */
export async function expectHistoryMatches(api: CallableApi, evalId: string): Promise<EvalState> {
  const events = await eventsOf(api, evalId);
  const state = foldEval(
    events.map(({ from, to, ...event }) => ({ ...event, fromStatus: from, toStatus: to })),
  );
  const current = expectDone(await api.call<EvalRecord>("GET", `/evals/${evalId}`));
  const { versionNumber: _, createdAt, updatedAt, ...tables } = current;
  const { trials, ...folded } = state;
  expect(folded).toEqual(tables);
  expect([createdAt, updatedAt]).toEqual([events.at(0)?.at, events.at(-1)?.at]);

  const path = `/evals/${evalId}/trials?limit=200`;
  const listed = expectDone(await api.call<{ data: TrialRecord[] }>("GET", path)).data;
  const facts = listed.map((trial) => ({ ...trial, retracted: trial.retractedAt !== null }));
  // Ids are ordered by the time of the call, and histories by the time of the commit.
  expect(facts).toMatchObject(trials.toSorted((one, other) => (one.id < other.id ? -1 : 1)));
  expect(facts).toHaveLength(trials.length);

  const verdict = await api.call("GET", `/evals/${evalId}/events/verify`);
  expect(expectDone(verdict)).toMatchObject({
    valid: true,
    events: events.length,
    head: events.at(-1)?.hash,
    firstBroken: null,
  });
  return state;
}

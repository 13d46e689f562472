import { beforeAll, describe, expect, test } from "vitest";
import { legalityInvariants } from "../../src/db/invariants/legality.ts";
import type { FrozenRegistry } from "../../src/domain/registry-history/frozen-registry.ts";
import { REGISTRY_HISTORY } from "../../src/domain/registry-history/index.ts";
import { REGISTRY_VERSION } from "../../src/domain/registry-version.ts";
import { givenOpenEval, givenTrial } from "../routes/evals/support.ts";
import { expectDone, freshApi, type TestApi } from "../support/api.ts";
import {
  givenBreaker,
  invariantsBrokenBy,
  REHASH,
  REHASH_EVALS,
} from "../support/model/invariants.ts";

const PRESENT = REGISTRY_HISTORY.at(-1) ?? expect.fail("there is no registry version");
const LATER_VERSION = REGISTRY_VERSION + 1;

/** A later version, with other tables for steps, gates, evals and trials. */
const LATER: FrozenRegistry = {
  ...PRESENT,
  registryVersion: LATER_VERSION,
  stepTransitions: {
    ...PRESENT.stepTransitions,
    ingestion: { ...PRESENT.stepTransitions["ingestion"], queued: ["paused"], paused: ["running"] },
  },
  gateTransitions: { ...PRESENT.gateTransitions, locked: ["revoked"], revoked: ["pending"] },
  evalTransitions: { ...PRESENT.evalTransitions, draft: ["completed"], completed: ["running"] },
  trialTransitions: { ...PRESENT.trialTransitions, pending: ["errored"] },
};
const INVARIANTS = legalityInvariants([...REGISTRY_HISTORY, LATER]);

let api: TestApi;
let taskId: string;
let evalId: string;

beforeAll(async () => {
  api = await freshApi();
  await givenBreaker(api.database, INVARIANTS);
  const { id, currentStep } = await api.givenTask();
  taskId = id;
  for (const status of ["running", "awaiting_review"]) {
    expectDone(await api.call("PATCH", `/steps/${currentStep.id}`, { body: { status } }));
  }
  ({ id: evalId } = await givenOpenEval(api, { status: "running" }));
  const { id: trialId } = await givenTrial(api, evalId, { status: "pending" });
  expectDone(await api.call("PATCH", `/trials/${trialId}`, { body: { status: "running" } }));
});

/** The legality invariants that a history breaks after these changes, in a chain that is whole. */
const brokenBy = (...changes: string[]) =>
  invariantsBrokenBy(
    api.database,
    changes.map((change) => `update ${change};`).join("\n") + REHASH + REHASH_EVALS,
    INVARIANTS,
  );

const event = (seq: number, set: string) =>
  `step_events set ${set} where task_id = '${taskId}' and seq = ${seq}`;
const evalEvent = (seq: number, set: string) =>
  `eval_step_events set ${set} where eval_id = '${evalId}' and seq = ${seq}`;
const LATER_EVENT = `registry_version = ${LATER_VERSION}`;

describe("verification with two registry versions", () => {
  test("finds a history of the first version lawful", async () => {
    expect(await brokenBy()).toEqual([]);
  });

  // Event 2 of the task goes from queued to running, and its gate from locked to pending.
  test.each([
    ["a status", () => event(2, LATER_EVENT), ["status-moves-are-legal", "gate-moves-are-legal"]],
    ["an eval", () => evalEvent(2, LATER_EVENT), ["eval-moves-are-legal"]],
    ["a trial", () => evalEvent(5, LATER_EVENT), ["eval-moves-are-legal"]],
  ])(
    "judges a move of %s by the later version if it records that one",
    async (_, change, broken) => {
      expect(await brokenBy(change())).toEqual(broken);
    },
  );

  test("finds moves lawful that only the later version has, if their events record it", async () => {
    const through = (...more: string[]) =>
      brokenBy(
        event(2, ["to_status = 'paused'", "to_gate = 'revoked'", ...more].join()),
        event(
          3,
          "from_status = 'paused', from_gate = 'revoked', to_status = 'running', to_gate = 'pending'",
        ),
        ...more.map((set) => event(3, set)),
      );
    expect(await through(LATER_EVENT)).toEqual([]);
    expect(await through()).toEqual(["status-moves-are-legal", "gate-moves-are-legal"]);
  });

  test("finds moves of evals lawful that only the later version has, if their events record it", async () => {
    const through = (...more: string[]) =>
      brokenBy(
        evalEvent(2, ["to_status = 'completed'", ...more].join()),
        evalEvent(3, ["from_status = 'completed'", ...more].join()),
      );
    expect(await through(LATER_EVENT)).toEqual([]);
    expect(await through()).toEqual(["eval-moves-are-legal"]);
  });

  test.each([
    ["a task's event", () => event(2, `registry_version = ${LATER_VERSION + 1}`)],
    ["an eval's event", () => evalEvent(5, "registry_version = 0")],
  ])("names %s of an unknown version", async (_, change) => {
    expect(await brokenBy(change())).toEqual(["registry-versions-are-known"]);
  });
});

import { afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Reviewed } from "../../../src/actions/reviews/record-review.ts";
import type { TaskView } from "../../../src/actions/views/task-view.ts";
import { expectDone, expectProblem, freshApi, type TestApi } from "../../support/api.ts";
import { silenceLog } from "../../support/model/quiet.ts";

silenceLog();

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
  await api.roundTripsOf(async () => {});
});
afterEach(() => api.database.clearFaults());

const NOTES = "The second step does not follow.\n\nÜberprüft: 2 < 3 😀";
const VERDICT = { kind: "expert", outcome: "passed", notes: NOTES } as const;
const given = (label = "IN_REVIEW" as const) => api.givenTaskLabelled(label);
const review = (task: string, body: object, options: object = {}) =>
  api.call<Reviewed>("POST", `/tasks/${task}/reviews`, { body, ...options });
const reviewsOf = async ({ id }: TaskView) =>
  expectDone(await api.call<{ data: unknown[] }>("GET", `/tasks/${id}/reviews`)).data;

/** Everything by which a task leaves the step that a reviewer reads. */
const LEAVINGS: { by: string; leave: (task: TaskView) => Promise<unknown> }[] = [
  {
    by: "a new version",
    leave: async ({ id }) => {
      const body = { content: { brief: "Other work" }, reason: "It was wrong" };
      expectDone(await api.call("POST", `/tasks/${id}/versions`, { body }), 201);
    },
  },
  {
    by: "a rework",
    leave: async ({ id }) => {
      const body = { toKind: "expert_review", reason: "Again" };
      expectDone(await api.call("POST", `/tasks/${id}/rework`, { body }));
    },
  },
  {
    by: "an advance",
    leave: async ({ id, currentStep }) => {
      const body = { status: "approved", reason: "Fine" };
      expectDone(await api.call("PATCH", `/steps/${currentStep.id}`, { body }));
      expectDone(await api.call("POST", `/tasks/${id}/advance`, { body: {} }));
    },
  },
];

describe("a review that names the step it read", () => {
  it("is recorded on that step", async () => {
    const task = await given();
    const body = { ...VERDICT, stepId: task.currentStep.id };
    const { review: recorded } = expectDone(await review(task.id, body), 201);
    expect(recorded).toMatchObject({ stepId: task.currentStep.id, notes: NOTES });
  });

  it.each(LEAVINGS)("is recorded nowhere and returns its text after $by", async ({ leave }) => {
    const task = await given();
    await leave(task);
    const now = expectDone(await api.call<TaskView>("GET", `/tasks/${task.id}`));
    const body = { ...VERDICT, stepId: task.currentStep.id };
    for (const move of [undefined, { status: "approved" }]) {
      const problem = expectProblem(
        await review(task.id, { ...body, move }),
        "step_not_current",
        409,
      );
      expect(problem).toMatchObject({ draft: NOTES, currentStepId: now.currentStep.id });
    }
    const silent = expectProblem(
      await review(task.id, { ...body, notes: undefined }),
      "step_not_current",
      409,
    );
    expect(silent).toMatchObject({ draft: null });
    expect(await reviewsOf(task)).toEqual([]);
    const after = expectDone(await api.call<TaskView>("GET", `/tasks/${task.id}`));
    expect(after).toEqual(now);
  });

  it("returns its text even if the task has been archived since", async () => {
    const task = await given();
    await LEAVINGS[0]?.leave(task);
    expectDone(await api.call("POST", `/tasks/${task.id}/archive`, { body: {} }));
    const body = { ...VERDICT, stepId: task.currentStep.id };
    expectProblem(await review(task.id, body), "step_not_current", 409);
    expectProblem(await review(task.id, VERDICT), "archived", 409);
  });

  it("does not let the verdict on one version satisfy the check of the next", async () => {
    const task = await api.givenTask({ at: { kind: "pre_qa", status: "awaiting_review" } });
    const body = { content: { brief: "Two" }, reason: "Revised", firstKind: "pre_qa" };
    expectDone(await api.call("POST", `/tasks/${task.id}/versions`, { body }), 201);
    const verdict = { ...VERDICT, stepId: task.currentStep.id, move: { status: "approved" } };
    expectProblem(await review(task.id, verdict), "step_not_current", 409);
    const now = expectDone(await api.call<TaskView>("GET", `/tasks/${task.id}`));
    expect(now).toMatchObject({ unifiedStatus: "CHECKING_QUALITY", activeVersion: { number: 2 } });
  });

  it.each(["id", "external id"])(
    "is not found if the step is unknown or of another task, whose %s is not named",
    async (spelling) => {
      const externalId = crypto.randomUUID();
      const task = await api.givenTask({ externalId, at: { kind: "pre_qa", status: "in_review" } });
      const other = await api.givenTask({ at: { kind: "pre_qa", status: "in_review" } });
      const name = spelling === "id" ? task.id : `ext:${externalId}`;
      for (const stepId of [other.currentStep.id, crypto.randomUUID()]) {
        expectProblem(await review(name, { ...VERDICT, stepId }), "not_found", 404);
      }
      expectProblem(await review(name, { ...VERDICT, stepId: "1" }), "validation_failed", 400);
      expect(await reviewsOf(task)).toEqual([]);
      expect(await reviewsOf(other)).toEqual([]);
      expectDone(await review(name, { ...VERDICT, stepId: task.currentStep.id }), 201);
    },
  );

  it.each([crypto.randomUUID(), `ext:${crypto.randomUUID()}`])(
    "does not find a task by its step under another name (%s)",
    async (name) => {
      const task = await given();
      const body = { ...VERDICT, stepId: task.currentStep.id };
      expectProblem(await review(name, body), "not_found", 404);
      expect(await reviewsOf(task)).toEqual([]);
    },
  );

  it("of another tenant is not found", async () => {
    const task = await given();
    const foreign = await api.givenTask({ tenant: api.otherTenant });
    const body = { ...VERDICT, stepId: foreign.currentStep.id };
    expectProblem(await review(task.id, body), "not_found", 404);
  });
});

describe("reviews that lose a race", () => {
  const NOTED = {
    by: "a note",
    leave: async ({ id }: TaskView) => {
      const body = { text: "Meanwhile" };
      expectDone(await api.call("POST", `/tasks/${id}/notes`, { body }), 201);
    },
  };

  it("are recorded if their step is still current, and never on another step", async () => {
    const races = await Promise.all(
      [NOTED, ...LEAVINGS].flatMap(({ by, leave }) =>
        [true, false].map(async (isNamed) => ({ by, leave, isNamed, task: await given() })),
      ),
    );
    // All are decided on what they have loaded, and written after something has happened to their tasks.
    const delay = { kind: "delay", delayMilliseconds: 4000, times: races.length } as const;
    await api.database.faults({ ...delay, sql: "record_moves" });
    const reviewing = races.map(({ isNamed, task }) =>
      review(task.id, { ...VERDICT, ...(isNamed && { stepId: task.currentStep.id }) }),
    );
    await expect.poll(() => api.database.waitingFaults(), { timeout: 20_000 }).toBe(0);
    await Promise.all(races.map(({ leave, task }) => leave(task)));

    for (const [index, { by, task }] of races.entries()) {
      const answer = (await reviewing[index]) ?? expect.fail("a review has no answer");
      const recorded = await reviewsOf(task);
      if (by === NOTED.by) {
        expect(expectDone(answer, 201).review.stepId).toBe(task.currentStep.id);
        expect(recorded).toHaveLength(1);
      } else {
        expect(expectProblem(answer, "step_not_current", 409)).toMatchObject({ draft: NOTES });
        expect(recorded).toEqual([]);
      }
    }
  });
});

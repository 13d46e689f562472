import { beforeAll, describe, expect, it } from "vitest";
import type { Reviewed } from "../../../src/actions/reviews/record-review.ts";
import { expectDone, expectProblem, freshApi, type TestApi } from "../../support/api.ts";

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
});

const review = (taskId: string, body: object, options: object = {}) =>
  api.call<Reviewed>("POST", `/tasks/${taskId}/reviews`, { body, ...options });

describe("Recording a review", () => {
  it("numbers reviews per task, and a later pass overrides a failure", async () => {
    const task = await api.givenTask({ at: { kind: "pre_qa", status: "awaiting_review" } });
    const failed = expectDone(await review(task.id, { kind: "automated", outcome: "failed" }), 201);
    expect(failed.review).toMatchObject({ sequence: 1, outcome: "failed" });
    expect(failed.task.unifiedStatus).toBe("QUALITY_CHECK_FAILED");
    const passed = expectDone(await review(task.id, { kind: "expert", outcome: "passed" }), 201);
    expect(passed.review).toMatchObject({ sequence: 2 });
    expect(passed.task.unifiedStatus).toBe("CHECKING_QUALITY");

    const list = await api.call<{ data: unknown[] }>("GET", `/tasks/${task.id}/reviews`);
    expect(expectDone(list).data).toMatchObject([
      { sequence: 1, outcome: "failed", kind: "automated" },
      { sequence: 2, outcome: "passed", kind: "expert" },
    ]);
  });

  it("makes its move together with the review, or does neither", async () => {
    const task = await api.givenTask({ at: { kind: "pre_qa", status: "in_review" } });
    const queued = await api.givenTask({ at: { kind: "pre_qa", status: "queued" } });
    const illegal = { kind: "expert", outcome: "passed", move: { status: "approved" } };
    expectProblem(await review(queued.id, illegal), "invalid_transition", 409);
    const list = await api.call<{ data: unknown[] }>("GET", `/tasks/${queued.id}/reviews`);
    expect(expectDone(list).data).toEqual([]);

    const move = { status: "changes_requested", reason: "The sums do not add up" };
    const done = expectDone(
      await review(task.id, { kind: "expert", outcome: "failed", move }),
      201,
    );
    expect(done.events.map(({ type }) => type)).toEqual(["review_recorded", "step_transitioned"]);
    expect(done.task.currentStep.status).toBe("changes_requested");
  });

  it("accepts automated reviews by the service role only without a move", async () => {
    const task = await api.givenTask({ at: { kind: "pre_qa", status: "in_review" } });
    const as = "service";
    expectDone(await review(task.id, { kind: "automated", outcome: "passed" }, { as }), 201);
    const move = { status: "approved" };
    const moving = await review(task.id, { kind: "automated", outcome: "passed", move }, { as });
    expectProblem(moving, "forbidden", 403);
    expectProblem(
      await review(task.id, { kind: "expert", outcome: "passed" }, { as }),
      "forbidden",
      403,
    );
  });

  it("requires a reviewer and a reason to approve against a standing failure", async () => {
    const task = await api.givenTask({ at: { kind: "pre_qa", status: "awaiting_review" } });
    expectDone(await review(task.id, { kind: "automated", outcome: "failed" }), 201);
    const approve = (body: object, as: "operator" | "reviewer") =>
      api.call<Reviewed>("PATCH", `/steps/${task.currentStep.id}`, {
        body: { status: "approved", ...body },
        as,
      });
    expectProblem(await approve({ reason: "Checked" }, "operator"), "forbidden", 403);
    const unexplained = expectProblem(await approve({}, "reviewer"), "validation_failed", 400);
    expect(unexplained.issues).toMatchObject([{ path: ["reason"], code: "required" }]);
    const done = expectDone(await approve({ reason: "Checked by hand" }, "reviewer"));
    expect(done.events.map(({ type }) => type)).toEqual(["review_recorded", "step_transitioned"]);
    expect(done.task.unifiedStatus).toBe("READY_TO_SUBMIT");
  });

  it.each([
    ["failed", "approved"],
    ["failed", "in_review"],
    ["passed", "changes_requested"],
    ["passed", "rejected"],
  ])("rejects a %s review that would move its step to %s", async (outcome, status) => {
    const task = await api.givenTask({ at: { kind: "pre_qa", status: "awaiting_review" } });
    const body = { kind: "expert", outcome, move: { status, reason: "?" } };
    const problem = expectProblem(await review(task.id, body), "validation_failed", 400);
    expect(problem.issues).toMatchObject([
      { path: ["move", "status"], code: "contradicts_outcome" },
    ]);
    const list = await api.call<{ data: unknown[] }>("GET", `/tasks/${task.id}/reviews`);
    expect(expectDone(list).data).toEqual([]);
  });
});

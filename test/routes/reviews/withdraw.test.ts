import { beforeAll, describe, expect, it } from "vitest";
import type { Reviewed } from "../../../src/actions/reviews/record-review.ts";
import type { Withdrawn } from "../../../src/actions/reviews/withdraw-review.ts";
import type { TaskView } from "../../../src/actions/views/task-view.ts";
import type { ReviewRecord } from "../../../src/db/reviews/review-json.ts";
import type { StepStatus } from "../../../src/domain/lifecycle/statuses.ts";
import { STEP_TRANSITIONS } from "../../../src/domain/lifecycle/transitions.ts";
import {
  type CallOptions,
  expectDone,
  expectProblem,
  freshApi,
  type TestApi,
} from "../../support/api.ts";
import { expectInvariantsHold } from "../../support/model/invariants.ts";
import { deliverDispatches } from "../bulk/support.ts";
import { givenKeyOf, givenPerson } from "../people/support.ts";

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
});

const REASON = "Read the wrong file";
const review = async (task: TaskView, body: object, options: CallOptions = {}) => {
  const sent = { kind: "expert", stepId: task.currentStep.id, ...body };
  return expectDone(
    await api.call<Reviewed>("POST", `/tasks/${task.id}/reviews`, { ...options, body: sent }),
    201,
  );
};
const withdraw = (id: string, options: CallOptions = {}) =>
  api.call<Withdrawn>("POST", `/reviews/${id}/withdraw`, { ...options, body: { reason: REASON } });
const read = async ({ id }: { id: string }) =>
  expectDone(await api.call<TaskView>("GET", `/tasks/${id}`));
const reviewsOf = async ({ id }: TaskView) =>
  expectDone(await api.call<{ data: ReviewRecord[] }>("GET", `/tasks/${id}/reviews`)).data;

const MOVES = [
  { outcome: "passed", status: undefined },
  { outcome: "passed", status: "approved" },
  { outcome: "failed", status: undefined },
  { outcome: "failed", status: "changes_requested" },
  { outcome: "failed", status: "rejected" },
  { outcome: "failed", status: "duplicate" },
] as const;
const froms = Object.keys(STEP_TRANSITIONS.expert_review) as StepStatus[]; // keys of a table by status

describe("withdrawing a review", () => {
  it("gives the task back the state that it had, whatever the verdict moved", async () => {
    let tried = 0;
    for (const from of ["queued", "in_review", "awaiting_input", "changes_requested"] as const) {
      for (const { outcome, status } of MOVES) {
        const isLawful = (STEP_TRANSITIONS.expert_review[from] as readonly string[]).includes(
          status ?? "",
        );
        if (status !== undefined && !isLawful) continue;
        const task = await api.givenTask({ at: { kind: "expert_review", status: from } });
        const move = status && { status, reason: "Judged" };
        const recorded = await review(task, { outcome, move });
        const {
          review: withdrawn,
          task: after,
          events,
        } = expectDone(await withdraw(recorded.review.id));
        expect(withdrawn.id).toBe(recorded.review.id);
        expect(events).toMatchObject([
          {
            type: "review_withdrawn",
            reason: REASON,
            payload: { undoes: task.eventSeq + 1, review: { id: withdrawn.id, outcome } },
          },
        ]);
        const { eventSeq, updatedAt: _, statusSince: since, ...state } = task;
        expect(after).toMatchObject(state);
        expect(after.eventSeq).toBe(eventSeq + (status === undefined ? 2 : 3));
        if (status === undefined) expect(after.statusSince).toBe(since);
        expect(await read(task)).toEqual(after);
        tried += 1;
      }
    }
    expect(froms.length).toBeGreaterThan(0);
    expect(tried).toBeGreaterThan(15);
    await expectInvariantsHold(api.database);
  });

  it("lets the verdict before it count again, in labels, lists and lookups", async () => {
    const task = await api.givenTask({ at: { kind: "pre_qa", status: "awaiting_review" } });
    await review(task, { kind: "automated", outcome: "failed" });
    const passed = await review(task, { outcome: "passed" });
    expect(passed.task.unifiedStatus).toBe("CHECKING_QUALITY");
    const { task: after } = expectDone(await withdraw(passed.review.id));
    expect(after.unifiedStatus).toBe("QUALITY_CHECK_FAILED");
    expect((await read(task)).unifiedStatus).toBe("QUALITY_CHECK_FAILED");
    const looked = await api.call<{ found: TaskView[] }>("POST", "/tasks/lookup", {
      body: { ids: [task.id] },
    });
    expect(expectDone(looked).found).toMatchObject([{ unifiedStatus: "QUALITY_CHECK_FAILED" }]);
    for (const sortSource of ["live", "materialized"]) {
      const query = `sort=unifiedStatus&sortSource=${sortSource}&stepKind=pre_qa&unifiedStatus=QUALITY_CHECK_FAILED`;
      const page = expectDone(await api.call<{ data: TaskView[] }>("GET", `/tasks?${query}`));
      expect(page.data.map(({ id }) => id)).toContain(task.id);
    }
    // The number of a withdrawn review is not used again.
    expect((await review(task, { outcome: "passed" })).review.sequence).toBe(3);
    expect(await reviewsOf(task)).toMatchObject([
      { sequence: 1, withdrawn: null },
      { sequence: 2, withdrawn: { reason: REASON } },
      { sequence: 3, withdrawn: null },
    ]);
  });

  it("recalls the payment that the approval requested, unless it was delivered", async () => {
    for (const state of ["sent", "delivered"]) {
      const task = await api.givenTask({ at: { kind: "expert_review", status: "in_review" } });
      const move = { status: "approved", runAttachedWorkflows: true };
      const recorded = await review(task, { outcome: "passed", move });
      expect(recorded.dispatched).toHaveLength(1);
      if (state === "delivered") {
        await deliverDispatches(api, task.id);
      }
      const idempotencyKey = crypto.randomUUID();
      const first = await withdraw(recorded.review.id, { idempotencyKey });
      const isRecalled = state === "sent";
      expect(expectDone(first)).toMatchObject({
        recalled: isRecalled ? 1 : 0,
        alreadyDelivered: isRecalled ? 0 : 1,
      });
      expect((await withdraw(recorded.review.id, { idempotencyKey })).text).toBe(first.text);
      const rows = await api.database.query(
        "owner",
        "select state from pipeline_dispatches where task_id = $1",
        [task.id],
      );
      expect(rows).toEqual([{ state: isRecalled ? "recalled" : "delivered" }]);
      // After a recall the next approval pays; after a delivery it must not pay twice.
      const again = await review(task, { outcome: "passed", move });
      expect(again.dispatched).toHaveLength(isRecalled ? 1 : 0);
    }
  });

  it("keeps runs cancelled that the move cancelled", async () => {
    const task = await api.givenTask({ at: { kind: "pre_qa", status: "queued" } });
    const run = await api.call<{ id: string }>("POST", `/tasks/${task.id}/worker-runs`, {
      as: "service",
      body: { type: "QUALITY_AUTOMATION" },
    });
    const { id } = expectDone(run, 201);
    const report = { as: "service", body: { state: "RUNNING" } } as const;
    expectDone(await api.call("PATCH", `/worker-runs/${id}`, report));
    const move = { status: "rejected", reason: "Spam" };
    const recorded = await review(await read(task), { outcome: "failed", move });
    const { task: after } = expectDone(await withdraw(recorded.review.id));
    expect(after.currentStep.status).toBe("running");
    const runs = await api.call<{ data: object[] }>("GET", `/worker-runs?task=${task.id}`);
    expect(expectDone(runs).data).toMatchObject([{ id, state: "CANCELLED" }]);
  });

  it("is refused once anything has happened to the task, and changes nothing", async () => {
    const task = await api.givenTask({ at: { kind: "expert_review", status: "in_review" } });
    const first = await review(task, { outcome: "passed" });
    const second = await review(task, { outcome: "failed" });
    expectProblem(await withdraw(first.review.id), "not_revertible", 409);
    expectDone(await withdraw(second.review.id));
    // The withdrawal of the second is now the last event, so the first stays.
    expectProblem(await withdraw(first.review.id), "not_revertible", 409);
    const third = await review(task, { outcome: "passed", move: { status: "approved" } });
    expectDone(await api.call("POST", `/tasks/${task.id}/advance`, { body: {} }));
    const before = await read(task);
    expectProblem(await withdraw(third.review.id), "not_revertible", 409);
    expect(await read(task)).toEqual(before);
  });

  it("is done once", async () => {
    const task = await api.givenTask({ at: { kind: "expert_review", status: "in_review" } });
    const { review: recorded } = await review(task, { outcome: "passed" });
    expectDone(await withdraw(recorded.id));
    expectProblem(await withdraw(recorded.id), "already_in_status", 409);
  });

  it("is for the person who recorded it, with any credential, and for no one else", async () => {
    const ada = await givenPerson(api);
    const grace = await givenPerson(api, { name: "Grace" });
    const laptop = await givenKeyOf(api, ada);
    const phone = await givenKeyOf(api, ada);
    const others = await givenKeyOf(api, grace);
    const machine = await api.call<{ key: string }>("POST", "/api-keys", {
      body: { name: "A machine", role: "reviewer" },
    });
    const { key } = expectDone(machine, 201);
    const task = await api.givenTask({ at: { kind: "expert_review", status: "in_review" } });
    const own = await review(task, { outcome: "passed" }, { bearer: laptop.key });
    for (const bearer of [others.key, key, api.tenant.keys.admin]) {
      expectProblem(await withdraw(own.review.id, { bearer }), "not_revertible", 409);
    }
    expectDone(await withdraw(own.review.id, { bearer: phone.key }));
    // A machine is each of its credentials.
    const automated = await review(task, { outcome: "failed" }, { bearer: key });
    for (const bearer of [laptop.key, api.tenant.keys.admin]) {
      expectProblem(await withdraw(automated.review.id, { bearer }), "not_revertible", 409);
    }
    expectDone(await withdraw(automated.review.id, { bearer: key }));
  });

  it("lets a service take back its own automated review, but not the verdict of a report", async () => {
    const as = "service";
    const task = await api.givenTask({ at: { kind: "pre_qa", status: "awaiting_review" } });
    const own = await review(task, { kind: "automated", outcome: "failed" }, { as });
    expectDone(await withdraw(own.review.id, { as }));
    const expert = await review(task, { outcome: "failed" });
    expectProblem(await withdraw(expert.review.id, { as }), "forbidden", 403);

    const checked = await api.givenTask({ at: { kind: "pre_qa", status: "queued" } });
    const path = `/tasks/${checked.id}/worker-runs`;
    const run = await api.call<{ id: string }>("POST", path, {
      as,
      body: { type: "QUALITY_AUTOMATION" },
    });
    const body = { state: "SUCCEEDED", verdict: "failed" };
    expectDone(await api.call("PATCH", `/worker-runs/${expectDone(run, 201).id}`, { as, body }));
    const [reported] = await reviewsOf(checked);
    expectProblem(await withdraw(reported?.id ?? "", { as }), "not_revertible", 409);
  });

  it("takes back an approval against a standing failure with the review that it recorded", async () => {
    const task = await api.givenTask({ at: { kind: "pre_qa", status: "awaiting_review" } });
    await review(task, { kind: "automated", outcome: "failed" });
    const body = { status: "approved", reason: "A false alarm" };
    expectDone(await api.call("PATCH", `/steps/${task.currentStep.id}`, { body }));
    const overruling = (await reviewsOf(task)).at(-1);
    const { task: after } = expectDone(await withdraw(overruling?.id ?? ""));
    expect(after).toMatchObject({
      unifiedStatus: "QUALITY_CHECK_FAILED",
      currentStep: { status: "awaiting_review", gate: "awaiting_review" },
    });
  });

  it("comes with the revert of a bulk approval that overruled a failed review", async () => {
    const task = await api.givenTask({ at: { kind: "expert_review", status: "in_review" } });
    await review(task, { outcome: "failed" });
    const post = async (path: string, body: object) =>
      expectDone(
        await api.call<{ operationId: string }>("POST", `/bulk/${path}`, {
          idempotencyKey: crypto.randomUUID(),
          body: { reason: "By mistake", ...body },
        }),
      );
    const change = { taskIds: [task.id], targetStatus: "PASSED" };
    const { operationId } = await post("execute", change);
    expect(await reviewsOf(task)).toMatchObject([
      { outcome: "failed", withdrawn: null },
      { outcome: "passed", withdrawn: null },
    ]);
    await post(`operations/${operationId}/revert`, {});
    expect(await reviewsOf(task)).toMatchObject([
      { outcome: "failed", withdrawn: null },
      { outcome: "passed", withdrawn: { reason: "By mistake" } },
    ]);
    expect((await read(task)).attention).toContain("standing_failure");
    await expectInvariantsHold(api.database);
  });

  it("makes a task a duplicate of the same original again, while that is lawful", async () => {
    const original = await api.givenTask({ at: { kind: "expert_review", status: "in_review" } });
    const duplicate = async () => {
      const task = await api.givenTask({ at: { kind: "expert_review", status: "in_review" } });
      const body = { status: "duplicate", duplicateOf: original.id, reason: "The same" };
      expectDone(await api.call("PATCH", `/steps/${task.currentStep.id}`, { body }));
      const move = { status: "rejected", reason: "Spam" };
      return { task, reviewed: await review(task, { outcome: "failed", move }) };
    };
    const [one, other] = [await duplicate(), await duplicate()];
    const { task: after } = expectDone(await withdraw(one.reviewed.review.id));
    expect(after).toMatchObject({ unifiedStatus: "DUPLICATE", duplicateOf: original.id });
    expect(await read(one.task)).toEqual(after);
    expectDone(await api.call("POST", `/tasks/${original.id}/archive`, { body: {} }));
    expectProblem(await withdraw(other.reviewed.review.id), "not_revertible", 409);
    await expectInvariantsHold(api.database);
  });

  it("puts a hold back that the move had ended", async () => {
    const task = await api.givenTask({ at: { kind: "expert_review", status: "in_review" } });
    const path = `/steps/${task.currentStep.id}/gate`;
    const gate = (to: string) => ({ body: { gate: to, reason: "The author asks for it" } });
    expectDone(await api.call("PATCH", path, gate("blocked")));
    const held = await read(task);
    const move = { status: "rejected", reason: "Spam" };
    const recorded = await review(task, { outcome: "failed", move });
    expect(recorded.task.currentStep.gate).toBe("failed");
    const { task: after } = expectDone(await withdraw(recorded.review.id));
    expect(after.currentStep).toEqual(held.currentStep);
    expect(await read(task)).toEqual(after);
    expectDone(await api.call("PATCH", path, gate("evaluating")));
    expect((await read(task)).currentStep).toEqual(task.currentStep);
    await expectInvariantsHold(api.database);
  });

  it("requires a reason, a reviewer, and a review that exists", async () => {
    const task = await api.givenTask({ at: { kind: "expert_review", status: "in_review" } });
    const { review: recorded } = await review(task, { outcome: "passed" });
    const path = `/reviews/${recorded.id}/withdraw`;
    expectProblem(await api.call("POST", path, { body: {} }), "validation_failed", 400);
    expectProblem(await withdraw(recorded.id, { as: "operator" }), "forbidden", 403);
    expectProblem(await withdraw(crypto.randomUUID()), "not_found", 404);
    const tenant = api.otherTenant;
    expectProblem(await withdraw(recorded.id, { tenant }), "not_found", 404);
  });

  it("is left out of the statistics, like a reverted change", async () => {
    const tenant = await api.givenTenant();
    const at = { kind: "expert_review", status: "in_review" } as const;
    const task = await api.givenTask({ tenant, at });
    const failures = async () => {
      const { stages } = expectDone(
        await api.call<{ stages: { kind: string }[] }>("GET", "/stats/failures", { tenant }),
      );
      return stages.find(({ kind }) => kind === "expert_review");
    };
    const before = await failures();
    const move = { status: "changes_requested", reason: "A gap" };
    const recorded = await review(task, { outcome: "failed", move }, { tenant });
    expect(await failures()).not.toEqual(before);
    expectDone(await withdraw(recorded.review.id, { tenant }));
    expect(await failures()).toEqual(before);
  });
});

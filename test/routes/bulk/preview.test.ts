import { beforeAll, describe, expect, test } from "vitest";
import { expectDone, expectProblem, freshApi, type TestApi } from "../../support/api.ts";
import { execute, preview, rowCounts } from "./support.ts";

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
});

describe("Previewing a bulk change", () => {
  test("returns the decision about each task, in the requested order", async () => {
    const inReview = await api.givenTaskLabelled("IN_REVIEW");
    const draft = await api.givenTaskLabelled("DRAFT", { externalId: "draft-1" });
    const passed = await api.givenTaskLabelled("PASSED");
    const failedDelivery = await api.givenTask({ at: { kind: "delivery", status: "failed" } });
    const unknown = crypto.randomUUID();
    const taskIds = [inReview.id, "ext:draft-1", passed.id, failedDelivery.id, unknown];
    const planned = expectDone(
      await preview(api, { taskIds, targetStatus: "REJECTED", runAttachedWorkflows: true }),
    );
    const to = "REJECTED";
    expect(planned).toEqual({
      targetStatus: to,
      counts: { requested: 5, eligible: 3, refused: 2 },
      bySource: {
        IN_REVIEW: { eligible: 1, refused: 0 },
        DRAFT: { eligible: 0, refused: 1 },
        PASSED: { eligible: 2, refused: 0 },
      },
      byCode: { illegal_target: 1, not_found: 1 },
      pipelines: [],
      items: [
        { taskId: inReview.id, decision: "eligible", from: "IN_REVIEW", to },
        {
          taskId: draft.id,
          decision: "refused",
          code: "illegal_target",
          from: "DRAFT",
          to,
          allowed: [],
        },
        { taskId: passed.id, decision: "eligible", from: "PASSED", to },
        {
          taskId: failedDelivery.id,
          decision: "eligible",
          from: "PASSED",
          to,
          warnings: ["no_verdict", "in_delivery"],
        },
        { taskId: unknown, decision: "refused", code: "not_found", from: null, to, allowed: [] },
      ],
      planToken: expect.stringMatching(/^[\w-]+$/),
      expiresAt: expect.stringMatching(/Z$/),
      primaryLabel: "Change Status Only (3)",
    });
    const minutes = (Date.parse(planned.expiresAt) - Date.now()) / 60_000;
    expect(Math.round(minutes)).toBe(60);
  });

  test("warns of a worker that is still running", async () => {
    const task = await api.givenTask({ at: { kind: "output_generation", status: "failed" } });
    const run = expectDone(
      await api.call<{ id: string }>("POST", `/tasks/${task.id}/worker-runs`, {
        as: "service",
        body: { type: "EXPERT_REVIEW" },
      }),
      201,
    );
    const report = { as: "service", body: { state: "RUNNING" } } as const;
    expectDone(await api.call("PATCH", `/worker-runs/${run.id}`, report));
    const body = { taskIds: [task.id], targetStatus: "REJECTED" } as const;
    expect(expectDone(await preview(api, body)).items[0]?.warnings).toEqual([
      "worker_live",
      "no_verdict",
    ]);
  });

  test("takes one round trip for 1,000 tasks, and writes nothing", async () => {
    const taskIds = await api.givenTasks(500);
    const strangers = Array.from({ length: 500 }, () => crypto.randomUUID());
    const body = { taskIds: [...taskIds, ...strangers], targetStatus: "PASSED" } as const;
    const before = await rowCounts(api);
    const roundTrips = await api.roundTripsOf(async () => {
      expect(expectDone(await preview(api, body)).counts.requested).toBe(1000);
    });
    expect(roundTrips).toBe(1);
    expect(await rowCounts(api)).toEqual(before);
  });

  test("counts a task once, at its first position, by whatever names it is given", async () => {
    const first = await api.givenTaskLabelled("PASSED", { externalId: "twice" });
    const other = await api.givenTaskLabelled("PASSED");
    const taskIds = [first.id.toUpperCase(), other.id, "ext:twice", first.id, other.id];
    const planned = expectDone(await preview(api, { taskIds, targetStatus: "REJECTED" }));
    expect(planned.items.map(({ taskId }) => taskId)).toEqual([first.id, other.id]);
    expect(planned.counts.requested).toBe(2);
  });

  test("shows the first 1,000 decisions and every refusal, and counts all", async () => {
    const start = { kind: "expert_review", status: "approved", reason: "Begun elsewhere" };
    const taskIds: string[] = [];
    for (let part = 0; part < 3; part += 1) {
      const tasks = Array.from({ length: 400 }, () => ({ title: "One of many", start }));
      const imported = await api.call<{ items: { id: string }[] }>("POST", "/tasks/import", {
        body: { tasks },
      });
      taskIds.push(...expectDone(imported).items.map(({ id }) => id));
    }
    const refused = ["nobody", crypto.randomUUID()];
    const body = { taskIds: [...taskIds, ...refused], targetStatus: "REJECTED" } as const;
    const planned = expectDone(await preview(api, body));
    expect(planned.counts).toEqual({ requested: 1202, eligible: 1200, refused: 2 });
    expect(planned.items).toHaveLength(1002);
    expect(planned.items.slice(1000).map(({ taskId }) => taskId)).toEqual(refused);
  });

  test("plans thousands of tasks in parts, as one plan", async () => {
    const task = await api.givenTaskLabelled("PASSED", { externalId: "in-two-parts" });
    const strangers = Array.from({ length: 5000 }, () => crypto.randomUUID());
    const taskIds = [task.id, ...strangers, "ext:in-two-parts"];
    const roundTrips = await api.roundTripsOf(async () => {
      const planned = expectDone(await preview(api, { taskIds, targetStatus: "REJECTED" }));
      expect(planned.counts).toEqual({ requested: 5001, eligible: 1, refused: 5000 });
      expect(planned.byCode).toEqual({ not_found: 5000 });
      expect(planned.bySource).toEqual({ PASSED: { eligible: 1, refused: 0 } });
    });
    expect(roundTrips).toBe(2);
  });

  test("accepts a filter, and returns the ids of the tasks that match", async () => {
    const assignee = "the one who left";
    const passed = await api.givenTaskLabelled("PASSED", { assignee });
    const draft = await api.givenTaskLabelled("DRAFT", { assignee });
    await api.givenTaskLabelled("PASSED", { assignee: "somebody else" });
    const targetStatus = "REJECTED";
    const planned = expectDone(await preview(api, { filter: { assignee }, targetStatus }));
    expect(planned.taskIds).toEqual([passed.id, draft.id]);
    expect(planned.counts).toEqual({ requested: 2, eligible: 1, refused: 1 });

    const nobody = { filter: { assignee: "nobody" }, targetStatus } as const;
    expect(expectDone(await preview(api, nobody))).toMatchObject({
      taskIds: [],
      items: [],
      counts: { requested: 0 },
      primaryLabel: "Change Status Only (0)",
    });
  });

  test("is open to every role, while execution requires a reviewer", async () => {
    const body = { taskIds: [crypto.randomUUID()], targetStatus: "PASSED" } as const;
    for (const as of ["viewer", "operator", "reviewer", "admin", "service"] as const) {
      expect((await preview(api, body, { as })).status).toBe(200);
    }
    for (const as of ["viewer", "operator", "service"] as const) {
      const problem = expectProblem(await execute(api, body, { as }), "forbidden", 403);
      expect(problem["required"]).toBe("reviewer");
    }
  });
});

describe("Previewing a bulk change rejects", () => {
  test("an empty list of tasks, tasks with a filter, and neither", async () => {
    const targetStatus = "PASSED";
    for (const body of [
      { taskIds: [], targetStatus },
      { targetStatus },
      { taskIds: ["one"], filter: {}, targetStatus },
    ] as const) {
      expectProblem(await preview(api, body), "validation_failed", 400);
    }
  });

  test("more than 50,000 tasks, and names the limit", async () => {
    const taskIds = Array.from({ length: 50_001 }, (_, index) => `t${index}`);
    const answer = await preview(api, { taskIds, targetStatus: "PASSED" });
    expect(expectProblem(answer, "too_many_items", 400).max).toBe(50_000);
  });

  test("labels that are not bulk targets", async () => {
    const body = { taskIds: ["one"], targetStatus: "DELIVERED" };
    const answer = await api.call("POST", "/bulk/preview", { body });
    expectProblem(answer, "validation_failed", 400);
  });
});

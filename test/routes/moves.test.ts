import { beforeAll, describe, expect, it } from "vitest";
import type { MovedMany } from "../../src/actions/moves/move-tasks.ts";
import { expectDone, expectProblem, freshApi, type TestApi } from "../support/api.ts";

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
});

const move = (moves: object[], options: object = {}, more: object = {}) =>
  api.call<MovedMany>("POST", "/moves", { body: { moves, ...more }, ...options });

describe("Moving many tasks in one call", () => {
  it("decides each move on its own", async () => {
    const [queued, approved, running] = [
      await api.givenTask(),
      await api.givenTask({ at: { kind: "ingestion", status: "approved" } }),
      await api.givenTask({ at: { kind: "authoring", status: "running" }, externalId: "by-name" }),
    ];
    const answer = await move([
      { task: queued.id, status: "running" },
      { task: approved.id, advance: true },
      { task: "ext:by-name", rework: "ingestion", reason: "Begin again" },
      { task: crypto.randomUUID(), status: "running" },
    ]);
    const { counts, items } = expectDone(answer);
    expect(counts).toEqual({ requested: 4, changed: 3, refused: 1, stale: 0 });
    expect(items).toEqual([
      { index: 0, outcome: "changed", eventSeq: queued.eventSeq + 1 },
      { index: 1, outcome: "changed", eventSeq: approved.eventSeq + 1 },
      { index: 2, outcome: "changed", eventSeq: running.eventSeq + 1 },
      { index: 3, outcome: "refused", error: "not_found" },
    ]);
  });

  it("reports what would have been allowed, and which tasks had changed", async () => {
    const task = await api.givenTask();
    const other = await api.givenTask();
    const { items } = expectDone(
      await move([
        { task: task.id, status: "approved" },
        { task: other.id, status: "running", ifSeq: 9 },
      ]),
    );
    expect(items).toEqual([
      { index: 0, outcome: "refused", error: "invalid_transition", allowed: ["running", "failed"] },
      { index: 1, outcome: "stale", error: "stale" },
    ]);
  });

  it("runs pipelines only if the caller opted in", async () => {
    const tasks = await Promise.all(
      [1, 2].map(() => api.givenTask({ at: { kind: "authoring", status: "approved" } })),
    );
    const [withoutPipelines, withPipelines] = tasks.map(({ id }) => id);
    expectDone(await move([{ task: withoutPipelines, advance: true }]));
    expectDone(
      await move([{ task: withPipelines, advance: true }], {}, { runAttachedWorkflows: true }),
    );
    const rows = await api.database.query(
      "owner",
      "select task_id, pipeline from pipeline_dispatches where task_id = any ($1)",
      [[withoutPipelines ?? "", withPipelines ?? ""]],
    );
    expect(rows).toEqual([{ task_id: withPipelines, pipeline: "quality_automation" }]);
  });

  describe("rejects a call that names a task twice, and changes nothing,", () => {
    const lawful = { status: "running" };
    const refused = { status: "approved" };
    const stale = { status: "running", ifSeq: 9 };

    it.each([
      ["if both moves are lawful", lawful, { status: "failed" }],
      ["if the first move is refused", refused, lawful],
      ["if the second move is refused", lawful, refused],
      ["if both are refused", refused, refused],
      ["if one is stale", lawful, stale],
      ["if both are stale", stale, stale],
    ])("%s", async (_, first, second) => {
      const task = await api.givenTask({ externalId: crypto.randomUUID() });
      const other = await api.givenTask();
      const names = [task.id, task.id.toUpperCase(), `ext:${task.externalId}`];
      for (const [one, two] of names.flatMap((name) =>
        names.map((more) => [name, more] as const),
      )) {
        const answer = await move([
          { task: one, ...first },
          { task: other.id, status: "running" },
          { task: two, ...second },
        ]);
        expect(expectProblem(answer, "validation_failed", 400).issues).toMatchObject([
          { path: ["moves", 2, "task"], code: "repeated_task" },
        ]);
      }
      for (const { id } of [task, other]) {
        expect(expectDone(await api.call("GET", `/tasks/${id}`))).toMatchObject({ eventSeq: 1 });
      }
    });

    it("if the task does not exist", async () => {
      const id = crypto.randomUUID();
      for (const [one, two] of [
        [id, id.toUpperCase()],
        ["ext:nobody", "ext:nobody"],
      ]) {
        const answer = await move([
          { task: one, ...lawful },
          { task: two, ...lawful },
        ]);
        expectProblem(answer, "validation_failed", 400);
      }
    });
  });

  it("stores the answer under its key even if every move was refused", async () => {
    const task = await api.givenTask();
    const call = (status: string) =>
      move([{ task: task.id, status }], { idempotencyKey: "refused" });
    const first = await call("approved");
    expect(expectDone(first).counts).toMatchObject({ refused: 1 });
    for (const status of ["running", "awaiting_review"]) {
      const body = { status };
      expectDone(await api.call("PATCH", `/steps/${task.currentStep.id}`, { body }));
    }
    // The move has become lawful, but the repeat still gets the first answer.
    expect((await call("approved")).text).toBe(first.text);
    expectProblem(await call("rejected"), "idempotency_key_reused", 422);
  });

  it("requires exactly one kind of move for each task", async () => {
    const task = await api.givenTask();
    expectProblem(await move([{ task: task.id }]), "validation_failed", 400);
    expectProblem(
      await move([{ task: task.id, status: "running", advance: true }]),
      "validation_failed",
      400,
    );
    expectProblem(await move([{ task: task.id, rework: "ingestion" }]), "validation_failed", 400);
  });

  it("moves 1,000 tasks in two round trips, and answers a repeat with the same bytes", async () => {
    const ids = [...(await api.givenTasks(500)), ...(await api.givenTasks(500))];
    const moves = ids.map((task) => ({ task, status: "running" }));
    const call = () => move(moves, { idempotencyKey: "thousand" });
    let first = "";
    const trips = await api.roundTripsOf(async () => {
      const answer = await call();
      expect(expectDone(answer).counts).toMatchObject({ changed: 1000 });
      first = answer.text;
    });
    expect(trips).toBe(2);
    const again = await call();
    expect(again.text).toBe(first);
    expect(again.headers.get("idempotency-replayed")).toBe("true");
  });
});

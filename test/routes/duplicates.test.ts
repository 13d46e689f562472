import { beforeAll, describe, expect, test } from "vitest";
import type { Moved } from "../../src/actions/moves/move-task.ts";
import type { TaskView } from "../../src/actions/views/task-view.ts";
import { type Answer, expectDone, freshApi, type TestApi } from "../support/api.ts";
import { expectInvariantsHold } from "../support/model/invariants.ts";
import { openTransaction, untilBlocked } from "../support/model/locks.ts";
import { silenceLog } from "../support/model/quiet.ts";
import { addNote, execute, planTokenFor, preview, revert } from "./bulk/support.ts";

silenceLog();

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
});

const REVIEWED = { kind: "expert_review", status: "awaiting_review" } as const;
const given = () => api.givenTask({ at: REVIEWED });

const to = (
  task: TaskView,
  body: { status: string; duplicateOf?: string },
): Promise<Answer<Moved>> =>
  api.call<Moved>("PATCH", `/steps/${task.currentStep.id}`, {
    body: { reason: "Seen before", ...body },
  });

const mark = (task: TaskView, original?: TaskView) =>
  to(task, { status: "duplicate", ...(original && { duplicateOf: original.id }) });

const read = async ({ id }: Pick<TaskView, "id">) =>
  expectDone(await api.call<TaskView>("GET", `/tasks/${id}`));

const listed = async (original: string, more = "") => {
  const page = await api.call<{ data: TaskView[] }>(
    "GET",
    `/tasks?duplicateOf=${encodeURIComponent(original)}${more}`,
  );
  return expectDone(page)
    .data.map(({ id }) => id)
    .toSorted();
};

const ids = (...tasks: readonly TaskView[]) => tasks.map(({ id }) => id).toSorted();

/** The ways to make an original one that a duplicate cannot name. */
const endings: Record<string, (task: TaskView) => Promise<unknown>> = {
  duplicate: async (task) => expectDone(await mark(task)),
  rejected: async (task) => expectDone(await to(task, { status: "rejected" })),
  archived: async (task) => expectDone(await api.call("POST", `/tasks/${task.id}/archive`)),
};

describe("a duplicate", () => {
  test("shows the task that it names, by id or external id, until it leaves the status", async () => {
    const original = await api.givenTask({ at: REVIEWED, externalId: "the original" });
    const task = await given();
    const { task: marked } = expectDone(
      await to(task, { status: "duplicate", duplicateOf: "ext:the original" }),
    );
    expect(marked.duplicateOf).toBe(original.id);
    await addNote(api, task.id);
    expect(await read(task)).toMatchObject({ duplicateOf: original.id });
    expect(await listed(original.id)).toEqual([task.id]);
    expect(await listed("ext:the original")).toEqual([task.id]);
    const past = await api.call<TaskView>("GET", `/tasks/${task.id}?asOf=seq:${marked.eventSeq}`);
    expect(expectDone(past).duplicateOf).toBe(original.id);

    expect(expectDone(await to(task, { status: "rejected" })).task.duplicateOf).toBeNull();
    expect(await listed(original.id)).toEqual([]);
    expect(expectDone(await mark(task)).task.duplicateOf).toBeNull();
    expect(await listed(original.id)).toEqual([]);
  });

  test.each(["rework", "versions"])("names nothing after %s", async (call) => {
    const [original, task] = [await given(), await given()];
    expectDone(await mark(task, original));
    const body =
      call === "rework" ? { toKind: "pre_qa", reason: "Again" } : { content: {}, reason: "Better" };
    const left = await api.call<Moved>("POST", `/tasks/${task.id}/${call}`, {
      body,
      as: "reviewer",
    });
    expect(left.status).toBeLessThan(300);
    expect(left.body).toMatchObject({ task: { duplicateOf: null } });
    expect(await listed(original.id)).toEqual([]);
    expectDone(await mark(original));
  });

  test("can name a task in any state but three", async () => {
    for (const at of [
      { kind: "ingestion", status: "queued" },
      { kind: "pre_qa", status: "failed" },
      { kind: "expert_review", status: "changes_requested" },
      { kind: "delivery", status: "approved" },
    ] as const) {
      const original = await api.givenTask({ at });
      expect(expectDone(await mark(await given(), original)).task.duplicateOf).toBe(original.id);
    }
  });

  test.each(Object.entries(endings))("cannot name a task that is %s", async (_, end) => {
    const [original, task, other] = [await given(), await given(), await given()];
    await end(original);
    const expected = { error: "conflict", existing: { id: original.id } };

    expect((await mark(task, original)).body).toMatchObject(expected);
    const review = { kind: "expert", outcome: "failed", stepId: task.currentStep.id };
    const move = { status: "duplicate", duplicateOf: original.id, reason: "Seen before" };
    const reviewed = await api.call("POST", `/tasks/${task.id}/reviews`, {
      body: { ...review, move },
    });
    expect(reviewed).toMatchObject({ status: 409, body: expected });
    const change = {
      taskIds: [task.id, other.id],
      targetStatus: "DUPLICATE",
      duplicateOf: original.id,
    } as const;
    expect(await preview(api, change)).toMatchObject({ status: 409, body: expected });
    expect(await execute(api, change)).toMatchObject({ status: 409, body: expected });
    expect(await read(task)).toEqual(task);
    expect(await read(other)).toEqual(other);
  });

  test.each(Object.entries(endings))(
    "cannot name a task that is %s while the call waits for it",
    async (_, end) => {
      const [original, task] = [await given(), await given()];
      const held = await openTransaction(api.database, [
        { text: "select from tasks where id = $1 for no key update", values: [original.id] },
      ]);
      const ending = end(original);
      await untilBlocked(api.database);
      const marking = mark(task, original);
      await untilBlocked(api.database, 2);
      await held.end();
      await ending;
      const expected = { error: "conflict", existing: { id: original.id } };
      expect((await marking).body).toMatchObject(expected);
    },
  );

  test("keeps its original, whatever becomes of that, and only new duplicates are refused", async () => {
    const [rejected, archived, reworked] = [await given(), await given(), await given()];
    const named = await Promise.all(
      [rejected, archived, reworked].map(async (original) => {
        const task = await given();
        return expectDone(await mark(task, original)).task;
      }),
    );
    await endings["rejected"]?.(rejected);
    await endings["archived"]?.(archived);
    const rework = { body: { toKind: "pre_qa", reason: "Again" }, as: "reviewer" } as const;
    expectDone(await api.call("POST", `/tasks/${reworked.id}/rework`, rework));
    for (const task of named) expect(await read(task)).toEqual(task);
  });
});

describe("a task that duplicates name", () => {
  test("cannot become a duplicate, alone, with a review, in /moves or in bulk", async () => {
    const [original, another] = [await given(), await given()];
    const duplicates = [await given(), await given()];
    for (const task of duplicates) expectDone(await mark(task, original));
    const refused = {
      status: 409,
      body: { error: "conflict", namedBy: ids(...duplicates), isNamedByMore: false },
    };
    expect(await mark(original)).toMatchObject(refused);
    expect(await mark(original, another)).toMatchObject(refused);
    const reviewed = await api.call("POST", `/tasks/${original.id}/reviews`, {
      body: {
        kind: "expert",
        outcome: "failed",
        stepId: original.currentStep.id,
        move: { status: "duplicate", reason: "Seen before" },
      },
    });
    expect(reviewed).toMatchObject(refused);

    const moves = [original, another].map(({ id }) => ({
      task: id,
      status: "duplicate",
      reason: "Seen before",
    }));
    const moved = await api.call<{ items: object[] }>("POST", "/moves", { body: { moves } });
    expect(expectDone(moved).items).toEqual([
      { index: 0, outcome: "refused", error: "conflict" },
      expect.objectContaining({ index: 1, outcome: "changed" }),
    ]);

    const change = { taskIds: [original.id], targetStatus: "DUPLICATE" } as const;
    const planned = expectDone(await preview(api, change));
    expect(planned.items).toMatchObject([{ decision: "refused", code: "conflict" }]);
    expect(planned.byCode).toEqual({ conflict: 1 });
    expect(expectDone(await execute(api, change)).items).toMatchObject([
      { outcome: "refused", code: "conflict" },
    ]);
    expect(await read(original)).toEqual(original);

    for (const task of duplicates) expectDone(await to(task, { status: "rejected" }));
    expectDone(await mark(original));
  });

  test("cannot become a duplicate while the call that names it is under way", async () => {
    const [original, another, duplicate] = [await given(), await given(), await given()];
    const held = await openTransaction(api.database, [
      { text: "select from tasks where id = $1 for no key update", values: [original.id] },
    ]);
    const naming = mark(duplicate, original);
    await untilBlocked(api.database);
    const marking = mark(original, another);
    await untilBlocked(api.database, 2);
    await held.end();
    expectDone(await naming);
    const refused = { error: "conflict", namedBy: [duplicate.id] };
    expect((await marking).body).toMatchObject(refused);
  });

  test("is not offered the move by another refusal", async () => {
    const [original, task] = [await given(), await given()];
    const next = async () => {
      const { body } = await to(original, { status: "queued" });
      return (body as unknown as { next: { body: { status?: string } }[] }).next.map(
        (call) => call.body.status,
      );
    };
    expect(await next()).toContain("duplicate");
    expectDone(await mark(task, original));
    expect(await next()).not.toContain("duplicate");
    expect(await next()).toContain("rejected");
  });

  test("is still named by an archived duplicate, which would be one again if it were restored", async () => {
    const [original, task] = [await given(), await given()];
    expectDone(await mark(task, original));
    await endings["archived"]?.(task);
    expect((await mark(original)).body).toMatchObject({ error: "conflict", namedBy: [task.id] });
    expect(await listed(original.id)).toEqual([]);
    expect(await listed(original.id, "&archived=true")).toEqual([task.id]);
  });

  test("lists the first 100 of its duplicates and says that there are more", async () => {
    const original = await given();
    const imported = await api.call<{ items: { id: string }[] }>("POST", "/tasks/import", {
      body: {
        tasks: Array.from({ length: 101 }, (_, index) => ({
          title: `Copy ${index}`,
          start: { kind: "expert_review", status: "queued", reason: "As it was" },
        })),
      },
    });
    const copies = expectDone(imported).items.map(({ id }) => id);
    const change = {
      taskIds: copies,
      targetStatus: "DUPLICATE",
      duplicateOf: original.id,
    } as const;
    expect(expectDone(await execute(api, change)).counts.changed).toBe(101);
    const { body } = await mark(original);
    expect(body).toMatchObject({ namedBy: copies.toSorted().slice(0, 100), isNamedByMore: true });
  });
});

describe("a bulk change to DUPLICATE", () => {
  test("leaves out the original itself", async () => {
    const [original, task] = [await given(), await given()];
    const answer = await execute(api, {
      taskIds: [original.id, task.id],
      targetStatus: "DUPLICATE",
      duplicateOf: original.id,
    });
    expect(expectDone(answer).items).toMatchObject([
      { outcome: "refused", code: "self_duplicate" },
      { outcome: "changed" },
    ]);
    expect(await listed(original.id)).toEqual([task.id]);
  });

  test("is not disturbed by a note on the original, or by any state that it can be named in", async () => {
    const [original, task] = [await given(), await given()];
    const change = {
      taskIds: [task.id],
      targetStatus: "DUPLICATE",
      duplicateOf: original.id,
    } as const;
    const planToken = await planTokenFor(api, change);
    await addNote(api, original.id);
    expectDone(await to(original, { status: "in_review" }));
    expect(expectDone(await execute(api, { ...change, planToken })).counts.changed).toBe(1);
  });

  test.each(Object.entries(endings))(
    "is stale as a whole if the original is %s since the preview",
    async (_, end) => {
      const [original, task, ended] = [await given(), await given(), await given()];
      await endings["archived"]?.(ended);
      const change = {
        taskIds: [task.id, ended.id],
        targetStatus: "DUPLICATE",
        duplicateOf: original.id,
      } as const;
      const planToken = await planTokenFor(api, change);
      await end(original);
      const aborted = await execute(api, { ...change, planToken });
      expect(aborted).toMatchObject({
        status: 409,
        body: { error: "plan_stale", changed: [{ taskId: task.id, code: "conflict" }] },
      });
      const { items } = expectDone(await execute(api, { ...change, planToken, onStale: "skip" }));
      expect(items).toMatchObject([{ outcome: "stale", code: "stale" }, { code: "archived" }]);
      expect(await read(task)).toEqual(task);
    },
  );
});

describe("the revert of a bulk change", () => {
  const rejectedDuplicate = async () => {
    const [original, task] = [await given(), await given()];
    expectDone(await mark(task, original));
    const change = { taskIds: [task.id], targetStatus: "REJECTED" } as const;
    const { operationId } = expectDone(await execute(api, change));
    return { original, task, operationId };
  };

  test("makes a task a duplicate of the same original again", async () => {
    const { original, task, operationId } = await rejectedDuplicate();
    expect((await read(task)).duplicateOf).toBeNull();
    expect((await revert(api, operationId)).counts.changed).toBe(1);
    expect(await read(task)).toMatchObject({
      unifiedStatus: "DUPLICATE",
      duplicateOf: original.id,
    });
    expect(await listed(original.id)).toEqual([task.id]);
    expect((await mark(original)).body).toMatchObject({ namedBy: [task.id] });
  });

  test.each(Object.entries(endings))("leaves it if the original is %s by then", async (_, end) => {
    const { original, task, operationId } = await rejectedDuplicate();
    await end(original);
    const { items } = await revert(api, operationId);
    expect(items).toMatchObject([{ outcome: "stale", code: "stale" }]);
    expect(await read(task)).toMatchObject({ unifiedStatus: "REJECTED" });
  });

  test("does not close a ring", async () => {
    const { original, task, operationId } = await rejectedDuplicate();
    const restored = await api.call<Moved>("POST", `/tasks/${task.id}/rework`, {
      body: { toKind: "expert_review", reason: "Again" },
      as: "reviewer",
    });
    expectDone(await mark(original, expectDone(restored).task));
    expect((await revert(api, operationId)).items).toMatchObject([{ outcome: "stale" }]);
  });

  test("of the change that made it one frees the original", async () => {
    const [original, task] = [await given(), await given()];
    const { operationId } = expectDone(
      await execute(api, {
        taskIds: [task.id],
        targetStatus: "DUPLICATE",
        duplicateOf: original.id,
      }),
    );
    expect((await revert(api, operationId)).counts.changed).toBe(1);
    expect(await read(task)).toMatchObject({ duplicateOf: null });
    expectDone(await mark(original, task));
  });
});

describe("the withdrawal of a review that rejected a duplicate", () => {
  const rejectedByReview = async () => {
    const [original, task] = [await given(), await given()];
    expectDone(await mark(task, original));
    const reviewed = await api.call<{ review: { id: string } }>(
      "POST",
      `/tasks/${task.id}/reviews`,
      {
        body: {
          kind: "expert",
          outcome: "failed",
          stepId: task.currentStep.id,
          move: { status: "rejected", reason: "Not wanted" },
        },
      },
    );
    const path = `/reviews/${expectDone(reviewed, 201).review.id}/withdraw`;
    const withdraw = () => api.call<Moved>("POST", path, { body: { reason: "A mistake" } });
    expect((await read(task)).duplicateOf).toBeNull();
    return { original, task, withdraw };
  };

  test("makes the task a duplicate of the same original again", async () => {
    const { original, task, withdraw } = await rejectedByReview();
    const { body } = await withdraw();
    expect(body).toMatchObject({
      task: { unifiedStatus: "DUPLICATE", duplicateOf: original.id },
    });
    expect(await listed(original.id)).toEqual([task.id]);
  });

  test.each(Object.entries(endings))("is refused if the original is %s by then", async (_, end) => {
    const { original, task, withdraw } = await rejectedByReview();
    await end(original);
    const before = await read(task);
    expect(await withdraw()).toMatchObject({ status: 409, body: { error: "not_revertible" } });
    expect(await read(task)).toEqual(before);
  });
});

test("a task that is imported as a duplicate names none", async () => {
  const start = { kind: "pre_qa", status: "duplicate", reason: "As it was" };
  const answer = await api.call<TaskView>("POST", "/tasks", { body: { title: "Copy", start } });
  const task = expectDone(answer, 201);
  expect(task).toMatchObject({ unifiedStatus: "DUPLICATE", duplicateOf: null });
  expect((await mark(await given(), task)).body).toMatchObject({ error: "conflict" });
});

test("all of this keeps every invariant", () => expectInvariantsHold(api.database));

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connect, eachItem, type Stepledger, StepledgerProblem } from "../../client/index.ts";
import { startService, type TestService } from "../support/node/service.ts";

let service: TestService;
let stepledger: Stepledger;

beforeAll(async () => {
  service = await startService();
  stepledger = connect({ baseUrl: service.baseUrl, key: service.tenant.keys.admin });
});
afterAll(() => service.stop());

/** Expects the call to reject with a problem and returns it. */
async function problemOf(call: Promise<unknown>): Promise<StepledgerProblem> {
  const error = await call.then(
    () => null,
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(StepledgerProblem);
  // The expectation above makes the cast safe.
  return error as StepledgerProblem;
}

describe("the typed client against the running service", () => {
  test("creates, moves and reads a task with its path, query, body and condition", async () => {
    const task = await stepledger.createTask({
      body: { title: "Count the ducks", externalId: "ducks/1 of 2", assignee: "ada" },
    });
    expect(task).toMatchObject({ title: "Count the ducks", unifiedStatus: "DRAFT" });

    const params = { taskId: "ext:ducks/1 of 2" };
    expect((await stepledger.getTask({ params })).id).toBe(task.id);

    const moved = await stepledger.transitionStep({
      params: { stepId: task.currentStep.id },
      body: { status: "running", reason: "Counting has started" },
      ifMatch: task.eventSeq,
    });
    expect(moved.task.currentStep.status).toBe("running");
    expect(moved.events.map(({ reason }) => reason)).toEqual(["Counting has started"]);

    const asOf = await stepledger.getTask({ params, query: { asOf: `seq:${task.eventSeq}` } });
    expect(asOf.currentStep.status).toBe("queued");
    const { data } = await stepledger.listTasks({
      query: { unifiedStatus: ["DRAFT", "PASSED"], assignee: "ada", archived: false },
    });
    expect(data.map(({ id }) => id)).toEqual([task.id]);
  });

  test("rejects with a problem that lists the allowed values and calls", async () => {
    const task = await stepledger.createTask({ body: { title: "Jump ahead" } });
    const problem = await problemOf(
      stepledger.transitionStep({
        params: { stepId: task.currentStep.id },
        body: { status: "approved" },
        requestId: "jump-1",
      }),
    );
    expect(problem).toMatchObject({
      error: "invalid_transition",
      status: 409,
      retry: "reload",
      requestId: "jump-1",
      existing: null,
    });
    expect(problem.allowed).toContain("running");
    expect(problem.next.length).toBeGreaterThan(0);
    expect(problem.message).toContain("invalid_transition: ");
    expect(problem.problem["from"]).toBe("queued");
  });

  test("reports the existing object of a conflict, invalid input and a failed condition", async () => {
    const body = { title: "Only once", externalId: "once" };
    const task = await stepledger.createTask({ body });
    const conflict = await problemOf(stepledger.createTask({ body }));
    expect(conflict).toMatchObject({ error: "conflict", existing: { id: task.id } });

    const invalid = await problemOf(stepledger.createTask({ body: { title: "" } }));
    expect(invalid.issues[0]?.path).toEqual(["title"]);

    const edit = { params: { taskId: task.id }, body: { priority: 7 }, ifMatch: 99 };
    expect((await problemOf(stepledger.editTask(edit))).error).toBe("version_conflict");
  });

  test("can call only public operations without a key", async () => {
    const anonymous = connect({ baseUrl: `${service.baseUrl}/` });
    expect((await problemOf(anonymous.getMe())).error).toBe("unauthenticated");
    expect(await anonymous.getHealth()).toEqual({ status: "ok" });
  });

  test("generates an idempotency key for each write, or uses the caller's", async () => {
    const write = { body: { title: "Kept apart" }, idempotencyKey: "the-callers-own" };
    const [one, other] = [await stepledger.createTask(write), await stepledger.createTask(write)];
    expect(other).toEqual(one);
    const { body } = write;
    const third = await stepledger.createTask({ body });
    expect((await stepledger.createTask({ body })).id).not.toBe(third.id);
  });

  test("applies a write once if its first response is lost after the commit", async () => {
    const reasons: string[] = [];
    let isLost = false;
    const unlucky = connect({
      baseUrl: service.baseUrl,
      key: service.tenant.keys.operator,
      fetch: async (url, init) => {
        const response = await fetch(url, init);
        if (isLost) return response;
        isLost = true;
        await response.arrayBuffer();
        throw new TypeError("fetch failed", { cause: new Error("other side closed") });
      },
      onRetry: ({ operationId, reason }) => reasons.push(`${operationId}: ${reason}`),
      wait: async () => {},
    });
    const task = await unlucky.createTask({ body: { title: "Lost and found" } });
    const { data } = await stepledger.listTasks({ query: { q: "Lost and found" } });
    expect(data.map(({ id }) => id)).toEqual([task.id]);
    expect(reasons).toEqual([`createTask: Cannot reach ${service.baseUrl}: other side closed`]);
  });

  test("yields every item of a list once, page by page, optionally from a cursor", async () => {
    const titles = Array.from({ length: 7 }, (_, index) => `Page me ${index}`);
    const { items } = await stepledger.importTasks({
      body: { tasks: titles.map((title) => ({ title })) },
    });
    expect(items).toHaveLength(7);
    const query = { q: "Page me", limit: 3, sort: "title" } as const;
    const seen: string[] = [];
    for await (const task of eachItem(stepledger.listTasks, { query })) seen.push(task.title);
    expect(seen).toEqual(titles);

    const { nextCursor } = await stepledger.listTasks({ query });
    const rest: string[] = [];
    const input = { query: { ...query, cursor: nextCursor ?? undefined } };
    for await (const task of eachItem(stepledger.listTasks, input)) rest.push(task.title);
    expect(rest).toEqual(titles.slice(3));
  });

  test("previews and executes a bulk change", async () => {
    const task = await stepledger.createTask({
      body: {
        title: "Twice the same",
        start: { kind: "pre_qa", status: "awaiting_review", reason: "Comes from elsewhere" },
      },
    });
    const change = { taskIds: [task.id], targetStatus: "REJECTED" } as const;
    const plan = await stepledger.previewBulk({ body: change });
    const { planToken } = plan;
    const done = await stepledger.executeBulk({ body: { ...change, planToken, reason: "Dull" } });
    if (!("items" in done)) expect.fail("The service changes a single task before it answers");
    expect(done.items.map(({ outcome }) => outcome)).toEqual(
      plan.items.map(({ decision }) => (decision === "eligible" ? "changed" : "refused")),
    );
  });

  test("sends content as bytes and returns content as a stream", async () => {
    const task = await stepledger.createTask({ body: { title: "With an answer" } });
    const content = new TextEncoder().encode("Forty-two ✓");
    const digest = await crypto.subtle.digest("SHA-256", content);
    const declared = await stepledger.declareData({
      params: { taskId: task.id },
      body: {
        kind: "generated",
        contentType: "text/plain",
        sizeBytes: content.byteLength,
        sha256: Buffer.from(digest).toString("hex"),
      },
    });
    const params = { dataId: declared.id };
    const stored = await stepledger.storeContent({ params, body: new Blob([content]) });
    expect(stored.id).toBe(declared.id);
    expect(await (await stepledger.getContent({ params })).text()).toBe("Forty-two ✓");

    const missing = { params: { dataId: task.id } };
    expect((await problemOf(stepledger.getContent(missing))).error).toBe("not_found");
  });
});

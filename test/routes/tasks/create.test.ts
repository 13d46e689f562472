import { beforeAll, describe, expect, it } from "vitest";
import type { StepEventView } from "../../../src/actions/views/event-view.ts";
import type { TaskView } from "../../../src/actions/views/task-view.ts";
import { contentHash } from "../../../src/actions/tasks/content-hash.ts";
import { STEP_KINDS } from "../../../src/domain/lifecycle/statuses.ts";
import { startStatuses } from "../../../src/domain/lifecycle/transitions.ts";
import { expectDone, expectProblem, freshApi, type TestApi } from "../../support/api.ts";

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
});

const create = (body: unknown, options = {}) =>
  api.call<TaskView>("POST", "/tasks", { as: "operator", body, ...options });

describe("Creating a task", () => {
  it("returns the task, its address and its entity tag", async () => {
    const answer = await create({
      title: "A sum",
      externalId: "sum-1",
      taxonomyCode: "math",
      priority: 7,
      assignee: "reviewers",
    });
    const task = expectDone(answer, 201);
    expect(task).toMatchObject({
      externalId: "sum-1",
      title: "A sum",
      taxonomyCode: "math",
      priority: 7,
      assignee: "reviewers",
      unifiedStatus: "DRAFT",
      attention: [],
      currentStep: { kind: "ingestion", attempt: 1, status: "queued", gate: "locked" },
      activeVersion: { number: 1 },
      eventSeq: 1,
      archivedAt: null,
    });
    expect(task.createdAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    expect([task.updatedAt, task.statusSince]).toEqual([task.createdAt, task.createdAt]);
    expect(answer.headers.get("location")).toBe(`/v1/tasks/${task.id}`);
    expect(answer.headers.get("etag")).toBe('"1"');
    const read = await api.call<TaskView>("GET", `/tasks/${task.id}`);
    expect(read.body).toEqual(task);
  });

  it("uses defaults for absent fields", async () => {
    const task = expectDone(await create({ title: "Bare" }), 201);
    expect(task).toMatchObject({
      externalId: null,
      taxonomyCode: null,
      priority: 0,
      assignee: null,
    });
  });

  it("writes event 1 with the actor and the request", async () => {
    const answer = await create(
      { title: "Logged", content: { brief: "Add." } },
      { headers: { "x-request-id": "request-of-the-test" } },
    );
    const { id, activeVersion } = expectDone(answer, 201);
    const events = await api.call<{ data: StepEventView[] }>("GET", `/tasks/${id}/events`);
    expect(events.body.data).toHaveLength(1);
    expect(events.body.data[0]).toMatchObject({
      stream: "task",
      seq: 1,
      type: "task_created",
      from: null,
      to: "queued",
      fromGate: null,
      toGate: "locked",
      requestId: "request-of-the-test",
      actor: { name: "first operator key", kind: "key", role: "operator" },
      prevHash: "0".repeat(64),
      payload: { title: "Logged", contentHash: contentHash({ brief: "Add." }) },
      versionId: activeVersion.id,
      versionNumber: 1,
      runAttachedWorkflows: false,
    });
  });

  it("hashes the content independently of the order of its members", async () => {
    const metadata = { b: [1, { d: 2, c: 3 }], a: "x" };
    const { id } = expectDone(
      await create({ title: "Content", content: { metadata, instructions: "Do.", brief: "Be." } }),
      201,
    );
    const version = await api.call("GET", `/tasks/${id}/versions/1`);
    expect(version.body).toMatchObject({
      number: 1,
      content: { brief: "Be.", instructions: "Do.", metadata },
      contentHash: contentHash({
        brief: "Be.",
        instructions: "Do.",
        metadata: { a: "x", b: [1, { c: 3, d: 2 }] },
      }),
      sealedAt: null,
    });
  });

  it("takes one round trip", async () => {
    expect(await api.roundTripsOf(() => create({ title: "Counted" }))).toBe(1);
  });

  it("refuses an external id that is taken, and names the task that has it", async () => {
    const first = expectDone(await create({ title: "First", externalId: "taken" }), 201);
    const answer = await create({ title: "Second", externalId: "taken" });
    const problem = expectProblem(answer, "conflict", 409);
    expect(problem.existing).toEqual({ id: first.id });
  });

  it("lets two tenants use the same external id", async () => {
    expectDone(await create({ title: "Mine", externalId: "shared" }), 201);
    const theirs = await create(
      { title: "Theirs", externalId: "shared" },
      { tenant: api.otherTenant },
    );
    expect(theirs.status).toBe(201);
  });

  it("creates one task from concurrent calls, and names it to the others", async () => {
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => create({ title: "Race", externalId: "raced" })),
    );
    const [created, ...more] = answers.filter(({ status }) => status === 201);
    expect(more).toEqual([]);
    for (const answer of answers.filter((other) => other !== created)) {
      expect(expectProblem(answer, "conflict", 409).existing).toEqual({ id: created?.body.id });
    }
  });

  describe("with an Idempotency-Key", () => {
    it("answers a repeat byte for byte, and creates one task", async () => {
      const body = { title: "Once", externalId: "once" };
      const first = await create(body, { idempotencyKey: "create-once" });
      const repeat = await create(body, { idempotencyKey: "create-once" });
      expect(first.headers.get("idempotency-replayed")).toBeNull();
      expect(repeat.headers.get("idempotency-replayed")).toBe("true");
      expect(repeat.status).toBe(201);
      expect(repeat.text).toBe(first.text);
      expect(repeat.headers.get("location")).toBe(first.headers.get("location"));
    });

    it("returns 422 if the key was used with another body", async () => {
      await create({ title: "One" }, { idempotencyKey: "reused" });
      const other = await create({ title: "Other" }, { idempotencyKey: "reused" });
      expectProblem(other, "idempotency_key_reused", 422);
    });

    it("decides a refused call again", async () => {
      const holder = expectDone(await create({ title: "Holder", externalId: "freed" }), 201);
      const refused = await create(
        { title: "Later", externalId: "freed" },
        { idempotencyKey: "later" },
      );
      expectProblem(refused, "conflict", 409);
      await api.call("PATCH", `/tasks/${holder.id}`, { body: { externalId: null } });
      const created = await create(
        { title: "Later", externalId: "freed" },
        { idempotencyKey: "later" },
      );
      expect(created.status).toBe(201);
      expect(created.headers.get("idempotency-replayed")).toBeNull();
    });

    it("finds its own result after the answer was lost, and creates one task", async () => {
      await api.database.faults({ kind: "cut-after-commit", sql: "insert into operations" });
      const answer = await create({ title: "Cut", externalId: "cut" });
      const task = expectDone(answer, 201);
      expect(answer.headers.get("idempotency-replayed")).toBeNull();
      const rows = await api.database.query(
        "owner",
        "select id from tasks where external_id = 'cut'",
      );
      expect(rows).toEqual([{ id: task.id }]);
      expect(await api.database.waitingFaults()).toBe(0);
    });
  });

  describe("at a later place", () => {
    it("puts the task there, with an event that is marked as imported", async () => {
      for (const kind of STEP_KINDS) {
        for (const status of startStatuses(kind)) {
          const answer = await create(
            { title: `${kind} ${status}`, start: { kind, status, reason: "Migrated." } },
            { as: "reviewer" },
          );
          const task = expectDone(answer, 201);
          expect(task.currentStep).toMatchObject({ kind, status, attempt: 1 });
          const events = await api.call<{ data: StepEventView[] }>(
            "GET",
            `/tasks/${task.id}/events`,
          );
          expect(events.body.data).toMatchObject([
            { type: "task_created", reason: "Migrated.", payload: { imported: true } },
          ]);
        }
      }
    });

    it("requires the role reviewer", async () => {
      const answer = await create({ title: "No", start: { kind: "pre_qa", reason: "Mine." } });
      expect(expectProblem(answer, "forbidden", 403)["required"]).toBe("reviewer");
    });

    it("refuses a status that the kind does not have", async () => {
      const answer = await create(
        {
          title: "No",
          start: { kind: "output_generation", status: "awaiting_review", reason: "No." },
        },
        { as: "reviewer" },
      );
      const { issues } = expectProblem(answer, "validation_failed", 400);
      expect(issues).toMatchObject([{ path: ["start", "status"], code: "not_in_kind" }]);
    });
  });

  it.each([
    ["no title", {}, ["title"]],
    ["a blank title", { title: "  " }, ["title"]],
    ["a line break in the title", { title: "a\nb" }, ["title"]],
    ["a label", { title: "a", unifiedStatus: "PASSED" }, ["unifiedStatus"]],
    ["a tenant", { title: "a", tenantId: "b" }, ["tenantId"]],
    ["a priority beyond 100", { title: "a", priority: 101 }, ["priority"]],
    ["a priority with a fraction", { title: "a", priority: 1.5 }, ["priority"]],
    ["an empty external id", { title: "a", externalId: "" }, ["externalId"]],
    ["content with an unknown member", { title: "a", content: { text: "b" } }, ["content", "text"]],
    [
      "a `__proto__` key in the metadata",
      '{"title":"a","content":{"metadata":{"x":{"__proto__":1}}}}',
      ["content", "metadata", "x", "__proto__"],
    ],
    ["a start without a reason", { title: "a", start: { kind: "pre_qa" } }, ["start", "reason"]],
  ])("refuses %s", async (_, body, path) => {
    const { issues } = expectProblem(await create(body), "validation_failed", 400);
    expect(issues?.[0]?.path).toEqual(path);
  });

  it.each(["viewer", "service"] as const)("is forbidden to the role %s", async (role) => {
    const answer = await create({ title: "No" }, { as: role });
    expect(expectProblem(answer, "forbidden", 403)["required"]).toBe("operator");
  });
});

import { beforeAll, describe, expect, inject, it } from "vitest";
import type { Imported } from "../../../src/actions/tasks/import-tasks.ts";
import type { TaskView } from "../../../src/actions/views/task-view.ts";
import {
  type CallOptions,
  expectDone,
  expectProblem,
  freshApi,
  type TestApi,
} from "../../support/api.ts";
import { chanceFrom } from "../../support/chance.ts";
import { contentsOf } from "../../support/contents.ts";

const { seed } = inject("stack");

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
});

const load = (tasks: unknown[], options: CallOptions = {}) =>
  api.call<Imported>("POST", "/tasks/import", { as: "operator", body: { tasks }, ...options });
const countTasks = async () => {
  const [row] = await api.database.query("owner", "select count(*) as tasks from tasks");
  return Number(row?.["tasks"]);
};

describe("Importing tasks", () => {
  it("creates a task for each item, in one round trip", async () => {
    const before = await countTasks();
    const tasks = Array.from({ length: 500 }, (_, index) => ({
      title: `Row ${index}`,
      externalId: `row-${index}`,
      content: { brief: "A brief.", metadata: { index } },
    }));
    let items: Imported["items"] = [];
    const roundTrips = await api.roundTripsOf(async () => {
      const imported = expectDone(await load(tasks));
      expect(imported.counts).toEqual({
        requested: 500,
        created: 500,
        exists: 0,
        differs: 0,
        invalid: 0,
      });
      items = imported.items;
    });
    expect(roundTrips).toBe(1);
    expect(await countTasks()).toBe(before + 500);
    expect(items.map(({ index }) => index)).toEqual(tasks.map((_, index) => index));
    const read = await api.call<TaskView>("GET", "/tasks/ext:row-499");
    expect(read.body).toMatchObject({
      id: items[499]?.id,
      title: "Row 499",
      unifiedStatus: "DRAFT",
    });
  });

  it("reports the task that already has an external id", async () => {
    const { id } = await api.givenTask({ title: "Known", externalId: "known" });
    const imported = expectDone(
      await load([
        { title: "Known", externalId: "known" },
        { title: "New", externalId: "new" },
      ]),
    );
    expect(imported.counts).toEqual({
      requested: 2,
      created: 1,
      exists: 1,
      differs: 0,
      invalid: 0,
    });
    expect(imported.items[0]).toEqual({ index: 0, externalId: "known", outcome: "exists", id });
    expect(imported.items[1]).toMatchObject({ externalId: "new", outcome: "created" });
  });

  it("gives a repeated external id to its first item", async () => {
    const { items } = expectDone(
      await load([
        { title: "First", externalId: "twice" },
        { title: "Second", externalId: "twice" },
      ]),
    );
    expect(items.map(({ outcome }) => outcome)).toEqual(["created", "differs"]);
    expect(items[1]?.differences).toEqual([
      { path: ["title"], existing: "First", given: "Second" },
    ]);
    expect(items[1]?.id).toBe(items[0]?.id);
    const read = await api.call<TaskView>("GET", "/tasks/ext:twice");
    expect(read.body.title).toBe("First");
  });

  it("takes no second round trip for a repeated external id", async () => {
    const tasks = [1, 2].map((row) => ({ title: `Row ${row}`, externalId: "twice-counted" }));
    expect(await api.roundTripsOf(() => load(tasks))).toBe(1);
  });

  it("creates the valid items next to invalid ones", async () => {
    const before = await countTasks();
    const { counts, items } = expectDone(
      await load([
        { title: "Good" },
        { title: "", externalId: "no-title" },
        null,
        { title: "Typo", externalid: "x" },
        { title: "Bad id", externalId: "a\nb" },
        { title: "Also good" },
      ]),
    );
    expect(counts).toEqual({ requested: 6, created: 2, exists: 0, differs: 0, invalid: 4 });
    expect(items.map(({ outcome }) => outcome)).toEqual([
      "created",
      "invalid",
      "invalid",
      "invalid",
      "invalid",
      "created",
    ]);
    expect(items[1]).toMatchObject({ externalId: "no-title" });
    expect(items[1]?.issues?.[0]?.path).toEqual(["title"]);
    expect(items[2]).toMatchObject({ externalId: null });
    expect(items[3]).toMatchObject({
      issues: [{ path: ["externalid"], code: "unrecognized_keys" }],
    });
    expect(items[4]).toMatchObject({ externalId: null, issues: [{ path: ["externalId"] }] });
    expect(await countTasks()).toBe(before + 2);
  });

  it("lets an item use the external id of an invalid one before it", async () => {
    const { items } = expectDone(
      await load([
        { title: "", externalId: "second-chance" },
        { title: "Good", externalId: "second-chance" },
      ]),
    );
    expect(items.map(({ outcome }) => outcome)).toEqual(["invalid", "created"]);
  });

  it("answers without a round trip if no item is valid", async () => {
    const roundTrips = await api.roundTripsOf(async () => {
      const { counts } = expectDone(await load([{}, {}]));
      expect(counts).toEqual({ requested: 2, created: 0, exists: 0, differs: 0, invalid: 2 });
    });
    expect(roundTrips).toBe(0);
  });

  it("answers a repeat byte for byte", async () => {
    await api.givenTask({ externalId: "before" });
    const tasks = [
      { title: "a", externalId: "repeat-a" },
      { title: "b", externalId: "before" },
      { title: "c", externalId: "repeat-a" },
      { title: "" },
      { title: "e" },
    ];
    const first = await load(tasks, { idempotencyKey: "import" });
    const before = await countTasks();
    const repeat = await load(tasks, { idempotencyKey: "import" });
    expect(expectDone(first).counts).toEqual({
      requested: 5,
      created: 2,
      exists: 0,
      differs: 2,
      invalid: 1,
    });
    expect(repeat.headers.get("idempotency-replayed")).toBe("true");
    expect(repeat.text).toBe(first.text);
    expect(await countTasks()).toBe(before);
    expectProblem(
      await load([{ title: "other" }], { idempotencyKey: "import" }),
      "idempotency_key_reused",
      422,
    );
  });

  it("reports each field in which an item differs from the task with its external id", async () => {
    const content = { brief: "A brief.", instructions: "Do it.", metadata: { a: 1, b: [2] } };
    const item = { title: "Same", externalId: "compared", taxonomyCode: "math", content };
    expectDone(await load([item]));
    const before = await contentsOf(api.database, api.tenant.id);
    const long = "x".repeat(300);
    const cases: [object, string[], string | null, string | null][] = [
      [{ title: "Other" }, ["title"], "Same", "Other"],
      [{ taxonomyCode: undefined }, ["taxonomyCode"], "math", null],
      [{ content: { ...content, brief: undefined } }, ["content", "brief"], "A brief.", null],
      [
        { content: { ...content, instructions: long } },
        ["content", "instructions"],
        "Do it.",
        long.slice(0, 200),
      ],
      [
        { content: { ...content, metadata: { b: [2], a: 2 } } },
        ["content", "metadata"],
        '{"a": 1, "b": [2]}',
        '{"a": 2, "b": [2]}',
      ],
    ];
    for (const [change, path, existing, given] of cases) {
      const { items } = expectDone(await load([{ ...item, ...change }]));
      expect(items).toMatchObject([
        { outcome: "differs", differences: [{ path, existing, given }] },
      ]);
    }
    // These change while a task is worked on.
    const { items } = expectDone(
      await load([{ ...item, priority: 9, assignee: "ana", content: { ...content } }]),
    );
    expect(items).toMatchObject([{ outcome: "exists" }]);
    expect(await contentsOf(api.database, api.tenant.id)).toEqual(before);
  });

  it("takes an item for its task as it was created and as it is now, but not for a version between", async () => {
    const brief = (text: string) => ({ content: { brief: text } });
    const item = { title: "First", externalId: "versions", ...brief("one") };
    const [{ id } = {}] = expectDone(await load([item])).items;
    expectDone(await api.call("PATCH", `/tasks/${id}`, { body: { title: "Second" } }));
    for (const text of ["two", "three"]) {
      const body = { ...brief(text), reason: "Revised." };
      expectDone(await api.call("POST", `/tasks/${id}/versions`, { body }), 201);
    }
    const outcomeOf = async (given: object) =>
      expectDone(await load([{ ...item, ...given }])).items[0]?.outcome;
    expect(await outcomeOf({})).toBe("exists");
    expect(await outcomeOf({ title: "Second", ...brief("three") })).toBe("exists");
    expect(await outcomeOf({ title: "Second" })).toBe("exists");
    expect(await outcomeOf(brief("two"))).toBe("differs");
    expect(await outcomeOf({ title: "Third" })).toBe("differs");
  });

  it(`predicts in a dry run what the import then does (replay with SEED=${seed})`, async () => {
    const chance = chanceFrom(seed);
    const some = () => ({
      title: ["Ash", "Beech", ""][chance.below(3)],
      ...(chance.isHit(0.8) && { externalId: `dry-${chance.below(25)}` }),
      ...(chance.isHit(0.5) && { content: { metadata: { n: chance.below(2) } } }),
    });
    for (let round = 0; round < 12; round += 1) {
      const tasks = Array.from({ length: 1 + chance.below(8) }, some);
      const before = await contentsOf(api.database, api.tenant.id);
      const predicted = expectDone(await load(tasks, { body: { tasks, dryRun: true } }));
      expect(await contentsOf(api.database, api.tenant.id)).toEqual(before);
      const done = expectDone(await load(tasks));
      expect(predicted.counts).toEqual(done.counts);
      const isNew = new Set(
        done.items.flatMap(({ outcome, id }) => (outcome === "created" ? [id] : [])),
      );
      expect(predicted.items).toEqual(
        done.items.map(({ id, ...item }) => (isNew.has(id) ? item : { ...item, id })),
      );
    }
  });

  it("reports every item as existing if it is sent again without a key", async () => {
    const tasks = [
      { title: "a", externalId: "again-a" },
      { title: "b", externalId: "again-b" },
    ];
    const first = expectDone(await load(tasks));
    const again = expectDone(await load(tasks));
    expect(again.counts).toEqual({ requested: 2, created: 0, exists: 2, differs: 0, invalid: 0 });
    expect(again.items.map(({ id }) => id)).toEqual(first.items.map(({ id }) => id));
  });

  it("creates each task once in concurrent imports of the same rows", async () => {
    const tasks = Array.from({ length: 40 }, (_, index) => ({
      title: `Race ${index}`,
      externalId: `race-${index}`,
    }));
    const answers = await Promise.all(Array.from({ length: 4 }, () => load(tasks)));
    const imports = answers.map((answer) => expectDone(answer));
    expect(imports.reduce((sum, { counts }) => sum + counts.created, 0)).toBe(40);
    for (const [index] of tasks.entries()) {
      const ids = new Set(imports.map(({ items }) => items[index]?.id));
      expect(ids.size).toBe(1);
    }
  });

  it("finds its own result after the answer was lost", async () => {
    await api.database.faults({ kind: "cut-after-commit", sql: "insert into operations" });
    const answer = await load([{ title: "Cut", externalId: "import-cut" }]);
    expect(expectDone(answer).counts).toMatchObject({ created: 1, exists: 0 });
    expect(answer.headers.get("idempotency-replayed")).toBeNull();
  });

  describe("at a later place", () => {
    const started = (status: string) => ({
      title: "Started",
      start: { kind: "output_generation", status, reason: "Migrated." },
    });

    it("requires the role reviewer", async () => {
      const before = await countTasks();
      const answer = await load([{ title: "Good" }, started("queued")]);
      expect(expectProblem(answer, "forbidden", 403)["required"]).toBe("reviewer");
      expect(await countTasks()).toBe(before);
      const { counts } = expectDone(await load([started("queued")], { as: "reviewer" }));
      expect(counts.created).toBe(1);
    });

    it("reports a status that the kind does not have as invalid for that item", async () => {
      const { items } = expectDone(
        await load([started("awaiting_review"), started("approved")], { as: "reviewer" }),
      );
      expect(items).toMatchObject([
        { outcome: "invalid", issues: [{ path: ["start", "status"] }] },
        { outcome: "created" },
      ]);
    });

    it("dispatches no pipeline", async () => {
      expectDone(await load([started("queued")], { as: "reviewer" }));
      expect(await api.database.query("owner", "select id from pipeline_dispatches")).toEqual([]);
    });
  });

  it("rejects more than 500 items", async () => {
    const answer = await load(Array.from({ length: 501 }, () => ({ title: "a" })));
    expect(expectProblem(answer, "too_many_items", 400).max).toBe(500);
  });

  it("rejects an empty list", async () => {
    expectProblem(await load([]), "validation_failed", 400);
  });
});

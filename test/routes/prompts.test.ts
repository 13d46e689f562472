import { beforeAll, describe, expect, it, test } from "vitest";
import type { PromptRecord } from "../../src/db/content/prompts.ts";
import { expectDone, expectProblem, freshApi, type TestApi } from "../support/api.ts";
import { givenEval } from "../support/evals.ts";
import { chanceFrom } from "../support/chance.ts";
import { contentsOf } from "../support/contents.ts";

const SEED = Number(process.env["SEED"] ?? Date.now() % 1_000_000);

interface PromptPage {
  data: PromptRecord[];
  nextCursor: string | null;
}

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
});

const MAKER = {
  model: "solver-7b",
  modelRevision: "r3",
  agent: "chain-of-thought",
  agentRevision: "a1",
  provider: "in-house",
};
const record = (taskId: string, body: object, options: object = {}) =>
  api.call<PromptRecord>("POST", `/tasks/${taskId}/prompts`, {
    as: "service",
    body: { role: "user", content: "How many?", ...body },
    ...options,
  });
const list = async (query: string) =>
  expectDone(await api.call<PromptPage>("GET", `/prompts?${query}`, { as: "viewer" }));

describe("Recording a prompt", () => {
  it("stores it with its maker on the current step, and writes no event", async () => {
    const task = await api.givenTask({ externalId: "prompted" });
    const content = 'Ünïcode, "quotes",\n\ttabs\r\nand emoji 🧮';
    const prompt = expectDone(await record("ext:prompted", { content, ...MAKER }), 201);
    expect(prompt).toMatchObject({
      taskId: task.id,
      versionId: task.activeVersion.id,
      stepId: task.currentStep.id,
      role: "user",
      content,
      ...MAKER,
      evalId: null,
      trialId: null,
    });
    const [{ hash } = {}] = await api.database.query(
      "owner",
      "select encode(sha256(convert_to($1, 'UTF8')), 'hex') as hash",
      [content],
    );
    expect(prompt.contentHash).toBe(hash);
    const after = await api.call<{ eventSeq: number }>("GET", `/tasks/${task.id}`);
    expect(expectDone(after).eventSeq).toBe(task.eventSeq);
  });

  it("accepts another step of the task, and uses that step's version", async () => {
    const task = await api.givenTask({ at: { kind: "pre_qa", status: "approved" } });
    expectDone(await api.call("POST", `/tasks/${task.id}/advance`, { body: {} }));
    const earlier = task.currentStep.id;
    const prompt = expectDone(await record(task.id, { stepId: earlier }), 201);
    expect(prompt).toMatchObject({ stepId: earlier, versionId: task.activeVersion.id });
    const current = expectDone(await record(task.id, {}), 201);
    expect(current.stepId).not.toBe(earlier);
  });

  it("accepts an eval and a trial of the task", async () => {
    const task = await api.givenTask();
    const trials = [{ model: "solver-7b", status: "passed" as const }];
    const { id: evalId, trialIds } = await givenEval(api, task, { trials });
    const [trialId] = trialIds;
    const prompt = expectDone(await record(task.id, { evalId, trialId }), 201);
    expect(prompt).toMatchObject({ evalId, trialId });
    expectDone(await record(task.id, { trialId }), 201);
  });

  it("returns 404 for a step, an eval, or a trial of another task, and for a trial of another eval", async () => {
    const [task, other] = [await api.givenTask(), await api.givenTask()];
    const trials = [{ model: "solver-7b", status: "passed" as const }];
    const theirs = await givenEval(api, other, { trials });
    const mine = await givenEval(api, task);
    const second = await givenEval(api, task, { name: "another", trials });
    const before = await contentsOf(api.database);
    for (const names of [
      { stepId: other.currentStep.id },
      { evalId: theirs.id },
      { trialId: theirs.trialIds[0] },
      { evalId: mine.id, trialId: second.trialIds[0] },
    ]) {
      expectProblem(await record(task.id, names), "not_found", 404);
    }
    expect(await contentsOf(api.database)).toEqual(before);
  });

  it("accepts an archived task, because a worker may still be running", async () => {
    const task = await api.givenTask();
    expectDone(await api.call("POST", `/tasks/${task.id}/archive`, { body: {} }));
    expectDone(await record(task.id, {}), 201);
  });

  it("is idempotent with a key", async () => {
    const task = await api.givenTask();
    const options = { idempotencyKey: "this-prompt" };
    const first = await record(task.id, MAKER, options);
    const again = await record(task.id, MAKER, options);
    expect(expectDone(first, 201)).toEqual(expectDone(again, 201));
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    expect((await list(`task=${task.id}`)).data).toHaveLength(1);
    const other = await record(task.id, { content: "How few?" }, options);
    expectProblem(other, "idempotency_key_reused", 422);
  });

  test.each([
    ["no role", { role: undefined }],
    ["a line break in the role", { role: "user\r\nsystem" }],
    ["no content", { content: "" }],
    ["content with NUL", { content: "how\u0000many" }],
    ["content that is too long", { content: "x".repeat(200_001) }],
    ["a step that is not an id", { stepId: "first" }],
    ["a column that is not a field", { createdBy: "someone" }],
  ])("rejects %s", async (_, body) => {
    const { id } = await api.givenTask();
    expectProblem(await record(id, body), "validation_failed", 400);
  });
});

describe("Listing prompts", () => {
  it("filters by task, version, step, and maker", async () => {
    const task = await api.givenTask({ at: { kind: "pre_qa", status: "approved" } });
    const first = expectDone(await record(task.id, { ...MAKER, model: "one-of-a-kind" }), 201);
    const version = await api.call("POST", `/tasks/${task.id}/versions`, {
      body: { content: { brief: "A new brief" }, reason: "It was unclear" },
    });
    expectDone(version, 201);
    const second = expectDone(await record(task.id, { modelRevision: "r-unique" }), 201);
    expect(second.versionId).not.toBe(first.versionId);

    const only = async (query: string, expected: PromptRecord[]) => {
      expect((await list(query)).data, query).toEqual(expected);
    };
    await only(`task=${task.id}`, [second, first]);
    await only(`task=${task.id}&version=1`, [first]);
    await only(`task=${task.id}&version=2`, [second]);
    await only(`version=${first.versionId}`, [first]);
    await only(`step=${second.stepId}`, [second]);
    await only("model=one-of-a-kind", [first]);
    await only("modelRevision=r-unique", [second]);
    await only(`task=${task.id}&agent=chain-of-thought&agentRevision=a1&provider=in-house`, [
      first,
    ]);
    await only(`task=${task.id}&agent=unknown`, []);
    await only(`task=ext:nothing-by-this-name`, []);
  });

  const LONG = "長".repeat(199_990);
  test.each([
    ["short", 3, [3, 3, 1], "Number"],
    ["long", 7, [4, 3], LONG],
    ["long", 4, [4, 3], LONG],
    ["long", 3, [3, 3, 1], LONG],
  ])("returns each of seven %s prompts once with a limit of %i", async (_, limit, sizes, text) => {
    const { id } = await api.givenTask();
    const newestFirst: string[] = [];
    for (let index = 0; index < 7; index += 1) {
      newestFirst.unshift(expectDone(await record(id, { content: `${text} ${index}` }), 201).id);
    }
    const pages: string[][] = [];
    let cursor: string | null = null;
    do {
      const after: string = cursor === null ? "" : `&cursor=${cursor}`;
      const page = await list(`task=${id}&limit=${limit}${after}`);
      pages.push(page.data.map((prompt) => prompt.id));
      cursor = page.nextCursor;
    } while (cursor !== null);
    expect(pages.flat()).toEqual(newestFirst);
    expect(pages.map(({ length }) => length)).toEqual(sizes);
  });
});

describe(`A sorted list of prompts (seed ${SEED})`, () => {
  test.each(["createdAt", "model", "agent", "provider"] as const)(
    "by %s is complete in both orders, breaks ties by id, and has prompts without it last",
    async (field) => {
      const chance = chanceFrom(SEED);
      const { id } = await api.givenTask();
      const values = ["a", "A", "b", "solver-7b", "é", "東", undefined, undefined];
      for (let count = 0; count < 16; count += 1) {
        const value = () => values[chance.below(values.length)];
        const [model, agent, provider] = [value(), value(), value()];
        const content = chance.isHit(0.2) ? "長".repeat(199_990) : "short";
        expectDone(await record(id, { model, agent, provider, content }), 201);
      }
      const pages = async (sort: string) => {
        const found: PromptRecord[] = [];
        let cursor: string | null = null;
        do {
          const after: string = cursor === null ? "" : `&cursor=${cursor}`;
          const page = await list(`task=${id}&sort=${sort}&limit=3${after}`);
          found.push(...page.data);
          cursor = page.nextCursor;
        } while (cursor !== null);
        return found;
      };
      const all = await pages("createdAt");
      expect(all).toHaveLength(16);
      const bytes = (text: string) =>
        Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join("");
      const keyOf = (prompt: PromptRecord) => `${bytes(prompt[field] ?? "")}\0${prompt.id}`;
      const ascending = all.toSorted((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1));
      const isLast = (prompt: PromptRecord) => prompt[field] === null;
      for (const [sort, ordered] of [
        [field, ascending],
        [`-${field}`, ascending.toReversed()],
      ] as const) {
        const expected = [...ordered.filter((row) => !isLast(row)), ...ordered.filter(isLast)];
        expect((await pages(sort)).map((row) => row.id)).toEqual(expected.map((row) => row.id));
      }
    },
  );

  it("refuses a cursor of another order", async () => {
    const { id } = await api.givenTask();
    for (const model of ["a", "b"]) expectDone(await record(id, { model }), 201);
    const { nextCursor } = await list(`task=${id}&sort=model&limit=1`);
    const other = await api.call(
      "GET",
      `/prompts?task=${id}&sort=-model&limit=1&cursor=${nextCursor}`,
    );
    expectProblem(other, "invalid_cursor", 400);
  });
});

import { beforeAll, describe, expect, it, test } from "vitest";
import type { Moved } from "../../../src/actions/moves/move-task.ts";
import type { Lineage } from "../../../src/actions/content/trace-lineage.ts";
import type { TaskView } from "../../../src/actions/views/task-view.ts";
import type { DataRecord } from "../../../src/db/content/data.ts";
import {
  expectDone,
  expectProblem,
  freshApi,
  testBucket,
  type TestApi,
} from "../../support/api.ts";
import { givenEval } from "../../support/evals.ts";
import { untilLocksAreHeld } from "../../support/model/locks.ts";
import { bytesOf, declarationOf, givenDeclared, readContent, sendContent } from "./support.ts";

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
});

const ANSWER = bytesOf("The answer is 72.");
const MAKER = { model: "solver", modelRevision: "r1", agent: "cot", provider: "own" };

const declare = async (taskId: string, more: object = {}) =>
  api.call<DataRecord>("POST", `/tasks/${taskId}/data`, {
    body: await declarationOf(ANSWER, more),
  });
const given = async (task: TaskView, more: object) =>
  givenDeclared(api, ANSWER, { taskId: task.id, ...more });
const idsOf = async (query: string) => {
  const page = await api.call<{ data: DataRecord[] }>("GET", `/data?${query}`);
  return expectDone(page).data.map(({ id }) => id);
};
const move = async (method: string, path: string, body: object) => {
  const answer = await api.call<Moved>(method, path, {
    body: { runAttachedWorkflows: false, ...body },
  });
  return expectDone(answer, answer.status === 201 ? 201 : 200).task;
};

/** A task whose output was generated, sent back, and is to be generated once more. */
async function givenRework(whenGenerated: (task: TaskView) => Promise<unknown>) {
  const first = await api.givenTask({ at: { kind: "output_generation", status: "running" } });
  await whenGenerated(first);
  const approve = (task: TaskView) =>
    move("PATCH", `/steps/${task.currentStep.id}`, { status: "approved" });
  await approve(first);
  const second = await move("POST", `/tasks/${first.id}/rework`, {
    toKind: "output_generation",
    reason: "Once more",
  });
  const finish = async () =>
    approve(await move("PATCH", `/steps/${second.currentStep.id}`, { status: "running" }));
  return { first, second, finish };
}

describe("the same content", () => {
  it("of two models is an artifact of each, found by its model and in its lineage", async () => {
    const task = await api.givenTask();
    const makers = ["small", "large"].map((model) => ({ ...MAKER, model }));
    const rows = [];
    for (const maker of makers) {
      const { id } = await given(task, maker);
      rows.push({ maker, ...expectDone(await sendContent(api, id, ANSWER)) });
    }
    const trials = rows.map(({ id, maker: { model } }) => {
      return { model, status: "passed" as const, outputDataId: id };
    });
    const { trialIds } = await givenEval(api, task, { trials });

    expect(rows[0]?.id).not.toBe(rows[1]?.id);
    for (const [index, { id, maker }] of rows.entries()) {
      expect(await idsOf(`task=${task.id}&model=${maker.model}`)).toEqual([id]);
      const { nodes, edges } = expectDone(await api.call<Lineage>("GET", `/data/${id}/lineage`));
      const made = edges.find(({ type, from }) => type === "made_by" && from === `artifact:${id}`);
      expect(nodes.find(({ key }) => key === made?.to)).toMatchObject(maker);
      const scored = edges.filter(({ type }) => type === "scored_by");
      expect(scored.map(({ to }) => to)).toEqual([`trial:${trialIds[index]}`]);
    }
  });

  test.each([
    ["of another kind", { kind: "golden" }],
    ["of another model", { model: "other" }],
    ["of another revision", { modelRevision: "r2" }],
    ["of another agent", { agent: "other" }],
    ["by way of another provider", { provider: "other" }],
    ["of a model whose revision nobody tells", { modelRevision: undefined }],
    ["of nobody who is named", { ...MAKER, model: undefined, modelRevision: undefined }],
  ])("%s is data of its own, and a conflict when it is declared again", async (_, other) => {
    const task = await api.givenTask();
    const rows = [await given(task, MAKER), await given(task, { ...MAKER, ...other })];
    for (const [index, more] of [MAKER, { ...MAKER, ...other }].entries()) {
      const again = await declare(task.id, more);
      expect(expectProblem(again, "conflict", 409).existing).toEqual({ id: rows[index]?.id });
    }
  });

  it("is a conflict where nothing is said of who made it, too", async () => {
    const task = await api.givenTask();
    const { id } = await given(task, {});
    expect(expectProblem(await declare(task.id), "conflict", 409).existing).toEqual({ id });
  });

  it("is a conflict whatever else is said of it: prompt, inputs, type or place", async () => {
    const task = await api.givenTask();
    const { id } = await given(task, MAKER);
    const input = await givenDeclared(api, bytesOf("an input"), { taskId: task.id });
    for (const more of [
      { inputs: [input.id] },
      { contentType: "text/markdown" },
      { uri: "s3://bucket/elsewhere" },
    ]) {
      const again = await declare(task.id, { ...MAKER, ...more });
      expect(expectProblem(again, "conflict", 409).existing).toEqual({ id });
    }
  });

  it("made once more after a rework is another artifact, which passes its own gate", async () => {
    const made: DataRecord[] = [];
    const make = async (task: TaskView) => {
      const { id } = await given(task, MAKER);
      made.push(expectDone(await sendContent(api, id, ANSWER)));
    };
    const { first, second, finish } = await givenRework(make);
    await make(second);
    await finish();
    expect(made.map(({ stepId }) => stepId)).toEqual([first.currentStep.id, second.currentStep.id]);
    const passed = `task=${first.id}&model=solver&passedGate=output_generation`;
    expect(await idsOf(passed)).toEqual([made[1]?.id]);
    // Who repeats the first declaration says at which step it was.
    const again = await declare(first.id, { ...MAKER, stepId: first.currentStep.id });
    expect(expectProblem(again, "conflict", 409).existing).toEqual({ id: made[0]?.id });
  });

  it("is the same in both versions where the same maker made it in both", async () => {
    const task = await api.givenTask();
    const make = async () => {
      const { id } = await given(task, MAKER);
      expectDone(await sendContent(api, id, ANSWER));
    };
    await make();
    await move("POST", `/tasks/${task.id}/versions`, {
      content: { brief: "Anew" },
      reason: "The brief was wrong",
    });
    await make();
    const diff = await api.call<{ data: object }>("GET", `/tasks/${task.id}/versions/1/diff/2`);
    expect(expectDone(diff).data).toEqual({ added: [], removed: [], same: 1 });
  });

  it("is stored once, and each row's sender shows that it has it", async () => {
    const task = await api.givenTask();
    const bytes = bytesOf("Only one object holds this.");
    const [one, other] = [
      await givenDeclared(api, bytes, { taskId: task.id, model: "small" }),
      await givenDeclared(api, bytes, { taskId: task.id, model: "large" }),
    ];
    expectDone(await sendContent(api, one.id, bytes));
    const [object] = await objectsOf(one);
    expect((await readContent(api, other.id)).status).toBe(404);
    const wrong = await sendContent(api, other.id, bytes.toReversed());
    expectProblem(wrong, "validation_failed", 400);
    expect((await readContent(api, other.id)).status).toBe(404);

    const stored = expectDone(await sendContent(api, other.id, bytes));
    expect(stored).toEqual({ ...other, storedAt: expect.any(String), verified: true });
    expect(new Uint8Array(await (await readContent(api, other.id)).arrayBuffer())).toEqual(bytes);
    expect(await objectsOf(one)).toEqual([object]);
  });

  it("has one winner for each maker where all declare it at once", async () => {
    const task = await api.givenTask();
    const models = ["a", "b", "c", "d"];
    const asked = Array.from({ length: 32 }, (_, index) => models[index % models.length]);
    const answers = await Promise.all(asked.map((model) => declare(task.id, { model })));
    for (const model of models) {
      const ofModel = answers.filter((_, index) => asked[index] === model);
      const [winner, ...more] = ofModel.filter(({ status }) => status === 201);
      expect(more).toEqual([]);
      for (const answer of ofModel.filter((one) => one !== winner)) {
        expect(expectProblem(answer, "conflict", 409).existing).toEqual({ id: winner?.body.id });
      }
    }
  });

  it("is a conflict that names the row of a rival who commits in that very moment", async () => {
    const task = await api.givenTask();
    const { id } = await given(task, MAKER);
    const rival = crypto.randomUUID();
    const committing = api.database.transaction("superuser", [
      {
        text: `insert into data select (jsonb_populate_record(d, jsonb_build_object('id', $2::uuid, 'model', 'rival'))).*
          from data d where id = $1`,
        values: [id, rival],
      },
      { text: "select pg_sleep(0.3)" },
    ]);
    await untilLocksAreHeld(api.database);
    const late = await declare(task.id, { ...MAKER, model: "rival" });
    expect(expectProblem(late, "conflict", 409).existing).toEqual({ id: rival });
    await committing;
  });

  it("is told apart by the longest names that there are", async () => {
    const task = await api.givenTask();
    // Letters of three bytes that nothing compresses: an entry of an index has a largest size.
    const longest = (seed: number) =>
      Array.from({ length: 200 }, (_, index) =>
        String.fromCodePoint(0x4e00 + ((seed * 7919 + index * index * 104_729) % 20_000)),
      ).join("");
    const maker = {
      model: longest(1),
      modelRevision: longest(2),
      agent: longest(3),
      provider: longest(4),
    };
    const { id } = await given(task, maker);
    const again = await declare(task.id, maker);
    expect(expectProblem(again, "conflict", 409).existing).toEqual({ id });
    expectDone(await declare(task.id, { ...maker, provider: longest(5) }), 201);
  });
});

/** What the bucket holds of a row's content: when it came there tells whether it came again. */
async function objectsOf({ sha256 }: DataRecord) {
  const { objects } = await testBucket().list({ prefix: `${api.tenant.id}/${sha256}` });
  return objects.map(({ key, uploaded, version }) => ({ key, uploaded, version }));
}

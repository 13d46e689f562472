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

/** A task that was sent back to output generation after its output was generated. */
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

describe("The same content", () => {
  it("by two models is two artifacts, each found by its model and in its own lineage", async () => {
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
      const edge = edges.find(({ type, from }) => type === "made_by" && from === `artifact:${id}`);
      expect(nodes.find(({ key }) => key === edge?.to)).toMatchObject(maker);
      const scored = edges.filter(({ type }) => type === "scored_by");
      expect(scored.map(({ to }) => to)).toEqual([`trial:${trialIds[index]}`]);
    }
  });

  test.each([
    ["of another kind", { kind: "golden" }],
    ["by another model", { model: "other" }],
    ["by another revision", { modelRevision: "r2" }],
    ["by another agent", { agent: "other" }],
    ["by another provider", { provider: "other" }],
    ["by a model without a revision", { modelRevision: undefined }],
    ["without a model", { ...MAKER, model: undefined, modelRevision: undefined }],
  ])("%s is a separate data item, and returns 409 if declared again", async (_, other) => {
    const task = await api.givenTask();
    const rows = [await given(task, MAKER), await given(task, { ...MAKER, ...other })];
    for (const [index, more] of [MAKER, { ...MAKER, ...other }].entries()) {
      const again = await declare(task.id, more);
      expect(expectProblem(again, "conflict", 409).existing).toEqual({ id: rows[index]?.id });
    }
  });

  it("returns 409 if declared twice without a maker", async () => {
    const task = await api.givenTask();
    const { id } = await given(task, {});
    expect(expectProblem(await declare(task.id), "conflict", 409).existing).toEqual({ id });
  });

  it("returns 409 even if the inputs, the media type, or the URI differ", async () => {
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

  it("generated again after a rework is another artifact, which passes its own gate", async () => {
    const outputs: DataRecord[] = [];
    const generate = async (task: TaskView) => {
      const { id } = await given(task, MAKER);
      outputs.push(expectDone(await sendContent(api, id, ANSWER)));
    };
    const { first, second, finish } = await givenRework(generate);
    await generate(second);
    await finish();
    const steps = [first.currentStep.id, second.currentStep.id];
    expect(outputs.map(({ stepId }) => stepId)).toEqual(steps);
    const passed = `task=${first.id}&model=solver&passedGate=output_generation`;
    expect(await idsOf(passed)).toEqual([outputs[1]?.id]);
    // To repeat the first declaration, the request names its step.
    const again = await declare(first.id, { ...MAKER, stepId: first.currentStep.id });
    expect(expectProblem(again, "conflict", 409).existing).toEqual({ id: outputs[0]?.id });
  });

  it("by the same maker counts as the same in a comparison of two versions", async () => {
    const task = await api.givenTask();
    const generate = async () => {
      const { id } = await given(task, MAKER);
      expectDone(await sendContent(api, id, ANSWER));
    };
    await generate();
    await move("POST", `/tasks/${task.id}/versions`, {
      content: { brief: "A new brief" },
      reason: "The brief was wrong",
    });
    await generate();
    const diff = await api.call<{ data: object }>("GET", `/tasks/${task.id}/versions/1/diff/2`);
    expect(expectDone(diff).data).toEqual({ added: [], removed: [], same: 1 });
  });

  it("is stored once, but can be read from a data item only after an upload to it", async () => {
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

  it("is declared once per maker by concurrent requests", async () => {
    const task = await api.givenTask();
    const models = ["a", "b", "c", "d"];
    const requested = Array.from({ length: 32 }, (_, index) => models[index % models.length]);
    const answers = await Promise.all(requested.map((model) => declare(task.id, { model })));
    for (const model of models) {
      const ofModel = answers.filter((_, index) => requested[index] === model);
      const [winner, ...more] = ofModel.filter(({ status }) => status === 201);
      expect(more).toEqual([]);
      for (const answer of ofModel.filter((one) => one !== winner)) {
        expect(expectProblem(answer, "conflict", 409).existing).toEqual({ id: winner?.body.id });
      }
    }
  });

  it("returns 409 with the id of a row that another transaction commits meanwhile", async () => {
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

  it("is distinguished by makers with the longest allowed names", async () => {
    const task = await api.givenTask();
    // Incompressible three-byte characters, because Postgres limits the size of an index entry.
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

/** Returns the objects in the bucket with this content. The upload time shows whether one was stored again. */
async function objectsOf({ sha256 }: DataRecord) {
  const { objects } = await testBucket().list({ prefix: `${api.tenant.id}/${sha256}` });
  return objects.map(({ key, uploaded, version }) => ({ key, uploaded, version }));
}

import { beforeAll, describe, expect, it } from "vitest";
import type { ComparedVersions } from "../../../src/actions/content/compare-versions.ts";
import type { Moved } from "../../../src/actions/moves/move-task.ts";
import type { TaskView } from "../../../src/actions/views/task-view.ts";
import { expectDone, expectProblem, freshApi, type TestApi } from "../../support/api.ts";
import { givenDatum, givenPrompt } from "../../support/lineage.ts";

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
});

const diffOf = async (taskId: string, from: number, to: number) =>
  expectDone(
    await api.call<ComparedVersions>("GET", `/tasks/${taskId}/versions/${from}/diff/${to}`, {
      as: "viewer",
    }),
  );

async function givenTwoVersions(): Promise<{ first: TaskView; second: TaskView }> {
  const first = await api.givenTask({
    content: { brief: "Add two\nnumbers.", metadata: { level: 1, tags: ["easy"] } },
    at: { kind: "pre_qa", status: "approved" },
  });
  const content = { brief: "Add three\nnumbers.", metadata: { level: 1, source: "a book" } };
  const body = { content, reason: "Two are too easy" };
  const moved = await api.call<Moved>("POST", `/tasks/${first.id}/versions`, { body });
  return { first, second: expectDone(moved, 201).task };
}

describe("Comparing two versions", () => {
  it("returns the differences in content, steps, prompts, and data", async () => {
    const { first, second } = await givenTwoVersions();
    const kept = { role: "user", content: "Solve it.", model: "m" };
    await givenPrompt(api, first, kept);
    await givenPrompt(api, second, kept);
    const fresh = await givenPrompt(api, second, { role: "user", content: "Solve it well." });
    const source = await givenDatum(api, first, { kind: "source", stored: true });
    await givenDatum(api, second, { kind: "source", stored: false });
    const output = await givenDatum(api, second, { kind: "generated", stored: true, model: "m" });

    const diff = await diffOf(first.id, 1, 2);
    expect(diff).toMatchObject({
      taskId: first.id,
      from: { id: first.activeVersion.id, number: 1 },
      to: { id: second.activeVersion.id, number: 2 },
      truncated: false,
    });
    expect(diff.content).toEqual([
      {
        op: "edited",
        path: ["brief"],
        hunks: [
          {
            fromLine: 1,
            toLine: 1,
            lines: [
              { op: "-", text: "Add two" },
              { op: "+", text: "Add three" },
              { op: " ", text: "numbers." },
            ],
          },
        ],
      },
      { op: "added", path: ["metadata", "source"], to: "a book" },
      { op: "removed", path: ["metadata", "tags"], from: ["easy"] },
    ]);
    expect(diff.steps.removed).toMatchObject([
      { id: first.currentStep.id, kind: "pre_qa", status: "approved", gate: "passed" },
    ]);
    expect(diff.steps.added).toMatchObject([{ id: second.currentStep.id, kind: "authoring" }]);
    expect(diff.prompts).toMatchObject({ added: [{ id: fresh.id }], removed: [], same: 1 });
    expect(diff.data).toMatchObject({
      added: [{ id: output.id, model: "m" }],
      removed: [{ id: source.id }],
      same: 0,
    });

    const back = await diffOf(first.id, 2, 1);
    expect(back.data).toMatchObject({ added: [{ id: source.id }], removed: [{ id: output.id }] });
    expect(back.prompts).toMatchObject({ added: [], removed: [{ id: fresh.id }], same: 1 });
  });

  it("returns no differences between a version and itself", async () => {
    const { id } = await api.givenTask({ content: { brief: "One" } });
    const diff = await diffOf(id, 1, 1);
    expect(diff).toMatchObject({
      content: [],
      steps: { added: [], removed: [], changed: [], same: 1 },
    });
  });

  it("returns 404 if either version does not exist", async () => {
    const { id } = await api.givenTask();
    for (const path of ["1/diff/2", "2/diff/1"]) {
      expectProblem(await api.call("GET", `/tasks/${id}/versions/${path}`), "not_found", 404);
    }
    const bad = await api.call("GET", `/tasks/${id}/versions/1/diff/0`);
    expectProblem(bad, "validation_failed", 400);
  });
});

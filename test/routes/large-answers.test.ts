import { beforeAll, describe, expect, it } from "vitest";
import type { TaskView } from "../../src/actions/views/task-view.ts";
import { expectDone, freshApi, type TestApi } from "../support/api.ts";

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
});

const BIG = "x".repeat(900_000);
const COUNT = 5;
/** A page ends after two mebibytes of callers' texts, and the row that crosses them. */
const PAGE_BYTES_MAX = 8 * 1024 * 1024;

interface Page {
  data: { id?: string; seq?: number }[];
  nextCursor: string | null;
}

/** Reads a list to its end with the largest limit, and returns the number of rows on each page. */
async function pagesOf(path: string): Promise<number[]> {
  const sizes: number[] = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    const query: string = cursor === "" ? "limit=200" : `limit=200&cursor=${cursor}`;
    const separator = path.includes("?") ? "&" : "?";
    const answer = await api.call<Page>("GET", `${path}${separator}${query}`, { as: "viewer" });
    const { data, nextCursor } = expectDone(answer);
    expect(answer.text.length).toBeLessThan(PAGE_BYTES_MAX);
    sizes.push(data.length);
    cursor = nextCursor;
  }
  return sizes;
}

/** Expects several pages, none of them empty, that together have all rows. */
function expectSplit(sizes: readonly number[], rows: number): void {
  expect(sizes.length).toBeGreaterThan(1);
  expect(Math.min(...sizes)).toBeGreaterThan(0);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(rows);
}

async function givenBigEvents(): Promise<TaskView> {
  const task = await api.givenTask();
  const step = `/steps/${task.currentStep.id}`;
  for (let index = 0; index < COUNT; index += 1) {
    const status = index % 2 === 0 ? "running" : "failed";
    const body = { status, reason: "Large", payload: { text: BIG } };
    const moved = await api.call("PATCH", step, { body });
    expectDone(moved);
    if (status === "failed") {
      expectDone(await api.call("PATCH", step, { body: { status: "queued", reason: "Again" } }));
    }
  }
  return task;
}

describe("a list of large rows", () => {
  it("of worker runs ends its pages early", async () => {
    const { id } = await api.givenTask({ at: { kind: "pre_qa", status: "queued" } });
    for (let index = 0; index < COUNT; index += 1) {
      const body = { type: "PAYMENT" };
      const started = await api.call<{ id: string }>("POST", `/tasks/${id}/worker-runs`, {
        as: "service",
        body,
      });
      const run = expectDone(started, 201).id;
      const report = { state: "RUNNING", result: { text: BIG } };
      const reported = await api.call("PATCH", `/worker-runs/${run}`, {
        as: "service",
        body: report,
      });
      expectDone(reported);
    }
    expectSplit(await pagesOf(`/worker-runs?task=${id}`), COUNT);
  });

  it("of insights ends its pages early", async () => {
    const { id } = await api.givenTask();
    for (let index = 0; index < COUNT; index += 1) {
      const body = { taskId: id, kind: "completion", model: "solver-7b", input: { text: BIG } };
      expectDone(await api.call("POST", "/insights", { as: "service", body }), 201);
    }
    expectSplit(await pagesOf(`/insights?task=${id}`), COUNT);
  });

  it("of events ends its pages early, by task, by step and on the timeline", async () => {
    const { id, currentStep } = await givenBigEvents();
    const { eventSeq } = expectDone(await api.call<TaskView>("GET", `/tasks/${id}`));
    for (const order of ["seq", "-seq"]) {
      expectSplit(await pagesOf(`/tasks/${id}/events?sort=${order}`), eventSeq);
      expectSplit(await pagesOf(`/steps/${currentStep.id}/events?sort=${order}`), eventSeq);
    }
    for (const order of ["at", "-at"]) {
      expectSplit(await pagesOf(`/tasks/${id}/timeline?sort=${order}`), eventSeq);
    }
  });

  it("does not make the state as of a moment large", async () => {
    const { id } = await givenBigEvents();
    const answer = await api.call("GET", `/tasks/${id}?asOf=seq:2`);
    expect(answer.status).toBe(200);
    expect(answer.text.length).toBeLessThan(10_000);
  });
});

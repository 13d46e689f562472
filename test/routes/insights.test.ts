import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { InsightRecord } from "../../src/db/evals/insights.ts";
import { expectDone, expectProblem, freshApi, type TestApi } from "../support/api.ts";
import { expectInvariantsHold } from "../support/model/invariants.ts";
import { inParallel, tally } from "../support/model/load.ts";
import { openTransaction, untilBlocked } from "../support/model/locks.ts";
import { givenOpenEval, givenTrial } from "./evals/support.ts";

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
});
afterAll(() => expectInvariantsHold(api.database));

const as = "service" as const;
const open = (taskId: string, more: object = {}) =>
  api.call<InsightRecord>("POST", "/insights", {
    as,
    body: { taskId, kind: "completion", model: "solver", ...more },
  });
const report = (id: string, body: object) =>
  api.call<InsightRecord>("PATCH", `/insights/${id}`, { as, body });

describe("An insight", () => {
  it("is queued when created, and accepts reports until the job has ended", async () => {
    const { id: taskId } = await api.givenTask({ externalId: "insightful" });
    const agent = { agent: "planner", agentRevision: "a1" };
    const maker = { modelRevision: "r1", ...agent, provider: "the lab" };
    const input = { prompt: "Why?", temperature: 0 };
    const opened = expectDone(await open("ext:insightful", { ...maker, input }), 201);
    expect(opened).toMatchObject({
      taskId,
      evalId: null,
      trialId: null,
      kind: "completion",
      model: "solver",
      ...maker,
      status: "QUEUED",
      input,
      output: null,
      usage: null,
    });
    expect(expectDone(await report(opened.id, { status: "RUNNING" })).status).toBe("RUNNING");
    expect(expectDone(await report(opened.id, { status: "RUNNING" })).status).toBe("RUNNING");
    const ended = expectDone(await report(opened.id, { status: "SUCCEEDED", output: ["42"] }));
    expect(ended).toMatchObject({ status: "SUCCEEDED", input, output: ["42"], usage: null });

    const late = expectDone(await report(opened.id, { usage: { tokens: 7 } }));
    expect(late).toMatchObject({ status: "SUCCEEDED", output: ["42"], usage: { tokens: 7 } });
    const again = expectProblem(await report(opened.id, { output: "43" }), "conflict", 409);
    expect(again).toMatchObject({ existing: { id: opened.id } });
    const back = expectProblem(
      await report(opened.id, { status: "RUNNING" }),
      "invalid_transition",
      409,
    );
    expect(back).toMatchObject({ from: "SUCCEEDED", to: "RUNNING", allowed: [] });
  });

  it("that is created with its output has succeeded", async () => {
    const { id } = await api.givenTask();
    expect(expectDone(await open(id, { output: "42" }), 201)).toMatchObject({
      status: "SUCCEEDED",
      output: "42",
    });
  });

  it("can belong only to an eval and a trial of its task, and gets its eval from its trial", async () => {
    const { id: evalId, taskId } = await givenOpenEval(api);
    const other = await givenOpenEval(api);
    const trial = await givenTrial(api, evalId);
    expect(expectDone(await open(taskId, { trialId: trial.id }), 201)).toMatchObject({
      evalId,
      trialId: trial.id,
    });
    for (const [task, named] of [
      [taskId, { evalId: other.id }],
      [other.taskId, { trialId: trial.id }],
      [other.taskId, { evalId: other.id, trialId: trial.id }],
      [crypto.randomUUID(), {}],
    ] as const) {
      expectProblem(await open(task, named), "not_found", 404);
    }
    const sibling = await givenOpenEval(api, { name: "another", task: { id: taskId } });
    expectProblem(await open(taskId, { evalId: sibling.id, trialId: trial.id }), "not_found", 404);
  });

  it("cannot be created for an archived task, or by a person", async () => {
    const { id } = await api.givenTask();
    const body = { taskId: id, kind: "completion", model: "solver" };
    expectProblem(await api.call("POST", "/insights", { as: "reviewer", body }), "forbidden", 403);
    expectDone(await api.call("POST", `/tasks/${id}/archive`, { body: {} }));
    expectProblem(await open(id), "archived", 409);
  });

  it("ends once for concurrent reports", async () => {
    const { id: taskId } = await api.givenTask();
    const { id } = expectDone(await open(taskId), 201);
    const answers = await inParallel({ count: 16, clients: 16 }, (index) =>
      report(id, { status: index % 2 === 0 ? "SUCCEEDED" : "FAILED", output: index }),
    );
    const winner = answers.find(({ status }) => status === 200);
    expect(tally(answers.map(({ status }) => status))).toEqual({ 200: 1, 409: 15 });
    const list = await api.call<{ data: InsightRecord[] }>("GET", `/insights?task=${taskId}`);
    expect(expectDone(list).data).toEqual([winner?.body]);
  });

  it("keeps a report that is being committed when another one arrives", async () => {
    const { id: taskId } = await api.givenTask();
    const { id } = expectDone(await open(taskId), 201);
    const first = await openTransaction(api.database, [
      {
        text: `update insights set status = 'SUCCEEDED', updated_at = updated_at + interval '1 microsecond'
          where id = $1`,
        values: [id],
      },
    ]);
    const second = report(id, { status: "FAILED" });
    await untilBlocked(api.database);
    await first.end();
    expect((await second).status).toBe(409);
    const list = await api.call<{ data: InsightRecord[] }>("GET", `/insights?task=${taskId}`);
    expect(expectDone(list).data).toMatchObject([{ id, status: "SUCCEEDED" }]);
  });

  it("is listed by maker, kind, and status, newest first and paginated", async () => {
    const { id } = await api.givenTask();
    const agent = { agent: "planner", agentRevision: "a1" };
    const maker = { model: "seeker", modelRevision: "r9", ...agent, provider: "the lab" };
    const first = expectDone(await open(id, maker), 201);
    const second = expectDone(await open(id, { ...maker, kind: "embedding", output: "x" }), 201);
    interface Page {
      data: InsightRecord[];
      nextCursor: string | null;
    }
    const list = async (query: string): Promise<Page> =>
      expectDone(await api.call<Page>("GET", `/insights?${query}`));
    const ids = async (query: string) => (await list(query)).data.map((insight) => insight.id);
    const byMaker =
      "model=seeker&modelRevision=r9&agent=planner&agentRevision=a1&provider=the%20lab";
    expect(await ids(byMaker)).toEqual([second.id, first.id]);
    expect(await ids("model=seeker&kind=embedding")).toEqual([second.id]);
    expect(await ids("model=seeker&status=QUEUED")).toEqual([first.id]);
    const page = await list(`task=${id}&limit=1`);
    expect(await ids(`task=${id}&limit=1&cursor=${page.nextCursor}`)).toEqual([first.id]);
  });
});

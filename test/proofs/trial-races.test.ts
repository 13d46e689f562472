import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { TrialView } from "../../src/actions/views/eval-view.ts";
import { expectHistoryMatches, givenOpenEval, givenTrial } from "../routes/evals/support.ts";
import { type Answer, expectDone, expectProblem, freshApi, type TestApi } from "../support/api.ts";
import { expectInvariantsHold } from "../support/model/invariants.ts";
import { inParallel, tally } from "../support/model/load.ts";
import { openTransaction, untilBlocked } from "../support/model/locks.ts";
import { silenceLog } from "../support/model/quiet.ts";

silenceLog();

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
  await api.roundTripsOf(async () => {});
});
afterEach(() => api.database.clearFaults());
afterAll(() => expectInvariantsHold(api.database));

const CLIENTS = 16;
const crowd = <Result>(call: (index: number) => Promise<Result>) =>
  inParallel({ count: CLIENTS, clients: CLIENTS }, call);
const record = (evalId: string, body: object) =>
  api.call<TrialView>("POST", `/evals/${evalId}/trials`, { body });

describe("concurrent clients of one eval", () => {
  test("record a slot once, and all others get the trial that holds it", async () => {
    const { id } = await givenOpenEval(api);
    const answers = await crowd((index) =>
      record(id, { k: 1, model: "solver", score: index / CLIENTS }),
    );
    expect(tally(answers.map(({ status }) => status))).toEqual({ 201: 1, 409: CLIENTS - 1 });
    const winner = answers.find(({ status }) => status === 201)?.body;
    for (const answer of answers.filter(({ status }) => status === 409)) {
      const problem = expectProblem(answer, "conflict", 409);
      expect(problem).toMatchObject({ existing: { id: winner?.id } });
    }
    await expectHistoryMatches(api, id);
  });

  test("record different slots without a refusal", async () => {
    const { id } = await givenOpenEval(api, { k: CLIENTS });
    const answers = await crowd((index) => record(id, { k: index + 1, model: "solver" }));
    expect(tally(answers.map(({ status }) => status))).toEqual({ 201: CLIENTS });
    const { eventSeq, trials } = await expectHistoryMatches(api, id);
    expect([eventSeq, trials.length]).toEqual([CLIENTS + 1, CLIENTS]);
  });

  test("judge a trial once", async () => {
    const { id } = await givenOpenEval(api);
    const trial = await givenTrial(api, id);
    const answers = await crowd((index) =>
      api.call("PATCH", `/trials/${trial.id}`, { body: { passed: index % 2 === 0 } }),
    );
    expect(tally(answers.map(({ status }) => status))).toEqual({ 200: 1, 409: CLIENTS - 1 });
    await expectHistoryMatches(api, id);
  });

  test("move the eval once", async () => {
    const { id } = await givenOpenEval(api);
    const answers = await crowd(() =>
      api.call("PATCH", `/evals/${id}`, { body: { status: "queued" } }),
    );
    const codes = answers.map(({ status, body }) => (status === 200 ? "done" : body.error));
    expect(tally(codes)).toEqual({ done: 1, already_in_status: CLIENTS - 1 });
  });

  test("retract, repeat and cancel in any order, and the tables match the history", async () => {
    const { id } = await givenOpenEval(api, { k: 2, status: "running" });
    const first = await givenTrial(api, id);
    await crowd((index): Promise<Answer<unknown>> => {
      if (index === CLIENTS - 1) {
        return api.call("PATCH", `/evals/${id}`, { body: { status: "cancelled" } });
      }
      if (index % 3 === 0) {
        const body = { reason: "Wrong prompt" };
        return api.call("POST", `/trials/${first.id}/retract`, { body });
      }
      return index % 3 === 1
        ? record(id, { k: 1, model: "solver", modelRevision: `r${index}` })
        : api.call("PATCH", `/trials/${first.id}`, { body: { passed: true } });
    });
    const { status, trials } = await expectHistoryMatches(api, id);
    expect(status).toBe("cancelled");
    expect(trials[0]?.retracted).toBe(true);
    expectProblem(await record(id, { k: 2, model: "solver" }), "conflict", 409);
  });
});

describe("a task that is archived between load and write", () => {
  const openings = [
    {
      by: "a draft",
      open: (task: string) =>
        api.call("POST", `/tasks/${task}/evals`, { body: { name: "n", k: 1 } }),
      expectRefused: (answer: Answer<unknown>) => expectProblem(answer, "archived", 409),
    },
    {
      by: "its results",
      open: (task: string) => {
        const results = [{ task, model: "solver", k: 1, passed: true }];
        return api.call("POST", "/evals/record", { body: { name: "n", k: 1, results } });
      },
      expectRefused: (answer: Answer<unknown>) =>
        expect(expectDone(answer)).toMatchObject({ items: [{ outcome: "conflict" }] }),
    },
  ];
  test.each(openings)("gets no eval by $by", async ({ open, expectRefused }) => {
    const { id } = await api.givenTask();
    // Without an event, so that nothing else shows that the task was archived.
    const archive = (at: string) => [
      { text: "set local session_replication_role = replica" },
      { text: `update tasks set archived_at = ${at} where id = $1`, values: [id] },
    ];
    const archiving = await openTransaction(api.database, archive("now()"));
    const opening = open(id);
    await untilBlocked(api.database);
    await archiving.end();
    expectRefused(await opening);
    const { data } = expectDone(await api.call<{ data: object[] }>("GET", `/evals?task=${id}`));
    expect(data).toEqual([]);
    await api.database.transaction("superuser", archive("null"));
  });
});

test("results for two evals are all recorded if one of the evals is moved between load and write", async () => {
  const [one, other] = [
    await givenOpenEval(api, { name: "n", k: 1 }),
    await givenOpenEval(api, { name: "n", k: 1 }),
  ];
  await api.database.faults({
    kind: "delay",
    delayMilliseconds: 400,
    sql: "insert into eval_step_events",
  });
  const results = [one, other].map(({ taskId }) => ({
    task: taskId,
    model: "solver",
    k: 1,
    passed: true,
  }));
  const recording = api.call("POST", "/evals/record", { body: { name: "n", k: 1, results } });
  await expect.poll(() => api.database.waitingFaults()).toBe(0);
  expectDone(await api.call("PATCH", `/evals/${other.id}`, { body: { status: "queued" } }));
  expect(expectDone(await recording)).toMatchObject({ counts: { recorded: 2 } });
  for (const { id } of [one, other]) {
    expect((await expectHistoryMatches(api, id)).trials).toHaveLength(1);
  }
});

describe("a lost database answer", () => {
  test("is not mistaken for a conflict: the retry finds what the first attempt did", async () => {
    const { id } = await givenOpenEval(api);
    await api.database.faults({ kind: "cut-after-commit", sql: "insert into operations" });
    const trial = expectDone(await record(id, { k: 1, model: "solver" }), 201);
    expect((await expectHistoryMatches(api, id)).trials).toMatchObject([{ id: trial.id }]);
  });
});

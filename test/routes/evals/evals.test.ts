import { afterAll, beforeAll, describe, expect, it, test } from "vitest";
import type { EvalRecord } from "../../../src/db/evals/eval-json.ts";
import { EVAL_TRANSITIONS } from "../../../src/domain/evals/transitions.ts";
import { EVAL_STATUSES } from "../../../src/domain/evals/statuses.ts";
import { expectDone, expectProblem, freshApi, type TestApi } from "../../support/api.ts";
import { expectInvariantsHold } from "../../support/model/invariants.ts";
import { eventsOf, expectHistoryMatches, givenOpenEval, givenTrial } from "./support.ts";

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
});
afterAll(() => expectInvariantsHold(api.database));

interface EvalPage {
  data: EvalRecord[];
  nextCursor: string | null;
}

describe("An eval", () => {
  it("is created as a draft for the active version, with its own history", async () => {
    const task = await api.givenTask();
    const answer = await api.call<EvalRecord>("POST", `/tasks/${task.id}/evals`, {
      as: "service",
      body: { name: "accuracy", k: 4 },
    });
    const opened = expectDone(answer, 201);
    expect(opened).toMatchObject({
      taskId: task.id,
      versionId: task.activeVersion.id,
      versionNumber: 1,
      name: "accuracy",
      k: 4,
      status: "draft",
      eventSeq: 1,
    });
    expect(answer.headers.get("location")).toBe(`/v1/evals/${opened.id}`);
    const [event] = await eventsOf(api, opened.id);
    expect(event).toMatchObject({
      stream: "eval",
      seq: 1,
      type: "eval_created",
      from: null,
      to: "draft",
      actor: { role: "service" },
      payload: { name: "accuracy", k: 4, versionId: task.activeVersion.id },
      prevHash: "00".repeat(32),
    });
    expect(JSON.parse(event?.canonical ?? "")).toHaveLength(19);
    expect(event?.canonical.startsWith('["sl1e", ')).toBe(true);
    const after = await api.call<{ eventSeq: number }>("GET", `/tasks/${task.id}`);
    expect(expectDone(after).eventSeq).toBe(task.eventSeq);
    await expectHistoryMatches(api, opened.id);
  });

  it("can be created for any version, including a sealed one", async () => {
    const task = await api.givenTask({ externalId: "two-versions" });
    const version = { content: { brief: "A new brief" }, reason: "Better" };
    expectDone(await api.call("POST", `/tasks/${task.id}/versions`, { body: version }), 201);
    const path = "/tasks/ext:two-versions/evals";
    const create = (versionNumber?: number) =>
      api.call<EvalRecord>("POST", path, { body: { name: "n", k: 1, versionNumber } });
    expect(expectDone(await create(1), 201).versionId).toBe(task.activeVersion.id);
    expect(expectDone(await create(), 201).versionNumber).toBe(2);
    expectProblem(await create(3), "not_found", 404);
  });

  it("cannot be created for an archived task", async () => {
    const task = await api.givenTask();
    expectDone(await api.call("POST", `/tasks/${task.id}/archive`, { body: {} }));
    const body = { name: "n", k: 1 };
    const rejected = await api.call("POST", `/tasks/${task.id}/evals`, { body });
    expectProblem(rejected, "archived", 409);
  });

  test.each([
    ["no name", { k: 1 }],
    ["a k of 0", { name: "n", k: 0 }],
    ["a k above the limit", { name: "n", k: 1001 }],
    ["a status", { name: "n", k: 1, status: "running" }],
  ])("cannot be created with %s", async (_, body) => {
    const task = await api.givenTask();
    const rejected = await api.call("POST", `/tasks/${task.id}/evals`, { body });
    expectProblem(rejected, "validation_failed", 400);
  });

  test.each(EVAL_STATUSES)("in %s can make only the transitions of its table", async (from) => {
    const { id } = await givenOpenEval(api, { status: from });
    const move = (status: string) => api.call("PATCH", `/evals/${id}`, { body: { status } });
    const allowed = EVAL_TRANSITIONS[from];
    for (const to of EVAL_STATUSES.filter((to) => to !== from && !allowed.includes(to))) {
      const problem = expectProblem(await move(to), "invalid_transition", 409);
      expect(problem).toMatchObject({ from, to, allowed });
    }
    expect(expectProblem(await move(from), "already_in_status", 409)).toMatchObject({ done: true });
    for (const to of allowed) {
      const other = await givenOpenEval(api, { status: from });
      const moved = await api.call<EvalRecord>("PATCH", `/evals/${other.id}`, {
        body: { status: to, reason: "The machines are ready" },
      });
      expect(expectDone(moved)).toMatchObject({ status: to, eventSeq: other.eventSeq + 1 });
      expect((await eventsOf(api, other.id)).at(-1)).toMatchObject({
        type: "eval_transitioned",
        from,
        to,
        reason: "The machines are ready",
      });
      await expectHistoryMatches(api, other.id);
    }
  });

  it("is listed by task, name, status, and model, newest first and paginated", async () => {
    const one = await givenOpenEval(api, { name: "found", status: "running" });
    const other = await givenOpenEval(api, { name: "found" });
    const trial = await givenTrial(api, other.id, { model: "seeker" });
    const list = async (query: string): Promise<EvalPage> =>
      expectDone(await api.call<EvalPage>("GET", `/evals?${query}`));
    const ids = async (query: string) => (await list(query)).data.map(({ id }) => id);
    expect(await ids("name=found")).toEqual([other.id, one.id]);
    expect(await ids("name=found&status=running")).toEqual([one.id]);
    expect(await ids(`task=${one.taskId}`)).toEqual([one.id]);
    expect(await ids("model=seeker")).toEqual([other.id]);
    expect(await ids(`task=${crypto.randomUUID()}`)).toEqual([]);
    const first = await list("name=found&limit=1");
    expect(first.data).toEqual([expectDone(await api.call("GET", `/evals/${other.id}`))]);
    expect(await ids(`name=found&limit=1&cursor=${first.nextCursor}`)).toEqual([one.id]);

    const body = { reason: "Wrong prompt" };
    expectDone(await api.call("POST", `/trials/${trial.id}/retract`, { body }));
    expect(await ids("model=seeker")).toEqual([]);
  });

  it("has its events in the task's timeline", async () => {
    const { id, taskId } = await givenOpenEval(api, { status: "queued" });
    const timeline = await api.call<{ data: object[] }>("GET", `/tasks/${taskId}/timeline`);
    const { data } = expectDone(timeline);
    expect(data).toMatchObject([
      { stream: "task", type: "task_created" },
      { stream: "eval", type: "eval_created", evalId: id },
      { stream: "eval", type: "eval_transitioned", evalId: id },
    ]);
    expect(data.slice(1)).toEqual(await eventsOf(api, id));
  });

  it("fails verification if one of its events was changed", async () => {
    const { id } = await givenOpenEval(api, { status: "running" });
    const changed = await api.database.transaction("superuser", [
      { text: "set local session_replication_role = replica" },
      {
        text: "update eval_step_events set reason = 'Forged' where eval_id = $1 and seq = 2 returning seq",
        values: [id],
      },
    ]);
    expect(changed[1]).toHaveLength(1);
    const verdict = await api.call("GET", `/evals/${id}/events/verify`);
    expect(expectDone(verdict)).toMatchObject({
      valid: false,
      events: 3,
      firstBroken: { seq: 2, reason: "changed" },
    });
    await api.database.transaction("superuser", [
      { text: "set local session_replication_role = replica" },
      { text: "update eval_step_events set reason = null where eval_id = $1", values: [id] },
    ]);
  });
});

import { beforeAll, describe, expect, it } from "vitest";
import type { StepEventView } from "../../../src/actions/views/event-view.ts";
import type { TaskView } from "../../../src/actions/views/task-view.ts";
import type { Explanation } from "../../../src/domain/status/explain.ts";
import { resolve } from "../../../src/domain/status/resolve.ts";
import { UNIFIED_STATUSES } from "../../../src/domain/status/unified.ts";
import {
  expectDone,
  expectProblem,
  freshApi,
  PLACE_OF_LABEL,
  type TestApi,
} from "../../support/api.ts";

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
});

const UNKNOWN = "0193aaaa-0000-7000-8000-00000000dead";
const read = (path: string, options = {}) => api.call<TaskView>("GET", `/tasks/${path}`, options);

describe("Reading a task", () => {
  it("finds it by its id and by its external id, in one round trip each", async () => {
    const task = await api.givenTask({ externalId: "read/me one", title: "Read me" });
    expect(await api.roundTripsOf(() => read(task.id))).toBe(1);
    expect((await read(task.id)).body).toEqual(task);
    expect((await read("ext:read%2Fme%20one")).body).toEqual(task);
    expect((await read(task.id.toUpperCase())).body).toEqual(task);
  });

  it("is open to every role", async () => {
    const { id } = await api.givenTask();
    for (const as of ["viewer", "operator", "reviewer", "admin", "service"] as const) {
      expect((await read(id, { as })).status).toBe(200);
    }
  });

  it.each(["", "/status", "/timeline", "/events", "/events/verify", "/versions", "/versions/1"])(
    "answers for another tenant's task exactly as for an unknown one: %s",
    async (path) => {
      const theirs = await api.givenTask({ externalId: `theirs${path}`, tenant: api.otherTenant });
      const headers = { "x-request-id": "same" };
      const unknown = await read(`${UNKNOWN}${path}`, { headers });
      expectProblem(unknown, "not_found", 404);
      for (const name of [theirs.id, encodeURIComponent(`ext:theirs${path}`)]) {
        const answer = await read(`${name}${path}`, { headers });
        expect(answer.text).toBe(unknown.text);
        expect([...answer.headers].filter(([header]) => header !== "server-timing")).toEqual(
          [...unknown.headers].filter(([header]) => header !== "server-timing"),
        );
      }
    },
  );

  it("rejects a name that is neither an id nor an external id", async () => {
    expectProblem(await read("not-an-id"), "validation_failed", 400);
  });

  it("returns 304 while the caller has the present state, and the task after it changes", async () => {
    const { id, currentStep } = await api.givenTask();
    const etag = (await read(id)).headers.get("etag") ?? "";
    expect(etag).toBe('"1"');
    const known = await read(id, { headers: { "if-none-match": etag } });
    expect(known.status).toBe(304);
    expect(known.text).toBe("");
    await api.call("PATCH", `/steps/${currentStep.id}`, { body: { status: "running" } });
    const moved = await read(id, { headers: { "if-none-match": etag } });
    expect(moved.status).toBe(200);
    expect(moved.headers.get("etag")).toBe('"2"');
  });
});

/** The states of a task that was moved, advanced, edited, blocked, archived and restored. */
async function givenHistory(): Promise<TaskView[]> {
  const states: TaskView[] = [];
  const first = await api.givenTask({ at: { kind: "pre_qa", status: "queued" }, title: "Past" });
  states.push(first);
  const change = async (method: string, path: string, body: object) => {
    expectDone(await api.call(method, path, { body }));
    states.push((await read(first.id)).body);
  };
  const step = () => `/steps/${states.at(-1)?.currentStep.id}`;
  await change("PATCH", step(), { status: "running" });
  await change("PATCH", step(), { status: "approved" });
  await change("POST", `/tasks/${first.id}/advance`, {});
  await change("PATCH", `/tasks/${first.id}`, { title: "Renamed", priority: 9 });
  await change("PATCH", step(), { status: "failed" });
  await change("PATCH", `${step()}/gate`, { gate: "blocked", reason: "Wait." });
  await change("POST", `/tasks/${first.id}/archive`, { reason: "Put away." });
  await change("POST", `/tasks/${first.id}/restore`, {});
  return states;
}

describe("Reading a task as of a time or event", () => {
  it("returns every earlier state, by seq and by time", async () => {
    const states = await givenHistory();
    expect(states.map(({ eventSeq }) => eventSeq)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    for (const state of states) {
      const bySeq = await read(`${state.id}?asOf=seq:${state.eventSeq}`);
      expect(bySeq.body).toEqual(state);
      expect(bySeq.headers.get("etag")).toBe(`"${state.eventSeq}"`);
      const byTime = await read(`${state.id}?asOf=${state.updatedAt}`);
      expect(byTime.body).toEqual(state);
    }
  });

  it("takes one round trip", async () => {
    const { id } = await api.givenTask();
    expect(await api.roundTripsOf(() => read(`${id}?asOf=seq:1`))).toBe(1);
    expect(await api.roundTripsOf(() => read(`${id}/status?asOf=seq:1`))).toBe(1);
  });

  it("returns 404 before the task's creation", async () => {
    const { id } = await api.givenTask();
    expectProblem(await read(`${id}?asOf=2020-01-01T00:00:00Z`), "not_found", 404);
    expectProblem(await read(`${id}/status?asOf=2020-01-01T00:00:00Z`), "not_found", 404);
  });

  it("returns the present state for a time in the future", async () => {
    const task = await api.givenTask();
    expect((await read(`${task.id}?asOf=2999-01-01T00:00:00Z`)).body).toEqual(task);
  });

  it.each([
    "seq:2",
    "seq:0",
    "seq:-1",
    "seq:99999999999",
    "yesterday",
    "0000-01-01T00:00:00Z",
    "2026-11-21",
    "seq:",
    "",
  ])("rejects the asOf '%s'", async (asOf) => {
    const { id } = await api.givenTask();
    const answer = await read(`${id}?asOf=${asOf}`);
    const { issues } = expectProblem(answer, "validation_failed", 400);
    expect(issues?.[0]?.path).toEqual(["asOf"]);
  });
});

interface Status extends Explanation {
  taskId: string;
  eventSeq: number;
  attention: string[];
  statusSince: string;
}

describe("Reading a task's status", () => {
  it.each(UNIFIED_STATUSES)("explains %s with the rule that matched", async (label) => {
    const task = await api.givenTaskLabelled(label);
    const { body } = await api.call<Status>("GET", `/tasks/${task.id}/status`, { as: "viewer" });
    expect(body).toMatchObject({
      taskId: task.id,
      eventSeq: task.eventSeq,
      statusSince: task.statusSince,
      unifiedStatus: label,
      attention: task.attention,
      rule: { label },
      facts: PLACE_OF_LABEL[label],
    });
    expect(resolve(body.facts)).toBe(label);
    expect(body.passedOver.map(({ rule }) => rule)).toEqual(
      Array.from({ length: body.rule.number - 1 }, (_, index) => index + 1),
    );
    for (const { unmet } of body.passedOver) expect(unmet).not.toEqual([]);
  });

  it("takes one round trip", async () => {
    const { id } = await api.givenTask();
    expect(await api.roundTripsOf(() => read(`${id}/status`))).toBe(1);
  });

  it("explains the label as of an event", async () => {
    const states = await givenHistory();
    for (const state of states) {
      const path = `/tasks/${state.id}/status?asOf=seq:${state.eventSeq}`;
      const { body } = await api.call<Status>("GET", path);
      expect(body).toMatchObject({
        eventSeq: state.eventSeq,
        unifiedStatus: state.unifiedStatus,
        attention: state.attention,
        statusSince: state.statusSince,
      });
    }
  });

  it("takes reviews into account as of each event", async () => {
    const task = await api.givenTask({ at: { kind: "pre_qa", status: "awaiting_review" } });
    const labels = new Map<number, string>([[task.eventSeq, task.unifiedStatus]]);
    const review = async (outcome: string) => {
      const body = { kind: "expert", outcome };
      expectDone(await api.call("POST", `/tasks/${task.id}/reviews`, { body }), 201);
      const now = (await read(task.id)).body;
      labels.set(now.eventSeq, now.unifiedStatus);
    };
    await review("failed");
    await review("passed");
    expect([...labels.values()]).toEqual([
      "CHECKING_QUALITY",
      "QUALITY_CHECK_FAILED",
      "CHECKING_QUALITY",
    ]);
    for (const [seq, label] of labels) {
      const then = await api.call<Status>("GET", `/tasks/${task.id}/status?asOf=seq:${seq}`);
      expect(then.body.unifiedStatus).toBe(label);
    }
    const events = await api.call<{ data: StepEventView[] }>("GET", `/tasks/${task.id}/events`);
    expect(events.body.data.map(({ type }) => type)).toEqual([
      "task_created",
      "review_recorded",
      "review_recorded",
    ]);
  });
});

import { Webhook } from "standardwebhooks";
import { afterEach, beforeAll, beforeEach, describe, expect, it, test } from "vitest";
import type { Moved } from "../../../src/actions/moves/move-task.ts";
import type { TaskView } from "../../../src/actions/views/task-view.ts";
import type { RunRecord } from "../../../src/db/runs/worker-runs.ts";
import { DISPATCH_ATTEMPTS_MAX } from "../../../src/domain/pipelines/dispatch-attempts.ts";
import { WEBHOOK_DATA } from "../../../src/domain/webhooks/data.ts";
import { expectDone, freshApi, type TestApi } from "../../support/api.ts";
import {
  consumed,
  deliver,
  givenDispatch,
  readDispatch,
  timePasses,
} from "../../support/dispatches.ts";
import { importedState } from "../../support/imported-state.ts";
import { expectInvariantsHold } from "../../support/model/invariants.ts";
import { openTransaction, untilBlocked } from "../../support/model/locks.ts";

const ENDPOINT = "https://checks.example.com/hook?token=t0ken";

let api: TestApi;
let secret: string;

beforeAll(async () => {
  api = await freshApi();
});

async function forgetPipelines(): Promise<void> {
  await api.database.query("owner", "delete from signing_secrets");
  await api.database.query("owner", "delete from pipelines");
  await api.database.transaction("owner", importedState(api.tenant.id));
}

beforeEach(async () => {
  await forgetPipelines();
  const body = { endpoint: ENDPOINT, timeoutSeconds: 3, runDeadlineSeconds: 600 };
  const put = await api.call<{ secret: string }>("PUT", "/pipelines/quality_automation", { body });
  secret = expectDone(put).secret;
});

afterEach(async () => {
  await api.database.clearFaults();
  await expectInvariantsHold(api.database);
});

/** An endpoint that records its requests and gives these answers in turn, repeating the last one. */
function endpoint(...answers: (() => Response | Promise<Response>)[]) {
  const requests: Request[] = [];
  const fetch: typeof globalThis.fetch = async (input, init) => {
    requests.push(new Request(input, init));
    const answer = answers[Math.min(requests.length, answers.length) - 1];
    return answer === undefined ? new Response(null, { status: 200 }) : answer();
  };
  return { requests, fetch };
}

const status = (code: number, headers: Record<string, string> = {}) => {
  return () => new Response("s3cret words", { status: code, headers });
};
const messageAbout = (dispatchId: string, tenantId = api.tenant.id) => ({
  version: 1,
  tenantId,
  dispatchId,
});
const runs = async (taskId: string) =>
  expectDone(await api.call<{ data: RunRecord[] }>("GET", `/worker-runs?task=${taskId}`)).data;
const secondsUntil = (time: string | null | undefined) =>
  Math.round((Date.parse(time ?? "") - Date.now()) / 1000);

describe("A dispatch of a pipeline with an endpoint", () => {
  it("is posted there, signed, with its run, its task, and the path to report to", async () => {
    const id = await givenDispatch(api);
    const { requests, fetch } = endpoint(status(202));
    expect(await deliver(api, id, { fetch })).toBe("acknowledged");

    const { log, ...dispatch } = await readDispatch(api, id);
    expect(dispatch).toMatchObject({ state: "delivered", attempts: 1, lastError: null });
    expect(log.map(({ to }) => to)).toEqual(["pending", "sent", "delivered"]);
    const [run] = await runs(dispatch.taskId);
    expect(run).toMatchObject({
      id: dispatch.runId,
      type: "QUALITY_AUTOMATION",
      state: "QUEUED",
      stepId: dispatch.stepId,
    });
    expect(secondsUntil(run?.deadlineAt)).toBeGreaterThan(500);

    const [request] = requests;
    if (request === undefined) expect.fail("Nothing was posted");
    expect(request.url).toBe(ENDPOINT);
    const headers = Object.fromEntries(request.headers);
    expect(headers).toMatchObject({ "webhook-id": id, "content-type": "application/json" });
    const task = expectDone(await api.call<TaskView>("GET", `/tasks/${dispatch.taskId}`));
    expect(new Webhook(secret).verify(await request.text(), headers)).toEqual({
      type: "pipeline.requested",
      timestamp: expect.stringMatching(/^\d{4}-.*Z$/),
      data: {
        dispatchId: id,
        pipeline: "quality_automation",
        run: { id: run?.id, type: run?.type, attempt: 1, deadlineAt: run?.deadlineAt },
        task,
        version: { ...task.activeVersion, contentHash: expect.stringMatching(/^[0-9a-f]{64}$/) },
        step: {
          ...task.currentStep,
          taskId: task.id,
          versionId: task.activeVersion.id,
          current: true,
          deferred: [],
        },
        reportTo: `/v1/worker-runs/${run?.id}`,
      },
    });
  });

  it("is signed with the previous secret as well for a day after a rotation", async () => {
    const rotated = await api.call<{ secret: string }>(
      "POST",
      "/pipelines/quality_automation/rotate",
    );
    const { requests, fetch } = endpoint();
    await deliver(api, await givenDispatch(api), { fetch });
    // A day later, the old secret is no longer used.
    await api.database.query(
      "owner",
      "update signing_secrets set signs_until = now() - interval '1 second' where signs_until is not null",
    );
    await deliver(api, await givenDispatch(api), { fetch });
    const verified = async (request: Request | undefined, by: string) => {
      const [body, headers] = [
        await request?.clone().text(),
        Object.fromEntries(request?.headers ?? []),
      ];
      try {
        return new Webhook(by).verify(body ?? "", headers) !== undefined;
      } catch {
        return false;
      }
    };
    const current = expectDone(rotated).secret;
    expect([await verified(requests[0], current), await verified(requests[0], secret)]).toEqual([
      true,
      true,
    ]);
    expect([await verified(requests[1], current), await verified(requests[1], secret)]).toEqual([
      true,
      false,
    ]);
  });

  it("is posted once if its message arrives several times", async () => {
    const id = await givenDispatch(api);
    const { requests, fetch } = endpoint();
    await deliver(api, id, { fetch });
    expect(await consumed(api, [messageAbout(id), messageAbout(id)], { fetch })).toEqual([
      "acknowledged",
      "acknowledged",
    ]);
    expect(requests).toHaveLength(1);
    expect(await runs((await readDispatch(api, id)).taskId)).toHaveLength(1);
  });

  it("is posted once by concurrent consumers", async () => {
    const id = await givenDispatch(api);
    const { requests, fetch } = endpoint();
    const outcomes = await Promise.all(
      Array.from({ length: 8 }, () => deliver(api, id, { fetch })),
    );
    expect(requests).toHaveLength(1);
    expect(outcomes).toContain("acknowledged");
    expect(await runs((await readDispatch(api, id)).taskId)).toHaveLength(1);
  });

  it("is not posted by a second consumer during the lease of the first", async () => {
    const id = await givenDispatch(api);
    const { promise: answer, resolve } = Promise.withResolvers<Response>();
    const slow = endpoint(() => answer);
    const first = deliver(api, id, slow);
    await expect.poll(() => slow.requests.length).toBe(1);
    const { requests, fetch } = endpoint();
    const outcomes = await deliver(api, id, { fetch });
    expect(outcomes).toEqual({ retryAfterSeconds: expect.any(Number) });
    expect(requests).toEqual([]);
    resolve(new Response(null, { status: 200 }));
    expect(await first).toBe("acknowledged");
  });

  it("is posted again after the lease if the first consumer crashed", async () => {
    const id = await givenDispatch(api);
    // The end of the attempt cannot be recorded, so nothing shows that the dispatch was delivered.
    await api.database.faults({ kind: "unavailable", times: null, sql: "put_off" });
    const { requests, fetch } = endpoint();
    await expect(deliver(api, id, { fetch })).rejects.toThrow("did not answer");
    await api.database.clearFaults();
    await timePasses(api.database, 60);
    expect(await deliver(api, id, { fetch })).toBe("acknowledged");
    const ids = requests.map(({ headers }) => headers.get("webhook-id"));
    expect(ids).toEqual([id, id]);
    const { attempts, state, taskId } = await readDispatch(api, id);
    expect({ attempts, state }).toEqual({ attempts: 2, state: "delivered" });
    expect(await runs(taskId)).toHaveLength(1);
  });

  it("is posted once if the response of the database is lost after the commit", async () => {
    const id = await givenDispatch(api);
    await api.database.faults({ kind: "cut-after-commit", sql: "insert into worker_runs" });
    const { requests, fetch } = endpoint();
    expect(await deliver(api, id, { fetch })).toBe("acknowledged");
    expect(requests).toHaveLength(1);
    const { attempts, log } = await readDispatch(api, id);
    expect(attempts).toBe(1);
    expect(log.map(({ to }) => to)).toEqual(["pending", "sent", "delivered"]);
  });

  it("is not posted until its run is committed", async () => {
    const id = await givenDispatch(api);
    await api.database.faults({
      kind: "cut-before-commit",
      times: null,
      sql: "insert into worker_runs",
    });
    const { requests, fetch } = endpoint();
    await expect(deliver(api, id, { fetch })).rejects.toThrow("did not answer");
    expect(requests).toEqual([]);
    expect(await readDispatch(api, id)).toMatchObject({ attempts: 0, runId: null });
  });
});

describe("A dispatch whose endpoint is unavailable", () => {
  it("is posted again after 30 seconds, then 60, then 120, and not earlier", async () => {
    const id = await givenDispatch(api);
    const { requests, fetch } = endpoint(status(503));
    for (const [attempt, seconds] of [30, 60, 120].entries()) {
      expect(await deliver(api, id, { fetch })).toEqual({ retryAfterSeconds: seconds });
      const { nextAttemptAt, lastError, state } = await readDispatch(api, id);
      expect({ state, lastError }).toEqual({
        state: "sent",
        lastError: "The endpoint returned 503.",
      });
      expect(Math.abs(secondsUntil(nextAttemptAt) - seconds)).toBeLessThan(10);
      // A duplicate message that arrives too early waits as well.
      expect(await deliver(api, id, { fetch })).toEqual({ retryAfterSeconds: expect.any(Number) });
      expect(requests).toHaveLength(attempt + 1);
      await timePasses(api.database, seconds);
    }
  });

  test.each([
    ["50", 50],
    ["5", 30],
    ["100000", 3600],
    ["whenever", 30],
  ])("and sends `Retry-After: %s` is posted again after %i seconds", async (header, seconds) => {
    const id = await givenDispatch(api);
    const { fetch } = endpoint(status(429, { "retry-after": header }));
    expect(await deliver(api, id, { fetch })).toEqual({ retryAfterSeconds: seconds });
  });

  it("is dead after eight attempts, and its run waits for the deadline", async () => {
    const id = await givenDispatch(api);
    const { requests, fetch } = endpoint(status(500));
    for (let attempt = 1; attempt < DISPATCH_ATTEMPTS_MAX; attempt += 1) {
      expect(await deliver(api, id, { fetch })).not.toBe("acknowledged");
      await timePasses(api.database, 3600);
    }
    expect(await deliver(api, id, { fetch })).toBe("acknowledged");
    expect(requests).toHaveLength(DISPATCH_ATTEMPTS_MAX);
    const { log, ...dispatch } = await readDispatch(api, id);
    expect(dispatch).toMatchObject({
      state: "dead",
      attempts: DISPATCH_ATTEMPTS_MAX,
      lastError: "attempts_exhausted: The endpoint returned 500.",
    });
    expect(log.at(-1)).toMatchObject({ to: "dead", reason: "attempts_exhausted" });
    expect(await runs(dispatch.taskId)).toMatchObject([{ state: "QUEUED" }]);
  });

  it("gives its run a deadline counted from the next attempt", async () => {
    const id = await givenDispatch(api);
    await deliver(api, id, endpoint(status(429, { "retry-after": "3000" })));
    const [run] = await runs((await readDispatch(api, id)).taskId);
    expect(secondsUntil(run?.deadlineAt)).toBeGreaterThan(3500);
  });

  it("is delivered if a worker reports on its run before the next attempt", async () => {
    const id = await givenDispatch(api);
    await deliver(api, id, endpoint(status(500)));
    const { runId } = await readDispatch(api, id);
    const body = { state: "RUNNING" };
    expectDone(await api.call("PATCH", `/worker-runs/${runId}`, { as: "service", body }));
    await timePasses(api.database, 30);
    const { requests, fetch } = endpoint();
    expect(await deliver(api, id, { fetch })).toBe("acknowledged");
    expect(requests).toEqual([]);
    const { state, log } = await readDispatch(api, id);
    expect([state, log.at(-1)?.reason]).toEqual(["delivered", "A worker reported on the run."]);
  });

  it("is delivered if a worker is just reporting on its run when the next attempt begins", async () => {
    const id = await givenDispatch(api);
    await deliver(api, id, endpoint(status(500)));
    const { runId } = await readDispatch(api, id);
    await timePasses(api.database, 30);
    // The report has locked its task, and waits for the run.
    const holding = await openTransaction(api.database, [
      { text: "select from worker_runs where id = $1 for update", values: [runId] },
    ]);
    const body = { state: "RUNNING" };
    const reporting = api.call("PATCH", `/worker-runs/${runId}`, { as: "service", body });
    await untilBlocked(api.database);
    const { requests, fetch } = endpoint();
    const delivering = deliver(api, id, { fetch });
    await untilBlocked(api.database, 2);
    await holding.end();
    expectDone(await reporting);
    expect(await delivering).toBe("acknowledged");
    expect(requests).toEqual([]);
    expect((await readDispatch(api, id)).state).toBe("delivered");
  });

  it("is recalled if the task left the step during an attempt", async () => {
    const id = await givenDispatch(api);
    // The task moves while the attempt is in progress, so the move does not recall the dispatch itself.
    const { taskId } = await readDispatch(api, id);
    const body = { content: {}, reason: "Start again" };
    const leave = async () => {
      expectDone(await api.call<Moved>("POST", `/tasks/${taskId}/versions`, { body }), 201);
      return new Response(null, { status: 500 });
    };
    await deliver(api, id, endpoint(leave));
    expect((await readDispatch(api, id)).state).toBe("sent");
    await timePasses(api.database, 30);
    const { requests, fetch } = endpoint();
    expect(await deliver(api, id, { fetch })).toBe("acknowledged");
    expect(requests).toEqual([]);
    const { state, log } = await readDispatch(api, id);
    expect([state, log.at(-1)?.reason]).toEqual(["recalled", "The dispatch is no longer wanted."]);
    expect(await runs(taskId)).toMatchObject([{ state: "CANCELLED" }]);
  });

  it("is dead if its run times out before the endpoint responds", async () => {
    const id = await givenDispatch(api);
    await deliver(api, id, endpoint(status(500)));
    const { runId } = await readDispatch(api, id);
    const body = { state: "FAILED", error: "timed_out" };
    expectDone(await api.call("PATCH", `/worker-runs/${runId}`, { as: "service", body }));
    await timePasses(api.database, 30);
    expect(await deliver(api, id, endpoint())).toBe("acknowledged");
    expect(await readDispatch(api, id)).toMatchObject({
      state: "dead",
      lastError: "run_timed_out: The endpoint returned 500.",
    });
  });
});

describe("A dispatch whose endpoint rejects it", () => {
  test.each([400, 402, 405, 410, 413, 415, 418, 422, 451, 499])(
    "with %i is not posted again",
    async (code) => {
      const id = await givenDispatch(api);
      const { requests, fetch } = endpoint(status(code));
      expect(await deliver(api, id, { fetch })).toBe("acknowledged");
      expect(await deliver(api, id, { fetch })).toBe("acknowledged");
      expect(requests).toHaveLength(1);
      const reason = `endpoint_answered_${code}`;
      const { log, ...dispatch } = await readDispatch(api, id);
      expect(dispatch).toMatchObject({
        state: "dead",
        lastError: `${reason}: The endpoint returned ${code}.`,
      });
      expect(log.at(-1)).toMatchObject({ to: "dead", reason, actor: { name: "Delivery" } });
      expect(await runs(dispatch.taskId)).toMatchObject([{ state: "QUEUED" }]);
    },
  );
});

describe("A dead dispatch", () => {
  /** Inserts a webhook. Columns that are not named here are null, whatever the table has. */
  const givenWebhook = () =>
    api.database.query(
      "owner",
      "insert into webhooks select (jsonb_populate_record(null::webhooks, $1::jsonb)).*",
      [
        JSON.stringify({
          tenant_id: api.tenant.id,
          id: crypto.randomUUID(),
          name: `hook-${crypto.randomUUID()}`,
          url: "https://hooks.example.com/",
          events: ["dispatch.dead"],
          secret: "\\x00",
          enabled: true,
          position_txid: "1",
          position_feed_id: 0,
          heard_nothing_of: "1:1:",
          created_at: "2026-11-05T12:00:00Z",
          updated_at: "2026-11-05T12:00:00Z",
        }),
      ],
    );

  it("is sent to webhooks once, from a row that the same statement writes", async () => {
    await givenWebhook();
    await api.database.transaction("owner", importedState(api.tenant.id));
    const id = await givenDispatch(api);
    const { fetch } = endpoint(status(410));
    await deliver(api, id, { fetch });
    await deliver(api, id, { fetch });
    await deliver(api, await givenDispatch(api), endpoint());
    const { taskId, log } = await readDispatch(api, id);
    const rows = await api.database.query("owner", "select event, data from webhook_deliveries");
    expect(rows.map(({ event }) => event)).toEqual(["dispatch.dead"]);
    const data = WEBHOOK_DATA["dispatch.dead"].parse(JSON.parse(rows[0]?.["data"] ?? ""));
    expect(data).toEqual({
      dispatchId: id,
      pipeline: "quality_automation",
      taskId,
      reason: "endpoint_answered_410",
      at: log.at(-1)?.at,
    });
  });
});

describe("An endpoint with a forbidden address", () => {
  /** Sets an endpoint that was valid when it was set, for example before its host name resolved to another address. */
  const pointTo = (url: string) =>
    api.database.transaction("owner", [
      { text: "update pipelines set endpoint = $1", values: [url] },
      ...importedState(api.tenant.id),
    ]);

  test.each([
    "http://169.254.169.254/",
    "http://127.0.0.1/",
    "http://[::ffff:10.0.0.1]/",
    "http://0x7f000001/",
    "https://user@evil.example.com/",
    "file:///etc/passwd",
    "https://stepledger.example.com/v1/tasks",
    "https://169.254.169.254/",
    "https://[::ffff:10.0.0.1]/",
    "https://0x7f000001/",
  ])("is not called, and its dispatch is dead: %s", async (url) => {
    const id = await givenDispatch(api);
    await pointTo(url);
    const { requests, fetch } = endpoint();
    const rules = { allowsLoopback: false, ownHosts: ["stepledger.example.com"] };
    expect(await deliver(api, id, { fetch, ...rules })).toBe("acknowledged");
    expect(requests).toEqual([]);
    const { state, log, lastError } = await readDispatch(api, id);
    expect([state, log.at(-1)?.reason]).toEqual(["dead", "url_not_allowed"]);
    expect(lastError).toMatch(/^url_not_allowed: The /);
    expect(lastError).not.toContain(url);
  });

  it("is not called through a redirect", async () => {
    const id = await givenDispatch(api);
    const { requests, fetch } = endpoint(status(302, { location: "http://169.254.169.254/" }));
    expect(await deliver(api, id, { fetch })).toBe("acknowledged");
    expect(requests).toMatchObject([{ redirect: "manual" }]);
    expect((await readDispatch(api, id)).lastError).toBe(
      "url_not_allowed: The endpoint returned a redirect.",
    );
  });

  it("is not called through a host name that resolves to another address than before", async () => {
    const id = await givenDispatch(api);
    const { requests, fetch } = endpoint(status(500));
    const addresses = [["93.184.216.34"], ["10.0.0.1"]];
    const resolveHost = async () => addresses.shift() ?? [];
    await deliver(api, id, { fetch, resolveHost });
    await timePasses(api.database, 30);
    expect(await deliver(api, id, { fetch, resolveHost })).toBe("acknowledged");
    expect(requests).toHaveLength(1);
    expect((await readDispatch(api, id)).lastError).toMatch(
      /^url_not_allowed: The host name resolves/,
    );
  });
});

describe("A dispatch of a pipeline without an endpoint", () => {
  it("is delivered immediately, and its run waits for a worker to claim it", async () => {
    await forgetPipelines();
    const id = await givenDispatch(api);
    const { requests, fetch } = endpoint();
    expect(await deliver(api, id, { fetch })).toBe("acknowledged");
    expect(requests).toEqual([]);
    const { log, ...dispatch } = await readDispatch(api, id);
    expect(dispatch).toMatchObject({ state: "delivered", attempts: 0 });
    expect(log.map(({ to }) => to)).toEqual(["pending", "sent", "delivered"]);
    const rows = await api.database.query(
      "owner",
      "select state, offered from worker_runs where dispatch_id = $1",
      [id],
    );
    expect(rows).toEqual([{ state: "QUEUED", offered: "t" }]);
  });

  it("offers its run to workers if the endpoint was removed after an attempt", async () => {
    const id = await givenDispatch(api);
    await deliver(api, id, endpoint(status(500)));
    await api.database.transaction("owner", [
      { text: "update pipelines set endpoint = null" },
      ...importedState(api.tenant.id),
    ]);
    await timePasses(api.database, 30);
    expect(await deliver(api, id, endpoint())).toBe("acknowledged");
    const rows = await api.database.query(
      "owner",
      "select state, offered from worker_runs where dispatch_id = $1",
      [id],
    );
    expect(rows).toEqual([{ state: "QUEUED", offered: "t" }]);
  });
});

describe("A queue message", () => {
  it("that is invalid becomes a dead letter with a reason, and does not affect others", async () => {
    const id = await givenDispatch(api);
    const garbage = [null, "hello", [], {}, { ...messageAbout(id), version: 2 }];
    const more = [{ ...messageAbout(id), extra: 1 }, messageAbout("no uuid")];
    const bodies = [...garbage, messageAbout(id), ...more];
    const { requests, fetch } = endpoint();
    const outcomes = await consumed(api, bodies, { fetch });
    expect(outcomes).toEqual(bodies.map(() => "acknowledged"));
    expect(requests).toHaveLength(1);
    const rows = await api.database.query("owner", "select queue, reason, body from dead_letters");
    expect(new Set(rows.map(({ body }) => body))).toEqual(
      new Set([...garbage, ...more].map((body) => JSON.stringify(body))),
    );
    expect(new Set(rows.map(({ reason }) => reason))).toEqual(
      new Set(["The message does not match the queue's schema."]),
    );
  });

  it("for an unknown dispatch, or for one of another tenant, does nothing", async () => {
    const id = await givenDispatch(api);
    const { requests, fetch } = endpoint();
    const bodies = [messageAbout(crypto.randomUUID()), messageAbout(id, api.otherTenant.id)];
    expect(await consumed(api, bodies, { fetch })).toEqual(["acknowledged", "acknowledged"]);
    expect(requests).toEqual([]);
    expect(await readDispatch(api, id)).toMatchObject({ state: "sent", attempts: 0 });
  });
});

describe("A message in the dead-letter queue", () => {
  const giveUp = (body: unknown) => consumed(api, [body], { queue: "stepledger-dispatches-dead" });

  it("is stored, and its dispatch is dead with a reason", async () => {
    const id = await givenDispatch(api);
    expect(await giveUp(messageAbout(id))).toEqual(["acknowledged"]);
    const { log, ...dispatch } = await readDispatch(api, id);
    expect(dispatch).toMatchObject({ state: "dead", lastError: "queue_gave_up" });
    expect(log.at(-1)).toMatchObject({ from: "sent", to: "dead", reason: "queue_gave_up" });
    const rows = await api.database.query(
      "owner",
      "select body from dead_letters where queue = 'stepledger-dispatches-dead' and body like $1",
      [`%${id}%`],
    );
    expect(rows).toEqual([{ body: JSON.stringify(messageAbout(id)) }]);
  });

  it("does not change a dispatch that was delivered or waits for its next attempt", async () => {
    const delivered = await givenDispatch(api);
    await deliver(api, delivered, endpoint());
    const waiting = await givenDispatch(api);
    await deliver(api, waiting, endpoint(status(500)));
    await giveUp(messageAbout(delivered));
    await giveUp(messageAbout(waiting));
    expect((await readDispatch(api, delivered)).state).toBe("delivered");
    expect((await readDispatch(api, waiting)).state).toBe("sent");
  });

  it("does not change a dispatch that is being posted", async () => {
    const id = await givenDispatch(api);
    const during = async () => {
      await giveUp(messageAbout(id));
      return new Response(null, { status: 200 });
    };
    expect(await deliver(api, id, endpoint(during))).toBe("acknowledged");
    const { state, log } = await readDispatch(api, id);
    expect([state, ...log.map(({ to }) => to)]).toEqual([
      "delivered",
      "pending",
      "sent",
      "delivered",
    ]);
  });

  it("is stored even if it is invalid", async () => {
    expect(await giveUp({ what: "ever" })).toEqual(["acknowledged"]);
  });
});

describe("The sweep", () => {
  it("delivers a dispatch whose message was lost, as if the Worker was killed after the commit", async () => {
    const id = await givenDispatch(api);
    await timePasses(api.database, 15 * 60);
    await api.sweep();
    const { log } = await readDispatch(api, id);
    expect(log.map(({ to, reason }) => [to, reason])).toEqual([
      ["pending", "To have one"],
      ["sent", null],
      ["pending", "Nothing was heard of its message."],
      ["sent", null],
    ]);
    expect(await deliver(api, id, endpoint())).toBe("acknowledged");
    expect((await readDispatch(api, id)).state).toBe("delivered");
  });

  const isLongDue = () =>
    api.database.query(
      "owner",
      "update pipeline_dispatches set next_attempt_at = now() - interval '1 day'",
    );

  it("does not send a dispatch again that was delivered", async () => {
    const id = await givenDispatch(api);
    await deliver(api, id, endpoint());
    await isLongDue();
    await api.sweep();
    expect((await readDispatch(api, id)).state).toBe("delivered");
  });

  it("does not send a dispatch again while it is being posted", async () => {
    const id = await givenDispatch(api);
    const during = async () => {
      await isLongDue();
      await api.sweep();
      return new Response(null, { status: 200 });
    };
    await deliver(api, id, endpoint(during));
    const { log } = await readDispatch(api, id);
    expect(log.map(({ to }) => to)).toEqual(["pending", "sent", "delivered"]);
  });

  it("does not send a dispatch again whose next attempt is not due", async () => {
    const id = await givenDispatch(api);
    await deliver(api, id, endpoint(status(429, { "retry-after": "3600" })));
    await timePasses(api.database, 30 * 60);
    await api.sweep();
    expect((await readDispatch(api, id)).log).toHaveLength(2);
  });
});

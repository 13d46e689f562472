import { Webhook } from "standardwebhooks";
import { afterEach, beforeAll, beforeEach, describe, expect, it, test } from "vitest";
import type { Moved } from "../../../src/actions/moves/move-task.ts";
import type { TaskView } from "../../../src/actions/views/task-view.ts";
import type { RunRecord } from "../../../src/db/runs/worker-runs.ts";
import { DISPATCH_ATTEMPTS_MAX } from "../../../src/domain/pipelines/delivery.ts";
import { WEBHOOK_DATA } from "../../../src/domain/webhooks/data.ts";
import { expectDone, freshApi, type TestApi } from "../../support/api.ts";
import {
  consumed,
  deliver,
  givenDispatch,
  readDispatch,
  timePasses,
} from "../../support/dispatches.ts";
import { expectInvariantsHold } from "../../support/model/invariants.ts";

const ENDPOINT = "https://checks.example.com/hook?token=t0ken";

let api: TestApi;
let secret: string;

beforeAll(async () => {
  api = await freshApi();
});

beforeEach(async () => {
  await api.database.query("owner", "delete from pipelines");
  const body = { endpoint: ENDPOINT, timeoutSeconds: 3, runDeadlineSeconds: 600 };
  const put = await api.call<{ secret: string }>("PUT", "/pipelines/quality_automation", { body });
  secret = expectDone(put).secret;
});

afterEach(async () => {
  await api.database.clearFaults();
  await expectInvariantsHold(api.database);
});

/** An endpoint that remembers what it was asked and gives these answers in turn, the last one from then on. */
function endpoint(...answers: (() => Response | Promise<Response>)[]) {
  const asked: Request[] = [];
  const fetch: typeof globalThis.fetch = async (input, init) => {
    asked.push(new Request(input, init));
    const answer = answers[Math.min(asked.length, answers.length) - 1];
    return answer === undefined ? new Response(null, { status: 200 }) : answer();
  };
  return { asked, fetch };
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

describe("A dispatch whose pipeline has an endpoint", () => {
  it("is posted there, signed, with its run, its task and where to report", async () => {
    const id = await givenDispatch(api);
    const { asked, fetch } = endpoint(status(202));
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

    const [request] = asked;
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
        },
        reportTo: `/v1/worker-runs/${run?.id}`,
      },
    });
  });

  it("is verified by who knows the secret of now, and by who knows the one before", async () => {
    const rotated = await api.call<{ secret: string }>(
      "POST",
      "/pipelines/quality_automation/rotate",
    );
    const { asked, fetch } = endpoint();
    await deliver(api, await givenDispatch(api), { fetch });
    // A day later the old one signs no more.
    await api.database.query(
      "owner",
      "update pipelines set previous_secret_until = now() - interval '1 second'",
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
    const now = expectDone(rotated).secret;
    expect([await verified(asked[0], now), await verified(asked[0], secret)]).toEqual([true, true]);
    expect([await verified(asked[1], now), await verified(asked[1], secret)]).toEqual([
      true,
      false,
    ]);
  });

  it("is posted once, however often its message comes", async () => {
    const id = await givenDispatch(api);
    const { asked, fetch } = endpoint();
    await deliver(api, id, { fetch });
    expect(await consumed(api, [messageAbout(id), messageAbout(id)], { fetch })).toEqual([
      "acknowledged",
      "acknowledged",
    ]);
    expect(asked).toHaveLength(1);
    expect(await runs((await readDispatch(api, id)).taskId)).toHaveLength(1);
  });

  it("is posted once by consumers that begin at the same moment", async () => {
    const id = await givenDispatch(api);
    const { asked, fetch } = endpoint();
    const said = await Promise.all(Array.from({ length: 8 }, () => deliver(api, id, { fetch })));
    expect(asked).toHaveLength(1);
    expect(said).toContain("acknowledged");
    expect(await runs((await readDispatch(api, id)).taskId)).toHaveLength(1);
  });

  it("is left to whoever is delivering it, until that lease ends", async () => {
    const id = await givenDispatch(api);
    const { promise: answer, resolve } = Promise.withResolvers<Response>();
    const slow = endpoint(() => answer);
    const first = deliver(api, id, slow);
    await expect.poll(() => slow.asked.length).toBe(1);
    const { asked, fetch } = endpoint();
    const said = await deliver(api, id, { fetch });
    expect(said).toEqual({ retryAfterSeconds: expect.any(Number) });
    expect(asked).toEqual([]);
    resolve(new Response(null, { status: 200 }));
    expect(await first).toBe("acknowledged");
  });

  it("is taken on by another one where whoever delivered it is gone", async () => {
    const id = await givenDispatch(api);
    // The answer to the end of the attempt never comes through: nobody knows that it was delivered.
    await api.database.faults({ kind: "unavailable", times: null, sql: "put_off" });
    const { asked, fetch } = endpoint();
    await expect(deliver(api, id, { fetch })).rejects.toThrow("did not answer");
    await api.database.clearFaults();
    await timePasses(api.database, 60);
    expect(await deliver(api, id, { fetch })).toBe("acknowledged");
    const ids = asked.map(({ headers }) => headers.get("webhook-id"));
    expect(ids).toEqual([id, id]);
    const { attempts, state, taskId } = await readDispatch(api, id);
    expect({ attempts, state }).toEqual({ attempts: 2, state: "delivered" });
    expect(await runs(taskId)).toHaveLength(1);
  });

  it("is begun once where the database's answer is lost after the commit", async () => {
    const id = await givenDispatch(api);
    await api.database.faults({ kind: "cut-after-commit", sql: "insert into worker_runs" });
    const { asked, fetch } = endpoint();
    expect(await deliver(api, id, { fetch })).toBe("acknowledged");
    expect(asked).toHaveLength(1);
    const { attempts, log } = await readDispatch(api, id);
    expect(attempts).toBe(1);
    expect(log.map(({ to }) => to)).toEqual(["pending", "sent", "delivered"]);
  });

  it("is posted nowhere while its row is not committed", async () => {
    const id = await givenDispatch(api);
    await api.database.faults({
      kind: "cut-before-commit",
      times: null,
      sql: "insert into worker_runs",
    });
    const { asked, fetch } = endpoint();
    await expect(deliver(api, id, { fetch })).rejects.toThrow("did not answer");
    expect(asked).toEqual([]);
    expect(await readDispatch(api, id)).toMatchObject({ attempts: 0, runId: null });
  });
});

describe("An endpoint that cannot answer just now", () => {
  it("is asked again after 30 seconds, then 60, 120 and so on, and not before", async () => {
    const id = await givenDispatch(api);
    const { asked, fetch } = endpoint(status(503));
    for (const [attempt, seconds] of [30, 60, 120].entries()) {
      expect(await deliver(api, id, { fetch })).toEqual({ retryAfterSeconds: seconds });
      const { nextAttemptAt, lastError, state } = await readDispatch(api, id);
      expect({ state, lastError }).toEqual({ state: "sent", lastError: "It answered 503." });
      expect(Math.abs(secondsUntil(nextAttemptAt) - seconds)).toBeLessThan(10);
      // One that comes too early, a duplicate, waits too.
      expect(await deliver(api, id, { fetch })).toEqual({ retryAfterSeconds: expect.any(Number) });
      expect(asked).toHaveLength(attempt + 1);
      await timePasses(api.database, seconds);
    }
  });

  test.each([
    ["50", 50],
    ["5", 30],
    ["100000", 3600],
    ["whenever", 30],
  ])("and asks to wait for %j is asked again after %i seconds", async (header, seconds) => {
    const id = await givenDispatch(api);
    const { fetch } = endpoint(status(429, { "retry-after": header }));
    expect(await deliver(api, id, { fetch })).toEqual({ retryAfterSeconds: seconds });
  });

  it("is given up after eight attempts, and the run waits for its deadline", async () => {
    const id = await givenDispatch(api);
    const { asked, fetch } = endpoint(status(500));
    for (let attempt = 1; attempt < DISPATCH_ATTEMPTS_MAX; attempt += 1) {
      expect(await deliver(api, id, { fetch })).not.toBe("acknowledged");
      await timePasses(api.database, 3600);
    }
    expect(await deliver(api, id, { fetch })).toBe("acknowledged");
    expect(asked).toHaveLength(DISPATCH_ATTEMPTS_MAX);
    const { log, ...dispatch } = await readDispatch(api, id);
    expect(dispatch).toMatchObject({
      state: "dead",
      attempts: DISPATCH_ATTEMPTS_MAX,
      lastError: "attempts_exhausted: It answered 500.",
    });
    expect(log.at(-1)).toMatchObject({ to: "dead", reason: "attempts_exhausted" });
    expect(await runs(dispatch.taskId)).toMatchObject([{ state: "QUEUED" }]);
  });

  it("leaves its worker all its time, counted from the next attempt", async () => {
    const id = await givenDispatch(api);
    await deliver(api, id, endpoint(status(429, { "retry-after": "3000" })));
    const [run] = await runs((await readDispatch(api, id)).taskId);
    expect(secondsUntil(run?.deadlineAt)).toBeGreaterThan(3500);
  });

  it("has said all that matters where its run is reported on meanwhile", async () => {
    const id = await givenDispatch(api);
    await deliver(api, id, endpoint(status(500)));
    const { runId } = await readDispatch(api, id);
    const body = { state: "RUNNING" };
    expectDone(await api.call("PATCH", `/worker-runs/${runId}`, { as: "service", body }));
    await timePasses(api.database, 30);
    const { asked, fetch } = endpoint();
    expect(await deliver(api, id, { fetch })).toBe("acknowledged");
    expect(asked).toEqual([]);
    const { state, log } = await readDispatch(api, id);
    expect([state, log.at(-1)?.reason]).toEqual(["delivered", "Its run was reported on."]);
  });

  it("is not asked again about a step that was left", async () => {
    const id = await givenDispatch(api);
    // The move comes while the attempt is under way: it counts as delivered then.
    const { taskId } = await readDispatch(api, id);
    const body = { content: {}, reason: "Anew" };
    const leave = async () => {
      expectDone(await api.call<Moved>("POST", `/tasks/${taskId}/versions`, { body }), 201);
      return new Response(null, { status: 500 });
    };
    await deliver(api, id, endpoint(leave));
    expect((await readDispatch(api, id)).state).toBe("sent");
    await timePasses(api.database, 30);
    const { asked, fetch } = endpoint();
    expect(await deliver(api, id, { fetch })).toBe("acknowledged");
    expect(asked).toEqual([]);
    const { state, log } = await readDispatch(api, id);
    expect([state, log.at(-1)?.reason]).toEqual([
      "recalled",
      "What it was for is no longer wanted.",
    ]);
    expect(await runs(taskId)).toMatchObject([{ state: "CANCELLED" }]);
  });

  it("is dead where the run's own time is over before it answers", async () => {
    const id = await givenDispatch(api);
    await deliver(api, id, endpoint(status(500)));
    const { runId } = await readDispatch(api, id);
    const body = { state: "FAILED", error: "timed_out" };
    expectDone(await api.call("PATCH", `/worker-runs/${runId}`, { as: "service", body }));
    await timePasses(api.database, 30);
    expect(await deliver(api, id, endpoint())).toBe("acknowledged");
    expect(await readDispatch(api, id)).toMatchObject({
      state: "dead",
      lastError: "run_timed_out: It answered 500.",
    });
  });
});

describe("An endpoint that refuses", () => {
  test.each([400, 401, 404, 409, 410, 422])("with %i is not asked again", async (code) => {
    const id = await givenDispatch(api);
    const { asked, fetch } = endpoint(status(code));
    expect(await deliver(api, id, { fetch })).toBe("acknowledged");
    expect(await deliver(api, id, { fetch })).toBe("acknowledged");
    expect(asked).toHaveLength(1);
    const reason = `endpoint_answered_${code}`;
    const { log, ...dispatch } = await readDispatch(api, id);
    expect(dispatch).toMatchObject({
      state: "dead",
      lastError: `${reason}: It answered ${code}.`,
    });
    expect(log.at(-1)).toMatchObject({ to: "dead", reason, actor: { name: "Delivery" } });
    expect(await runs(dispatch.taskId)).toMatchObject([{ state: "QUEUED" }]);
  });
});

describe("A dispatch that is dead", () => {
  /** A row of the table as it is, whatever columns it has. */
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

  it("is told to webhooks, once, with the statement that writes it", async () => {
    await givenWebhook();
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

describe("An address that may not be called", () => {
  /** Settings that passed when they were made: the rules were others, or the name led elsewhere. */
  const pointTo = (url: string) =>
    api.database.query("owner", "update pipelines set endpoint = $1", [url]);

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
  ])("is not called, and the dispatch is dead: %s", async (url) => {
    const id = await givenDispatch(api);
    await pointTo(url);
    const { asked, fetch } = endpoint();
    const rules = { allowsLoopback: false, ownHosts: ["stepledger.example.com"] };
    expect(await deliver(api, id, { fetch, ...rules })).toBe("acknowledged");
    expect(asked).toEqual([]);
    const { state, log, lastError } = await readDispatch(api, id);
    expect([state, log.at(-1)?.reason]).toEqual(["dead", "url_not_allowed"]);
    expect(lastError).toMatch(/^url_not_allowed: It/);
    expect(lastError).not.toContain(url);
  });

  it("is not reached by a redirect", async () => {
    const id = await givenDispatch(api);
    const { asked, fetch } = endpoint(status(302, { location: "http://169.254.169.254/" }));
    expect(await deliver(api, id, { fetch })).toBe("acknowledged");
    expect(asked).toMatchObject([{ redirect: "manual" }]);
    expect((await readDispatch(api, id)).lastError).toBe(
      "url_not_allowed: It answered with a redirect.",
    );
  });

  it("is not reached by a name that leads elsewhere than it did", async () => {
    const id = await givenDispatch(api);
    const { asked, fetch } = endpoint(status(500));
    const addresses = [["93.184.216.34"], ["10.0.0.1"]];
    const resolveHost = async () => addresses.shift() ?? [];
    await deliver(api, id, { fetch, resolveHost });
    await timePasses(api.database, 30);
    expect(await deliver(api, id, { fetch, resolveHost })).toBe("acknowledged");
    expect(asked).toHaveLength(1);
    expect((await readDispatch(api, id)).lastError).toMatch(/^url_not_allowed: Its name leads/);
  });
});

describe("A dispatch whose pipeline has no endpoint", () => {
  it("is delivered at once: its run waits for a worker that polls", async () => {
    await api.database.query("owner", "delete from pipelines");
    const id = await givenDispatch(api);
    const { asked, fetch } = endpoint();
    expect(await deliver(api, id, { fetch })).toBe("acknowledged");
    expect(asked).toEqual([]);
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

  it("is offered where its endpoint was taken away after an attempt", async () => {
    const id = await givenDispatch(api);
    await deliver(api, id, endpoint(status(500)));
    await api.database.query("owner", "update pipelines set endpoint = null");
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

describe("A message", () => {
  it("that is none of this queue's is kept with the reason, and harms no other", async () => {
    const id = await givenDispatch(api);
    const garbage = [null, "hello", [], {}, { ...messageAbout(id), version: 2 }];
    const more = [{ ...messageAbout(id), extra: 1 }, messageAbout("no uuid")];
    const bodies = [...garbage, messageAbout(id), ...more];
    const { asked, fetch } = endpoint();
    const said = await consumed(api, bodies, { fetch });
    expect(said).toEqual(bodies.map(() => "acknowledged"));
    expect(asked).toHaveLength(1);
    const rows = await api.database.query("owner", "select queue, reason, body from dead_letters");
    expect(new Set(rows.map(({ body }) => body))).toEqual(
      new Set([...garbage, ...more].map((body) => JSON.stringify(body))),
    );
    expect(new Set(rows.map(({ reason }) => reason))).toEqual(
      new Set(["It is no message of this queue."]),
    );
  });

  it("about nothing, or about another tenant's dispatch, does nothing", async () => {
    const id = await givenDispatch(api);
    const { asked, fetch } = endpoint();
    const bodies = [messageAbout(crypto.randomUUID()), messageAbout(id, api.otherTenant.id)];
    expect(await consumed(api, bodies, { fetch })).toEqual(["acknowledged", "acknowledged"]);
    expect(asked).toEqual([]);
    expect(await readDispatch(api, id)).toMatchObject({ state: "sent", attempts: 0 });
  });
});

describe("A message that its queue gave up", () => {
  const giveUp = (body: unknown) => consumed(api, [body], { queue: "stepledger-dispatches-dead" });

  it("is kept, and its dispatch is dead with the reason", async () => {
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

  it("leaves a dispatch alone that was delivered, or that waits for its next attempt", async () => {
    const delivered = await givenDispatch(api);
    await deliver(api, delivered, endpoint());
    const waiting = await givenDispatch(api);
    await deliver(api, waiting, endpoint(status(500)));
    await giveUp(messageAbout(delivered));
    await giveUp(messageAbout(waiting));
    expect((await readDispatch(api, delivered)).state).toBe("delivered");
    expect((await readDispatch(api, waiting)).state).toBe("sent");
  });

  it("is kept where it is garbage, too", async () => {
    expect(await giveUp({ what: "ever" })).toEqual(["acknowledged"]);
  });
});

describe("The sweep", () => {
  it("delivers what was committed when the Worker was killed before it could send", async () => {
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

  it("sends nothing anew whose next attempt is not due", async () => {
    const id = await givenDispatch(api);
    await deliver(api, id, endpoint(status(429, { "retry-after": "3600" })));
    await timePasses(api.database, 30 * 60);
    await api.sweep();
    expect((await readDispatch(api, id)).log).toHaveLength(2);
  });
});

import { Webhook } from "standardwebhooks";
import { beforeAll, beforeEach, describe, expect, it, test, vi } from "vitest";
import { sealPlain, type WithSecret } from "../../src/actions/secrets/write-secret.ts";
import { openDatabase } from "../../src/db/connection/client.ts";
import { LIVE_SECRETS_MAX } from "../../src/db/webhooks/signing-secrets.ts";
import type { UnopenedSecret } from "../../src/outbound/sealer.ts";
import { newSecret, secretText } from "../../src/outbound/secrets.ts";
import {
  type CallOptions,
  expectDone,
  expectProblem,
  freshApi,
  type TestApi,
} from "../support/api.ts";
import { consumed, deliver, givenDispatch, readDispatch } from "../support/dispatches.ts";
import { importedState } from "../support/imported-state.ts";
import { expectInvariantsHold } from "../support/model/invariants.ts";
import { openTransaction, untilBlocked } from "../support/model/locks.ts";
import { testOutbound } from "../support/outbound.ts";
import { sealingKeys, testSealer } from "../support/sealing.ts";
import { storedSecrets } from "../support/secrets.ts";

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
});
beforeEach(async () => {
  await api.database.clearFaults();
  await api.database.query("owner", "delete from signing_secrets");
  await api.database.query("owner", "delete from pipelines");
  await api.database.query("owner", "delete from webhooks");
  await api.database.transaction("owner", importedState(api.tenant.id));
});

type Shown = WithSecret<{ previousSecretUntil: string | null }>;

/** A pipeline and a webhook: both have secrets, and keep the same promises. */
const OWNERS = [
  {
    kind: "pipeline",
    name: "quality_automation",
    path: "/pipelines/quality_automation",
    body: { endpoint: "https://checks.example.com/hook" },
    table: "pipelines",
  },
  {
    kind: "webhook",
    name: "hook",
    path: "/webhooks/hook",
    body: { url: "https://hooks.example.com/in", events: ["task.label_changed"] },
    table: "webhooks",
  },
] as const;
type Owner = (typeof OWNERS)[number];
const [PIPELINE] = OWNERS;

const put = (owner: Owner, body: object = {}) =>
  api.call<Shown>("PUT", owner.path, { body: { ...owner.body, ...body } });
const rotate = (owner: Owner, options: CallOptions = {}) =>
  api.call<Shown>("POST", `${owner.path}/rotate`, options);
const stored = (owner: Owner) => storedSecrets(api.database, owner);

async function created(owner: Owner): Promise<string> {
  const { secret } = (await put(owner)).body;
  return String(secret);
}
async function rotated(owner: Owner): Promise<string> {
  return String(expectDone(await rotate(owner)).secret);
}

/** Stores plain secrets, as earlier releases did. */
async function givenPlain(owner: Owner): Promise<{ current: string; previous: string }> {
  await created(owner);
  const [current, previous] = [newSecret(), newSecret()];
  await api.database.query("owner", "delete from signing_secrets where name = $1", [owner.name]);
  await api.database.query(
    "owner",
    `update ${owner.table} set secret = decode($1, 'base64'), previous_secret = decode($2, 'base64'),
      previous_secret_until = now() + interval '5 hours'
    where name = $3`,
    [...[current, previous].map((secret) => secretText(secret).slice("whsec_".length)), owner.name],
  );
  return { current: secretText(current), previous: secretText(previous) };
}

/** Delivers a dispatch, and returns what its endpoint received. */
async function delivered(outbound: Parameters<typeof deliver>[2] = {}) {
  const requests: Request[] = [];
  const id = await givenDispatch(api);
  const settled = await deliver(api, id, {
    fetch: async (...request) => {
      requests.push(new Request(...request));
      return new Response();
    },
    ...outbound,
  });
  return { id, settled, requests };
}

/** Which of the secrets signed a request. */
async function signedBy(request: Request | undefined, secrets: readonly string[]) {
  const body = (await request?.clone().text()) ?? "";
  const headers = Object.fromEntries(request?.headers ?? []);
  return secrets.map((secret) => {
    try {
      return new Webhook(secret).verify(body, headers) !== undefined;
    } catch {
      return false;
    }
  });
}

/** Every value of every table of the database, as text. */
async function dump(): Promise<string> {
  const tables = await api.database.query(
    "superuser",
    "select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname in ('public', 'drizzle')",
  );
  const texts = await Promise.all(
    tables.map(({ name }) =>
      api.database.query(
        "superuser",
        `select string_agg(t::text, ' ') as text from ${String(name)} t`,
      ),
    ),
  );
  return texts.map(([row]) => row?.["text"]).join("\n");
}

/** The forms in which a leaked secret would appear. */
function formsOf(secret: string): string[] {
  const base64 = secret.slice("whsec_".length);
  const bytes = Array.from(atob(base64), (char) => char.charCodeAt(0));
  const hex = bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const unpadded = base64.replace(/=+$/, "");
  const urlSafe = unpadded.replaceAll("+", "-").replaceAll("/", "_");
  return [unpadded, urlSafe, hex, hex.toUpperCase(), bytes.join()];
}

describe.each(OWNERS)("The secret of a $kind", (owner) => {
  it("is in no column of any table and in no log line", async () => {
    const lines: string[] = [];
    const log = vi.spyOn(console, "log").mockImplementation((...line) => {
      lines.push(JSON.stringify(line));
    });
    const secrets = [await created(owner), await rotated(owner), await rotated(owner)];
    if (owner.kind === "pipeline") {
      const provided = secretText(newSecret());
      expectDone(await put(owner, { secret: provided }));
      secrets.push(provided);
      await delivered();
    } else {
      await api.call("POST", `${owner.path}/ping`);
    }
    log.mockRestore();
    const content = await dump();
    expect(content).toContain("v1.test.");
    expect(lines.length).toBeGreaterThan(2);
    for (const form of secrets.flatMap(formsOf)) {
      expect(content).not.toContain(form);
      expect(lines.join("\n")).not.toContain(form);
    }
  });

  it("still signs until its promised time after two more rotations", async () => {
    const first = await created(owner);
    const second = await rotated(owner);
    const last = expectDone(await rotate(owner));
    expect(await stored(owner)).toEqual([
      { secret: last.secret, hours: null },
      { secret: second, hours: 24 },
      { secret: first, hours: 24 },
    ]);
    expect(Date.parse(last.previousSecretUntil ?? "") - Date.now()).toBeGreaterThan(23 * 3_600_000);
    await expectInvariantsHold(api.database);
  });

  it("is replaced once by each of several concurrent rotations", async () => {
    const first = await created(owner);
    const answers = await Promise.all([1, 2, 3, 4].map(() => rotated(owner)));
    const all = await stored(owner);
    expect(all.map(({ secret }) => secret).toSorted()).toEqual([first, ...answers].toSorted());
    expect(all.filter(({ hours }) => hours === null)).toHaveLength(1);
  });

  it("is erased once it has expired", async () => {
    const first = await created(owner);
    const second = await rotated(owner);
    await api.database.query(
      "owner",
      "update signing_secrets set signs_until = now() where signs_until is not null",
    );
    const third = await rotated(owner);
    const left = (await stored(owner)).map(({ secret }) => secret);
    expect(left).toEqual([third, second]);
    expect(left).not.toContain(first);
  });

  it("is shown again to a repeat of the call whose answer was lost, and costs no receiver its secret", async () => {
    const first = await created(owner);
    const call = { idempotencyKey: crypto.randomUUID() };
    const lost = expectDone(await rotate(owner, call));
    const repeated = await rotate(owner, call);
    expect(repeated.headers.get("idempotency-replayed")).toBe("true");
    expect(expectDone(repeated)).toEqual(lost);
    expect((await stored(owner)).map(({ secret }) => secret)).toEqual([lost.secret, first]);
  });

  it("is no longer shown to a repeat after it has expired", async () => {
    await created(owner);
    const call = { idempotencyKey: crypto.randomUUID() };
    expectDone(await rotate(owner, call));
    await rotated(owner);
    await api.database.query(
      "owner",
      "update signing_secrets set signs_until = now() where signs_until is not null",
    );
    expect(expectDone(await rotate(owner, call)).secret).toBeNull();
  });

  it("is shown if the answer of the database is lost after the commit", async () => {
    await created(owner);
    await api.database.faults({ kind: "cut-after-commit", sql: "signing_secrets" });
    const { secret } = expectDone(await rotate(owner));
    expect((await stored(owner))[0]?.secret).toBe(secret);
  });

  it(`is one of ${LIVE_SECRETS_MAX} at most`, async () => {
    await created(owner);
    for (let live = 1; live < LIVE_SECRETS_MAX; live += 1) await rotated(owner);
    const before = await stored(owner);
    const problem = expectProblem(await rotate(owner), "conflict", 409);
    expect(problem.detail).toContain("secrets already sign");
    expect(await stored(owner)).toEqual(before);
    // Other changes are still possible.
    expect((await put(owner)).status).toBe(200);
  });

  it("of an earlier release signs as before, and is sealed by the next write", async () => {
    const plain = await givenPlain(owner);
    await expectInvariantsHold(api.database);
    const next = await rotated(owner);
    expect(await stored(owner)).toEqual([
      { secret: next, hours: null },
      { secret: plain.current, hours: 24 },
      { secret: plain.previous, hours: 5 },
    ]);
    const content = await dump();
    for (const form of Object.values(plain).flatMap(formsOf)) expect(content).not.toContain(form);
  });

  it("of an earlier release stays the current one if only the settings change", async () => {
    const plain = await givenPlain(owner);
    const { secret, previousSecretUntil } = expectDone(await put(owner));
    expect(secret).toBeNull();
    expect(previousSecretUntil).not.toBeNull();
    expect(await stored(owner)).toEqual([
      { secret: plain.current, hours: null },
      { secret: plain.previous, hours: 5 },
    ]);
  });
});

describe("A secret that two calls write at the same moment", () => {
  /** Sends a call, delays its statement with this text, and sends the other one in between. */
  async function overtaken(sql: string, send: () => Promise<unknown>): Promise<void> {
    await api.database.faults({ kind: "delay", delayMilliseconds: 400, sql });
    const first = send();
    await expect.poll(() => api.database.waitingFaults()).toBe(0);
    await send();
    await first;
  }

  it("is stored once if both provide it", async () => {
    const before = await created(PIPELINE);
    const secret = secretText(newSecret());
    await overtaken("insert into pipelines", async () =>
      expectDone(await put(PIPELINE, { secret })),
    );
    expect(await stored(PIPELINE)).toEqual([
      { secret, hours: null },
      { secret: before, hours: 24 },
    ]);
  });

  it("is sealed once if an earlier release stored it", async () => {
    const plain = await givenPlain(PIPELINE);
    await overtaken("select o.previous_secret_until", () => rotated(PIPELINE));
    const secrets = (await stored(PIPELINE)).map(({ secret }) => secret);
    expect(secrets).toHaveLength(4);
    expect(secrets).toEqual(expect.arrayContaining(Object.values(plain)));
  });
});

it("A secret of an earlier release that stores another one meanwhile is not lost to its sealing", async () => {
  await givenPlain(PIPELINE);
  const next = secretText(newSecret());
  const storing = await openTransaction(api.database, [
    {
      text: "update pipelines set secret = decode($1, 'base64') where name = $2",
      values: [next.slice("whsec_".length), PIPELINE.name],
    },
  ]);
  const database = openDatabase(api.database).forTenant(api.tenant.id);
  const sealing = sealPlain({ database, outbound: testOutbound() }, PIPELINE);
  await untilBlocked(api.database);
  await storing.end();
  await sealing;
  await rotated(PIPELINE);
  expect((await stored(PIPELINE)).map(({ secret }) => secret)).toContain(next);
});

describe("The secret of a deleted webhook", () => {
  const [, hook] = OWNERS;

  it("is erased, and a new webhook of that name gets another one", async () => {
    const first = await created(hook);
    await rotated(hook);
    expectDone(await api.call("DELETE", hook.path));
    expect(await stored(hook)).toEqual([]);
    const second = await created(hook);
    expect(second).not.toBe(first);
    expect(await stored(hook)).toEqual([{ secret: second, hours: null }]);
    await expectInvariantsHold(api.database);
  });
});

describe("A dispatch", () => {
  it("has a signature of each secret, the newest first", async () => {
    const first = await created(PIPELINE);
    const second = await rotated(PIPELINE);
    const third = await rotated(PIPELINE);
    const { requests } = await delivered();
    expect(await signedBy(requests[0], [first, second, third])).toEqual([true, true, true]);
    const signatures = requests[0]?.headers.get("webhook-signature")?.split(" ") ?? [];
    const id = requests[0]?.headers.get("webhook-id") ?? "";
    const timestamp = new Date(Number(requests[0]?.headers.get("webhook-timestamp")) * 1000);
    const body = (await requests[0]?.clone().text()) ?? "";
    expect(signatures).toEqual(
      [third, second, first].map((secret) => new Webhook(secret).sign(id, timestamp, body)),
    );
  });

  it("is signed with the plain secrets of an earlier release", async () => {
    const { current, previous } = await givenPlain(PIPELINE);
    const { requests } = await delivered();
    expect(await signedBy(requests[0], [current, previous])).toEqual([true, true]);
  });

  test.each<[string, UnopenedSecret["fault"], { keys?: string; sql?: string }]>([
    ["the key of its secret is missing", "unknown_key", { keys: sealingKeys("other") }],
    [
      "its secret was altered",
      "not_authentic",
      { sql: "update signing_secrets set sealed = left(sealed, -3) || 'AAA'" },
    ],
    [
      "its secret was copied from a webhook",
      "not_authentic",
      {
        sql: `update signing_secrets p set sealed = w.sealed from signing_secrets w
          where p.kind = 'pipeline' and w.kind = 'webhook'`,
      },
    ],
    ["its secret was deleted", "missing", { sql: "delete from signing_secrets" }],
    [
      "only an earlier secret does not open",
      "not_authentic",
      {
        sql: "update signing_secrets set sealed = left(sealed, -3) || 'AAA' where signs_until is not null",
      },
    ],
  ])("is not sent if %s, and waits until it can be signed", async (_, fault, { keys, sql }) => {
    await created(OWNERS[1]);
    const secrets = [await created(PIPELINE), await rotated(PIPELINE)];
    const before = await api.database.query("owner", "select * from signing_secrets");
    if (sql !== undefined) await api.database.query("owner", sql);
    const reported: UnopenedSecret[] = [];
    const { id, settled, requests } = await delivered({
      reportUnopened: (secret) => reported.push(secret),
      ...(keys !== undefined && { sealer: testSealer(keys) }),
    });
    expect(requests).toEqual([]);
    expect(settled).toEqual({ retryAfterSeconds: 300 });
    expect(reported[0]).toMatchObject({
      tenantId: api.tenant.id,
      kind: "pipeline",
      name: "quality_automation",
      fault,
    });
    expect(await readDispatch(api, id)).toMatchObject({
      state: "sent",
      attempts: 0,
      lastError: "The signing secret could not be opened.",
    });

    // The key is back, or the backup is restored.
    await api.database.query("owner", "delete from signing_secrets");
    await api.database.query(
      "owner",
      "insert into signing_secrets select (jsonb_populate_recordset(null::signing_secrets, $1::jsonb)).*",
      [JSON.stringify(before)],
    );
    await api.database.query("owner", "update pipeline_dispatches set not_before = null");
    const again: Request[] = [];
    const fetch: typeof globalThis.fetch = async (...request) => {
      again.push(new Request(...request));
      return new Response();
    };
    expect(await deliver(api, id, { fetch })).toBe("acknowledged");
    expect(await signedBy(again[0], secrets)).toEqual([true, true]);
  });
});

describe("A message to a webhook", () => {
  it("is not sent if its secret does not open, and waits until it can be signed", async () => {
    const [, hook] = OWNERS;
    const secret = await created(hook);
    const [delivery] = await api.database.query(
      "owner",
      `insert into webhook_deliveries (tenant_id, id, webhook_id, webhook_name, event, source, data)
      select tenant_id, new_id(), id, name, 'bulk.finished', 'source', '{}' from webhooks returning id`,
    );
    const deliveryId = String(delivery?.["id"]);
    const requests: Request[] = [];
    const attempt = (outbound: Parameters<typeof deliver>[2]) =>
      consumed(api, [{ version: 1, tenantId: api.tenant.id, deliveryId }], {
        queue: "stepledger-webhooks",
        fetch: async (...request) => {
          requests.push(new Request(...request));
          return new Response();
        },
        ...outbound,
      });
    const reported: UnopenedSecret[] = [];
    const unopened = await attempt({
      sealer: testSealer(sealingKeys("other")),
      reportUnopened: (unopenedSecret) => reported.push(unopenedSecret),
    });
    expect(unopened).toEqual([{ retryAfterSeconds: 300 }]);
    expect(reported).toMatchObject([{ kind: "webhook", name: "hook", fault: "unknown_key" }]);
    expect(requests).toEqual([]);
    const state = "select state, attempts, last_error from webhook_deliveries";
    expect(await api.database.query("owner", state)).toEqual([
      {
        state: "pending",
        attempts: "0",
        last_error: "The signing secret could not be opened.",
      },
    ]);

    await api.database.query("owner", "update webhook_deliveries set next_attempt_at = now()");
    expect(await attempt({})).toEqual(["acknowledged"]);
    expect(await signedBy(requests[0], [secret])).toEqual([true]);
  });
});

describe("A secret that does not open", () => {
  const breakAll = () =>
    api.database.query("owner", "update signing_secrets set sealed = left(sealed, -3) || 'AAA'");

  it("makes a ping unavailable, sends nothing, and is logged without its value", async () => {
    await created(OWNERS[1]);
    await breakAll();
    const lines: string[] = [];
    const log = vi.spyOn(console, "log").mockImplementation((line) => {
      lines.push(String(line));
    });
    expectProblem(await api.call("POST", "/webhooks/hook/ping"), "unavailable", 503);
    log.mockRestore();
    const entry = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(entry.find(({ message }) => message === "secret_not_opened")).toMatchObject({
      level: "error",
      tenantId: api.tenant.id,
      kind: "webhook",
      name: "hook",
      keyId: "test",
      fault: "not_authentic",
    });
    expect(lines.join()).not.toContain("v1.test");
  });

  it("can be replaced by a rotation", async () => {
    await created(PIPELINE);
    await breakAll();
    expect(await rotated(PIPELINE)).toMatch(/^whsec_/);
  });

  it("can be replaced by a provided one", async () => {
    await created(PIPELINE);
    await breakAll();
    expectDone(await put(PIPELINE, { secret: secretText(newSecret()) }));
    const [count] = await api.database.query(
      "owner",
      "select count(*)::integer as live from signing_secrets",
    );
    expect(count?.["live"]).toBe("2");
  });
});

import { beforeAll, beforeEach, describe, expect, it, test } from "vitest";
import type { CreatedKey } from "../../src/actions/keys/new-key.ts";
import type { Rotated } from "../../src/actions/keys/rotate-key.ts";
import {
  type CallOptions,
  expectDone,
  expectProblem,
  freshApi,
  type TestApi,
} from "../support/api.ts";
import { ON_WRITE } from "../support/database.ts";
import { expectInvariantsHold } from "../support/model/invariants.ts";
import { retryWithoutWaiting } from "../support/model/quick-retries.ts";
import { silenceLog } from "../support/model/quiet.ts";
import { storedSecrets } from "../support/secrets.ts";

// The rows of "What a lost answer does" in docs/reliability.md that show something once. Every other write is repeated
// by retries.test.ts, from the catalog of samples.

silenceLog();
retryWithoutWaiting();

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
});
let suffix = "";
beforeEach(() => {
  suffix = crypto.randomUUID().slice(0, 8);
});

type Shown = { secret: string | null };

const OWNERS = ["webhook", "pipeline"] as const;

/** The calls of something that signs. Each test has its own webhook; the pipelines are shared. */
function signer(kind: (typeof OWNERS)[number]) {
  const name = kind === "webhook" ? `hook-${suffix}` : "quality_automation";
  const path = `/${kind}s/${name}`;
  const body =
    kind === "webhook"
      ? { url: "https://hooks.example.com/in", events: ["bulk.finished"] }
      : { endpoint: "https://checks.example.com/hook" };
  return {
    path,
    put: () => api.call<Shown>("PUT", path, { body }),
    rotate: (options: CallOptions = {}) => api.call<Shown>("POST", `${path}/rotate`, options),
    /** The secrets that sign, newest first. */
    live: async () =>
      (await storedSecrets(api.database, { kind, name })).map(({ secret }) => secret),
  };
}

/** Commits the call's write, and loses every answer about it: the caller gets 503. */
async function loseAnswer(send: () => Promise<{ status: number }>): Promise<void> {
  await api.database.faults({ ...ON_WRITE, kind: "cut-after-commit" });
  await api.database.faults({ ...ON_WRITE, kind: "unavailable", times: null });
  const lost = await send();
  await api.database.clearFaults();
  expect(lost.status).toBe(503);
}

describe.each(OWNERS)("A secret of a %s", (kind) => {
  it("that a rotation with a key lost is shown to the repeat, and the one before still signs", async () => {
    const { put, rotate, live } = signer(kind);
    await put();
    const before = await live();
    const key = { idempotencyKey: `rotation-${suffix}` };
    await loseAnswer(() => rotate(key));
    const repeated = await rotate(key);
    expect(repeated.headers.get("idempotency-replayed")).toBe("true");
    const { secret } = expectDone(repeated);
    expect(await live()).toEqual([secret, ...before]);
  });

  it("that a rotation without a key lost signs beside the next one, and so does the one before", async () => {
    const { put, rotate, live } = signer(kind);
    await put();
    const before = await live();
    await loseAnswer(() => rotate());
    const { secret } = expectDone(await rotate());
    const now = await live();
    expect(now[0]).toBe(secret);
    expect(now).toHaveLength(before.length + 2);
    expect(now).toEqual(expect.arrayContaining(before));
  });

  it("is new for each of two rotations at once, and one for two repeats at once", async () => {
    const { put, rotate, live } = signer(kind);
    await put();
    const before = await live();
    const two = await Promise.all([rotate(), rotate()]);
    const secrets = two.map((answer) => expectDone(answer).secret);
    expect(new Set(secrets).size).toBe(2);
    expect(await live()).toEqual(expect.arrayContaining([...secrets, ...before]));
    const key = { idempotencyKey: `twice-${suffix}` };
    const same = await Promise.all([rotate(key), rotate(key)]);
    const shown = same.flatMap(({ status, body }) => (status === 200 ? [body.secret] : []));
    for (const { status } of same) expect([200, 409]).toContain(status);
    expect(new Set(shown).size).toBe(1);
    expect((await live())[0]).toBe(shown[0]);
    expect(await live()).toHaveLength(before.length + 3);
  });
});

describe("The first secret of a webhook", () => {
  it("that its creation lost is replaced by a rotation, and messages carry both signatures", async () => {
    const { put, rotate, live } = signer("webhook");
    await loseAnswer(put);
    const [lost] = await live();
    expect(expectDone(await put()).secret).toBeNull();
    const { secret } = expectDone(await rotate());
    expect(await live()).toEqual([secret, lost]);
  });

  it("is not touched by a repeat of a deletion, which finds the webhook deleted", async () => {
    const { path, put, live } = signer("webhook");
    await put();
    const remove = () => api.call("DELETE", path);
    await loseAnswer(remove);
    const first = await remove();
    expect(expectDone(await remove())).toEqual(first.body);
    expect(await live()).toEqual([]);
  });
});

describe("An API key", () => {
  const create = (options: CallOptions = {}) =>
    api.call<CreatedKey>("POST", "/api-keys", {
      body: { name: `Key ${suffix}`, role: "viewer" },
      ...options,
    });
  const rotate = (id: string, options: CallOptions = {}) =>
    api.call<Rotated>("POST", `/api-keys/${id}/rotate`, { body: {}, ...options });
  const works = async (key: string | null | undefined) =>
    (await api.fetch("/v1/me", { headers: { authorization: `Bearer ${key}` } })).status === 200;

  it("that its creation lost is found by the repeat with the key, to be revoked", async () => {
    const key = { idempotencyKey: `creation-${suffix}` };
    await loseAnswer(() => create(key));
    const repeated = expectDone(await create(key), 201);
    expect(repeated.key).toBeNull();
    expectDone(await api.call("DELETE", `/api-keys/${repeated.id}`));
    expect(await works(expectDone(await create(), 201).key)).toBe(true);
  });

  test.each(["with", "without"])(
    "that a rotation %s a key lost is rotated again: the old one works until the first promise, and the new one as long as it would have",
    async (keyed) => {
      const old = expectDone(await create(), 201);
      const key = keyed === "with" ? { idempotencyKey: `rotation-${suffix}` } : {};
      await loseAnswer(() => rotate(old.id, key));
      const listed = async () =>
        expectDone(await api.call<{ data: CreatedKey[] }>("GET", "/api-keys?limit=200")).data.find(
          ({ id }) => id === old.id,
        )?.expiresAt;
      const promised = await listed();
      if (keyed === "with") expect(expectDone(await rotate(old.id, key), 201).key).toBeNull();
      const again = expectDone(await rotate(old.id), 201);
      expect(again).toMatchObject({ overlapUntil: promised, expiresAt: null });
      expect(await listed()).toBe(promised);
      expect([await works(old.key), await works(again.key)]).toEqual([true, true]);
    },
  );

  it("that a lost answer revoked is revoked to the repeat, with the first time", async () => {
    const { id } = expectDone(await create(), 201);
    const revoke = () => api.call<CreatedKey>("DELETE", `/api-keys/${id}`);
    await loseAnswer(revoke);
    const first = expectDone(await revoke());
    expect(expectDone(await revoke()).revokedAt).toBe(first.revokedAt);
  });
});

describe("An idempotency key", () => {
  it("whose day is over is free again, and two calls that meet then have one effect", async () => {
    const task = await api.givenTask();
    const key = { idempotencyKey: `day-${suffix}`, body: { text: "Once a day" } };
    const note = () => api.call("POST", `/tasks/${task.id}/notes`, key);
    await loseAnswer(note);
    expect((await note()).headers.get("idempotency-replayed")).toBe("true");
    await api.database.query(
      "owner",
      "update operations set expires_at = now() - interval '1 second' where key = $1",
      [key.idempotencyKey],
    );
    const two = await Promise.all([note(), note()]);
    for (const answer of two) {
      if (answer.status === 409) expectProblem(answer, "operation_in_progress", 409);
    }
    const events = expectDone(
      await api.call<{ data: { type: string }[] }>("GET", `/tasks/${task.id}/events`),
    ).data;
    expect(events.filter(({ type }) => type === "note_added")).toHaveLength(2);
  });
});

describe("The database after all lost answers", () => {
  it("holds every invariant", () => expectInvariantsHold(api.database));
});

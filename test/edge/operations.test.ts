import { expect, it } from "vitest";
import { expectDone, freshApi } from "../support/api.ts";
import { openTransaction } from "../support/model/locks.ts";
import { silenceLog } from "../support/model/quiet.ts";

silenceLog();

it("deletes expired idempotency keys of every tenant once a day", async () => {
  const api = await freshApi();
  const title = "Created once";
  const calls = [api.tenant, api.otherTenant].flatMap((tenant) =>
    ["yesterday", "today"].map((idempotencyKey) => ({ tenant, idempotencyKey, body: { title } })),
  );
  const createdIds = new Map<object, string>();
  for (const call of calls) {
    const { id } = expectDone(await api.call<{ id: string }>("POST", "/tasks", call), 201);
    createdIds.set(call, id);
  }
  await api.database.query(
    "owner",
    "update operations set expires_at = now() - interval '1 second' where key = 'yesterday'",
  );
  await api.sweepDaily();

  const kept = await api.database.query("owner", "select key from operations");
  expect(kept).toEqual([{ key: "today" }, { key: "today" }]);
  for (const call of calls) {
    const repeated = await api.call<{ id: string }>("POST", "/tasks", call);
    const isRepeat = call.idempotencyKey === "today";
    expect(repeated.headers.get("idempotency-replayed")).toBe(isRepeat ? "true" : null);
    expect(expectDone(repeated, 201).id === createdIds.get(call)).toBe(isRepeat);
  }
});

it("does not wait for an expired key that a call is replacing", async () => {
  const api = await freshApi();
  const call = { idempotencyKey: "in-use", body: { title: "Created once" } };
  expectDone(await api.call("POST", "/tasks", call), 201);
  const expired = "update operations set expires_at = now() - interval '1 second'";
  await api.database.query("owner", expired);
  const sweep = () =>
    api.database.transaction("application", [
      { text: "set local lock_timeout = '1s'" },
      { text: "select expire_operations(10) as expired" },
    ]);
  const held = await openTransaction(api.database, [{ text: "select from operations for update" }]);
  expect((await sweep()).at(-1)).toEqual([{ expired: "0" }]);
  await held.end();
  expect((await sweep()).at(-1)).toEqual([{ expired: "1" }]);
});

import { expect, it } from "vitest";
import { expectDone, freshApi } from "../support/api.ts";
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

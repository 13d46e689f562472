import { beforeAll, describe, expect, it } from "vitest";
import { expectDone, expectProblem, freshApi, type TestApi } from "../../support/api.ts";
import { expectInvariantsHold } from "../../support/model/invariants.ts";
import { silenceLog } from "../../support/model/quiet.ts";
import { givenKeyOf, givenPerson, putPerson, tokenFor } from "./support.ts";

silenceLog();

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
});

describe("PUT /v1/people/{personId}", () => {
  it("creates a person, then replaces everything about them", async () => {
    const id = crypto.randomUUID();
    const all = { name: "Ada", subject: "ada", email: "ada@example.com", role: "reviewer" };
    const created = expectDone(await putPerson(api, id, all), 201);
    expect(created).toMatchObject({ id, ...all, active: true });
    expect(created.updatedAt).toBe(created.createdAt);

    const changed = expectDone(await putPerson(api, id, { name: "Ada L." }));
    expect(changed).toMatchObject({
      id,
      name: "Ada L.",
      subject: null,
      email: null,
      role: null,
      createdAt: created.createdAt,
    });
    expect(changed.updatedAt > created.updatedAt).toBe(true);
    const repeated = expectDone(await putPerson(api, id, { name: "Ada L." }));
    expect(repeated).toEqual(changed);
  });

  it("refuses the subject of another person, and names that person", async () => {
    const owner = await givenPerson(api, { subject: "taken" });
    const refused = await putPerson(api, crypto.randomUUID(), { name: "B", subject: "taken" });
    expect(expectProblem(refused, "conflict", 409).existing).toEqual({ id: owner.id });
    const elsewhere = await api.call("PUT", `/people/${owner.id}`, {
      tenant: api.otherTenant,
      body: { name: "C", subject: "taken" },
    });
    expectDone(elsewhere, 201);
  });

  it.each([
    ["no role of people", { role: "service" }],
    ["an invalid email address", { email: "ada" }],
    ["an invisible name", { name: "\u200b" }],
    ["a name that reorders text", { name: "A\u202eda" }],
    ["an invisible character in a subject", { subject: "a\u200b" }],
  ])("rejects %s", async (_name, change) => {
    const refused = await putPerson(api, crypto.randomUUID(), { name: "Ada", ...change });
    expectProblem(refused, "validation_failed", 400);
  });

  it("is an event of administration with its reason, unless nothing changes", async () => {
    const person = await givenPerson(api, { name: "Grace" });
    const change = { name: "Grace H.", reason: "She married" };
    expectDone(await putPerson(api, person.id, change));
    expectDone(await putPerson(api, person.id, change));
    const path = `/admin/events?subjectKind=person&subjectId=${person.id}`;
    const events = await api.call<{ data: object[] }>("GET", path);
    expect(expectDone(events).data).toMatchObject([
      {
        type: "person_changed",
        reason: "She married",
        payload: { before: { name: "Grace" }, after: { name: "Grace H." } },
      },
      { type: "person_created", payload: { before: null, after: { name: "Grace" } } },
    ]);
  });
});

describe("deactivating a person", () => {
  it("ends all of their keys, each with an event, and no other", async () => {
    const person = await givenPerson(api);
    const [first, second] = [
      await givenKeyOf(api, person),
      await givenKeyOf(api, person, "viewer"),
    ];
    const other = await givenKeyOf(api, await givenPerson(api));
    const ended = await givenKeyOf(api, person);
    expectDone(await api.call("DELETE", `/api-keys/${ended.id}`));
    const deactivated = await putPerson(api, person.id, { name: person.name, active: false });
    expect(expectDone(deactivated).active).toBe(false);

    for (const { key } of [first, second]) {
      expectProblem(await api.call("GET", "/me", { bearer: key }), "unauthenticated", 401);
    }
    expectDone(await api.call("GET", "/me", { bearer: other.key }));
    const events = await api.call<{ data: { type: string; subject: { id: string } }[] }>(
      "GET",
      "/admin/events?limit=3",
    );
    const kinds = expectDone(events).data.map(({ type, subject }) => `${type} ${subject.id}`);
    expect(kinds.toSorted()).toEqual(
      [
        `key_revoked ${first.id}`,
        `key_revoked ${second.id}`,
        `person_deactivated ${person.id}`,
      ].toSorted(),
    );
  });

  it("refuses new keys for them, and does not bring the old ones back when they return", async () => {
    const person = await givenPerson(api);
    const { key } = await givenKeyOf(api, person);
    const put = (active: boolean) => putPerson(api, person.id, { name: person.name, active });
    expectDone(await put(false));
    const body = { name: "New", role: "viewer", personId: person.id };
    expectProblem(await api.call("POST", "/api-keys", { body }), "not_found", 404);
    expectDone(await put(true));
    expectProblem(await api.call("GET", "/me", { bearer: key }), "unauthenticated", 401);
    expectDone(await api.call("POST", "/api-keys", { body }), 201);
  });

  it("rejects their tokens, for administration at once even where they are cached", async () => {
    const bearer = await tokenFor(api, { sub: "leaver", role: "admin" });
    expectDone(await api.call("GET", "/me", { bearer }));
    const [person = expect.fail("nobody")] = expectDone(
      await api.call<{ data: { id: string; name: string }[] }>("GET", "/people?subject=leaver"),
    ).data;
    const settings = { name: person.name, subject: "leaver", active: false };
    expectDone(await putPerson(api, person.id, settings));
    const body = { name: "Back door", role: "admin" };
    expectProblem(await api.call("POST", "/api-keys", { bearer, body }), "unauthenticated", 401);
    // Another isolate, or this one thirty seconds later, has nothing cached: other claims are like that.
    const fresh = await tokenFor(api, { sub: "leaver", name: "Leaver", role: "viewer" });
    expectProblem(await api.call("GET", "/me", { bearer: fresh }), "unauthenticated", 401);
  });
});

describe("the last way into a tenant", () => {
  it("stays open: the holder of the admin key that works longest cannot be deactivated", async () => {
    const own = await freshApi();
    const person = await givenPerson(own);
    const { key, id: keyId } = await givenKeyOf(own, person, "admin");
    const second = await givenKeyOf(own, person, "admin");
    const listed = await own.call<{ data: { id: string; role: string }[] }>("GET", "/api-keys");
    for (const { id, role } of expectDone(listed).data) {
      if (role !== "admin" || id === keyId || id === second.id) continue;
      expectDone(await own.call("DELETE", `/api-keys/${id}`, { bearer: key }));
    }
    const settings = { name: person.name, active: false };
    const deactivate = (bearer: string) => putPerson(own, person.id, settings, { bearer });
    expectProblem(await deactivate(key), "last_admin_key", 409);
    // The refusal wrote nothing: the person's other admin key works as well.
    expectDone(await own.call("GET", "/me", { bearer: second.key }));

    const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
    const body = { name: "For an hour", role: "admin", expiresAt };
    const short = await own.call<{ key: string }>("POST", "/api-keys", { bearer: key, body });
    expectProblem(await deactivate(expectDone(short, 201).key), "last_admin_key", 409);

    const other = await givenPerson(own, { name: "Grace" }, key);
    const lasting = await givenKeyOf(own, other, "admin", key);
    expectDone(await deactivate(lasting.key));
    // It is still cached, but not for administration.
    const attempt = { bearer: second.key, body: { name: "Back door", role: "admin" } };
    expectProblem(await own.call("POST", "/api-keys", attempt), "unauthenticated", 401);
    await expectInvariantsHold(own.database);
  });
});

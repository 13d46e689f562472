import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { expectDone, expectProblem, freshApi, type TestApi } from "../../support/api.ts";
import { openTransaction, untilBlocked } from "../../support/model/locks.ts";
import { silenceLog } from "../../support/model/quiet.ts";
import { givenKeyOf, givenPerson, peopleOf, putPerson, tokenFor } from "./support.ts";

interface Me {
  actor: { id: string; name: string; kind: string; role: string };
  person?: { id: string; name: string };
}

silenceLog();

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
});
afterEach(() => vi.useRealTimers());

const me = async (bearer: string) => expectDone(await api.call<Me>("GET", "/me", { bearer }));
const eventsOf = async (personId: string) => {
  const path = `/admin/events?subjectKind=person&subjectId=${personId}`;
  return expectDone(await api.call<{ data: { type: string; actor: object }[] }>("GET", path)).data;
};

describe("the first token of a subject", () => {
  it("creates the person, by themselves and with an event", async () => {
    const claims = { sub: "first", name: "Ada", email: "ada@example.com", role: "operator" };
    const seen = await me(await tokenFor(api, claims));
    const [person = expect.fail("nobody")] = await peopleOf(api, "subject=first");
    expect(person).toMatchObject({
      subject: "first",
      name: "Ada",
      email: "ada@example.com",
      role: null,
      active: true,
    });
    expect(seen).toMatchObject({
      actor: { id: "first", name: "Ada", kind: "person", role: "operator" },
      person: { id: person.id, name: "Ada" },
    });
    expect(await eventsOf(person.id)).toMatchObject([
      { type: "person_created", actor: { id: "first", kind: "person", role: "operator" } },
    ]);
  });

  it("creates one person, even if many requests come at once", async () => {
    const bearer = await tokenFor(api, { sub: "crowd", role: "viewer" });
    const seen = await Promise.all(Array.from({ length: 8 }, () => me(bearer)));
    const people = await peopleOf(api, "subject=crowd");
    expect(people).toHaveLength(1);
    expect(new Set(seen.map(({ person }) => person?.id))).toEqual(new Set([people[0]?.id]));
  });

  it("creates nobody for a machine, or for someone without a role", async () => {
    expect(
      (await me(await tokenFor(api, { sub: "robot", role: "service" }))).person,
    ).toBeUndefined();
    const bearer = await tokenFor(api, { sub: "visitor" });
    expectProblem(await api.call("GET", "/me", { bearer }), "unauthenticated", 401);
    expect(await peopleOf(api, "subject=robot")).toEqual([]);
    expect(await peopleOf(api, "subject=visitor")).toEqual([]);
  });
});

describe("further tokens", () => {
  it("write nothing while they say the same, and take no round trip while that is cached", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const bearer = await tokenFor(api, { sub: "same", name: "Same", role: "viewer" });
    await me(bearer);
    const roundTrips = async () => {
      await api.database.resetRoundTrips();
      await api.call("GET", "/registry", { bearer });
      return api.database.tenantRoundTrips();
    };
    expect(await roundTrips()).toBe(0);
    vi.setSystemTime(Date.now() + 31_000);
    expect(await roundTrips()).toBe(1);
    const [person = expect.fail("nobody")] = await peopleOf(api, "subject=same");
    expect(await eventsOf(person.id)).toHaveLength(1);
  });

  it("change the name once, and an older token does not change it back", async () => {
    const old = await tokenFor(
      api,
      { sub: "renamed", name: "Before", role: "viewer" },
      { issued: 60 },
    );
    await me(old);
    const newer = await tokenFor(
      api,
      { sub: "renamed", name: "After", role: "viewer" },
      { issued: 30 },
    );
    await me(newer);
    vi.useFakeTimers({ toFake: ["Date"] });
    for (const bearer of [old, newer, old]) {
      vi.setSystemTime(Date.now() + 31_000);
      await me(bearer);
    }
    const [person = expect.fail("nobody")] = await peopleOf(api, "subject=renamed");
    expect(person.name).toBe("After");
    expect((await eventsOf(person.id)).map(({ type }) => type)).toEqual([
      "person_changed",
      "person_created",
    ]);
  });

  it("are rejected if the person is deactivated while they wait to be recorded", async () => {
    await me(
      await tokenFor(api, { sub: "leaving", name: "Before", role: "viewer" }, { issued: 60 }),
    );
    const [person = expect.fail("nobody")] = await peopleOf(api, "subject=leaving");
    const deactivation = await openTransaction(
      api.database,
      [
        {
          text: "select from admin_heads where tenant_id = $1 for update",
          values: [api.tenant.id],
        },
      ],
      [{ text: "update people set active = false where id = $1", values: [person.id] }],
    );
    const newer = await tokenFor(api, { sub: "leaving", name: "After", role: "viewer" });
    const calling = api.call("GET", "/me", { bearer: newer });
    await untilBlocked(api.database);
    await deactivation.end();
    expectProblem(await calling, "unauthenticated", 401);
    expect(await peopleOf(api, "subject=leaving")).toMatchObject([{ name: "Before" }]);
  });

  it("name in each event the name that the credential had", async () => {
    const bearer = await tokenFor(api, { sub: "author", name: "Author", role: "operator" });
    const body = { title: "Written by a person" };
    const created = await api.call<{ id: string }>("POST", "/tasks", { bearer, body });
    const { id } = expectDone(created, 201);
    const events = await api.call<{ data: object[] }>("GET", `/tasks/${id}/events`);
    expect(expectDone(events).data).toMatchObject([
      { actor: { id: "author", name: "Author", kind: "person" } },
    ]);
    const found = await peopleOf(api, "actorId=author");
    expect(found).toMatchObject([{ subject: "author" }]);
  });
});

describe("the role", () => {
  it.each([
    [["viewer", "admin", "operator"], "admin"],
    [["everyone", "reviewer"], "reviewer"],
    [["service", "operator"], "operator"],
    [["service"], "service"],
  ])("of a token with the roles %j is %s", async (role, highest) => {
    const bearer = await tokenFor(api, { sub: `roles-${highest}`, role });
    expect((await me(bearer)).actor.role).toBe(highest);
  });

  it("is the person's own if the token names none", async () => {
    await givenPerson(api, { subject: "own-role", role: "reviewer" });
    for (const role of [undefined, [], ["everyone"]]) {
      const bearer = await tokenFor(api, { sub: "own-role", ...(role && { role }) });
      expect((await me(bearer)).actor).toMatchObject({ role: "reviewer", kind: "person" });
    }
    const named = await tokenFor(api, { sub: "own-role", role: "viewer" });
    expect((await me(named)).actor.role).toBe("viewer");
  });

  it("of someone who was demoted no longer administers, even where it is cached", async () => {
    const person = await givenPerson(api, { subject: "demoted", role: "admin" });
    const bearer = await tokenFor(api, { sub: "demoted" });
    await me(bearer);
    const settings = { name: person.name, subject: "demoted", role: "viewer" };
    expectDone(await putPerson(api, person.id, settings));
    const body = { name: "Key", role: "admin" };
    expectProblem(await api.call("POST", "/api-keys", { bearer, body }), "forbidden", 403);
  });
});

describe("someone who is deactivated past the lock of administration", () => {
  it("administers nothing with a call that waits for that", async () => {
    const bearer = await tokenFor(api, { sub: "waiting", role: "admin" });
    await me(bearer);
    const [person = expect.fail("nobody")] = await peopleOf(api, "subject=waiting");
    const deactivation = await openTransaction(api.database, [
      { text: "update people set active = false where id = $1", values: [person.id] },
    ]);
    const body = { name: "Back door", role: "admin" };
    const writing = api.call("POST", "/api-keys", { bearer, body });
    await Promise.race([writing, untilBlocked(api.database)]);
    await deactivation.end();
    expectProblem(await writing, "unauthenticated", 401);
  });
});

describe("someone who was entered before their first sign-in", () => {
  it("is recognized by a verified email address, and keeps their role", async () => {
    const invited = await givenPerson(api, { email: "Grace@Example.com", role: "operator" });
    const claims = { sub: "grace", email: "grace@example.com", email_verified: true };
    const seen = await me(await tokenFor(api, claims));
    expect(seen).toMatchObject({ person: { id: invited.id }, actor: { role: "operator" } });
    const [person] = await peopleOf(api, "subject=grace");
    expect(person).toMatchObject({ id: invited.id, role: "operator" });
  });

  it.each([
    ["an unverified address", { email: "alan@example.com" }],
    ["a word instead of true", { email: "alan@example.com", email_verified: "true" }],
    ["another address", { email: "alonzo@example.com", email_verified: true }],
  ])("is not recognized by %s", async (_name, claims) => {
    const known = await peopleOf(api, "email=alan@example.com");
    if (known.length === 0) await givenPerson(api, { email: "alan@example.com", role: "admin" });
    const bearer = await tokenFor(api, { sub: "mallory", ...claims });
    expectProblem(await api.call("GET", "/me", { bearer }), "unauthenticated", 401);
  });

  it("is not recognized if two people have the address, or the person is not active", async () => {
    const twin = { email: "twin@example.com", role: "admin" };
    await givenPerson(api, twin);
    await givenPerson(api, twin);
    await givenPerson(api, { email: "gone@example.com", role: "admin", active: false });
    for (const email of ["twin@example.com", "gone@example.com"]) {
      const bearer = await tokenFor(api, { sub: `of ${email}`, email, email_verified: true });
      expectProblem(await api.call("GET", "/me", { bearer }), "unauthenticated", 401);
    }
  });
});

describe("whose something is", () => {
  it("is the person's, whichever credential they used", async () => {
    const person = await givenPerson(api, { subject: "both" });
    const { key } = await givenKeyOf(api, person);
    const token = await tokenFor(api, { sub: "both", role: "reviewer" });
    const stranger = await givenKeyOf(api, await givenPerson(api));
    const { id } = await api.givenTask();
    const change = { taskIds: [id], targetStatus: "REJECTED" };
    const previewed = await api.call<{ planToken: string }>("POST", "/bulk/preview", {
      bearer: token,
      body: change,
    });
    const { planToken } = expectDone(previewed);
    const execute = (bearer: string) =>
      api.call("POST", "/bulk/execute", {
        bearer,
        idempotencyKey: "whose",
        body: { ...change, planToken, reason: "Out of scope" },
      });
    expectProblem(await execute(stranger.key), "invalid_plan_token", 400);
    expectProblem(await execute(api.tenant.keys.reviewer), "invalid_plan_token", 400);
    expectDone(await execute(key));
  });

  it("is shown with a review", async () => {
    const person = await givenPerson(api, { subject: "critic" });
    const { key, id: keyId } = await givenKeyOf(api, person);
    const token = await tokenFor(api, { sub: "critic", role: "reviewer" });
    const task = await api.givenTask({ at: { kind: "expert_review", status: "in_review" } });
    for (const bearer of [key, token, api.tenant.keys.reviewer]) {
      const body = { kind: "expert", outcome: "passed" };
      expectDone(await api.call("POST", `/tasks/${task.id}/reviews`, { bearer, body }), 201);
    }
    const listed = await api.call<{ data: { reviewer: { id: string; personId?: string } }[] }>(
      "GET",
      `/tasks/${task.id}/reviews`,
    );
    const reviewers = expectDone(listed).data.map(({ reviewer }) => reviewer);
    expect(reviewers).toMatchObject([
      { id: keyId, personId: person.id },
      { id: "critic", personId: person.id },
      {},
    ]);
    expect(reviewers[2]).not.toHaveProperty("personId");
  });
});

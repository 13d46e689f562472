import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { ReviewWorkView } from "../../../src/actions/reviews/claim-reviews.ts";
import type { Reviewed } from "../../../src/actions/reviews/record-review.ts";
import type { TaskView } from "../../../src/actions/views/task-view.ts";
import type { ClaimRecord } from "../../../src/db/reviews/slots.ts";
import type { StepStatus } from "../../../src/domain/lifecycle/statuses.ts";
import {
  type CallOptions,
  expectDone,
  expectProblem,
  freshApi,
  type Tenant,
  type TestApi,
} from "../../support/api.ts";
import { expectInvariantsHold } from "../../support/model/invariants.ts";
import { openTransaction, untilBlocked } from "../../support/model/locks.ts";
import { givenKeyOf, givenPerson } from "../people/support.ts";

let api: TestApi;
let tenant: Tenant;
/** The keys of two reviewers, who created nothing. */
let ada: string;
let grace: string;

beforeAll(async () => {
  api = await freshApi();
});
beforeEach(async () => {
  tenant = await api.givenTenant();
  const bearer = tenant.keys.admin;
  const keyOf = async (name: string) =>
    (await givenKeyOf(api, await givenPerson(api, { name }, bearer), "reviewer", bearer)).key;
  [ada, grace] = [await keyOf("Ada"), await keyOf("Grace")];
});

const claim = async (bearer: string, body: object = {}, options: CallOptions = {}) => {
  const answer = await api.call<{ data: ReviewWorkView[] }>("POST", "/reviews/claim", {
    ...options,
    bearer,
    body,
  });
  return expectDone(answer).data;
};
const idsOf = (work: readonly ReviewWorkView[]) => work.map(({ task }) => task.id);
const act = (bearer: string, { id }: ClaimRecord, verb: string, body?: object) =>
  api.call<ClaimRecord>(verb === "draft" ? "PUT" : "POST", `/reviews/claims/${id}/${verb}`, {
    bearer,
    ...(body && { body }),
  });
const claimsOf = async (bearer: string, query = "") =>
  expectDone(await api.call<{ data: ClaimRecord[] }>("GET", `/reviews/claims?${query}`, { bearer }))
    .data;
const review = (bearer: string, task: TaskView, body: object = {}) =>
  api.call<Reviewed>("POST", `/tasks/${task.id}/reviews`, {
    bearer,
    body: { kind: "expert", outcome: "passed", stepId: task.currentStep.id, ...body },
  });
const given = (more: Parameters<TestApi["givenTask"]>[0] = {}) =>
  api.givenTask({ tenant, at: { kind: "expert_review", status: "in_review" }, ...more });
const workOf = async (bearer: string, body: object = {}) =>
  (await claim(bearer, body))[0] ?? expect.fail("nothing waits");
/** Ends all leases of the tenant, as time would. */
const endLeases = () =>
  api.database.query(
    "owner",
    "update review_slots set lease_until = now() - interval '1 second' where tenant_id = $1",
    [tenant.id],
  );

describe("claiming the next review", () => {
  it("hands out the most urgent task, then the one that waits longest, each to one person", async () => {
    const late = await given({ priority: 5 });
    const urgent = await given({ priority: 90 });
    const later = await given({ priority: 5 });
    const [first] = await claim(ada);
    expect(first).toMatchObject({
      task: { id: urgent.id },
      claim: { taskId: urgent.id, stepId: urgent.currentStep.id, round: 1, isOwn: true },
      step: { id: urgent.currentStep.id, current: true },
      version: { number: 1 },
    });
    expect(idsOf(await claim(grace))).toEqual([late.id]);
    expect(idsOf(await claim(grace, { max: 20 }))).toEqual([later.id]);
    expect(await claim(ada, { max: 20 })).toEqual([]);
    const events = await api.call<{ data: { type: string }[] }>(
      "GET",
      `/tasks/${urgent.id}/events`,
      {
        tenant,
      },
    );
    expect(expectDone(events).data.length).toBe(urgent.eventSeq);
    await expectInvariantsHold(api.database);
  });

  it("skips a task that another call has locked, and does not wait for it", async () => {
    const [locked, free] = [await given({ priority: 90 }), await given()];
    const moving = await openTransaction(api.database, [
      { text: "select from tasks where id = $1 for no key update", values: [locked.id] },
    ]);
    expect(idsOf(await claim(ada, { max: 20 }))).toEqual([free.id]);
    await moving.end();
    expect(idsOf(await claim(ada, { max: 20 }))).toEqual([locked.id]);
  });

  it("skips a task that moves on after its label was read", async () => {
    const [moving, free] = [await given({ priority: 90 }), await given()];
    // Row security lets the application read a label only once it has this lock.
    await api.database.transaction("superuser", [
      {
        text: `create function when_unlocked() returns boolean language plpgsql as $$
          begin perform pg_advisory_xact_lock_shared(1); return true; end $$`,
      },
      {
        text: `create policy labels_when_unlocked on task_labels as restrictive for select
          to stepledger_app using (when_unlocked())`,
      },
    ]);
    const holder = await openTransaction(api.database, [
      { text: "select pg_advisory_xact_lock(1)" },
    ]);
    const claiming = claim(ada, { max: 20 });
    await untilBlocked(api.database);
    const path = `/steps/${moving.currentStep.id}`;
    expectDone(await api.call("PATCH", path, { tenant, body: { status: "approved" } }));
    await holder.end();
    expect(idsOf(await claiming)).toEqual([free.id]);
    await api.database.query("superuser", "drop policy labels_when_unlocked on task_labels");
  });

  it("offers exactly the expert reviews that wait for a reviewer", async () => {
    const statuses: StepStatus[] = [
      "queued",
      "awaiting_review",
      "in_review",
      "paused",
      "awaiting_input",
      "changes_requested",
      "approved",
      "rejected",
      "duplicate",
    ];
    const waiting: string[] = [];
    for (const status of statuses) {
      const task = await given({ at: { kind: "expert_review", status } });
      if (["queued", "awaiting_review", "in_review"].includes(status)) waiting.push(task.id);
    }
    const pending = await given({ at: { kind: "output_generation", status: "approved" } });
    const hold = { tenant, body: { hold: true } };
    expectDone(await api.call("POST", `/tasks/${pending.id}/advance`, hold));
    await given({ at: { kind: "pre_qa", status: "in_review" } });
    await given({ at: { kind: "calibration", status: "awaiting_review" } });
    const held = await given({ at: { kind: "expert_review", status: "queued" } });
    const gate = { gate: "blocked", reason: "Not now" };
    const path = `/steps/${held.currentStep.id}/gate`;
    expectDone(await api.call("PATCH", path, { tenant, body: gate }));
    const archived = await given();
    expectDone(await api.call("POST", `/tasks/${archived.id}/archive`, { tenant, body: {} }));
    expect(idsOf(await claim(ada, { max: 20 })).toSorted()).toEqual(waiting.toSorted());
  });

  it("can be limited to a taxonomy code, and follows an edit of it", async () => {
    const [maths, law] = [await given({ taxonomyCode: "maths" }), await given({ priority: 9 })];
    expect(idsOf(await claim(ada, { taxonomyCode: "law", max: 20 }))).toEqual([]);
    const edit = { tenant, body: { taxonomyCode: "law" } };
    expectDone(await api.call("PATCH", `/tasks/${law.id}`, edit));
    expect(idsOf(await claim(ada, { taxonomyCode: "law", max: 20 }))).toEqual([law.id]);
    expect(idsOf(await claim(ada, { taxonomyCode: "maths", max: 20 }))).toEqual([maths.id]);
  });

  it("leaves out one's own work unless it is asked for", async () => {
    const bearer = tenant.keys.admin;
    const author = await givenPerson(api, { name: "Author" }, bearer);
    const own = await givenKeyOf(api, author, "admin", bearer);
    const other = await givenKeyOf(api, author, "reviewer", bearer);
    const start = { kind: "expert_review", status: "queued", reason: "Moved here" };
    const made = await api.call<TaskView>("POST", "/tasks", {
      bearer: own.key,
      body: { title: "By the author", start },
    });
    const { id } = expectDone(made, 201);
    expect(await claim(other.key)).toEqual([]);
    expect(idsOf(await claim(other.key, { own: true }))).toEqual([id]);
    await endLeases();
    expect(idsOf(await claim(ada))).toEqual([id]);

    // The author of the active version is an author of the task too.
    const revised = await given({ at: { kind: "authoring", status: "queued" } });
    const version = { content: { brief: "Mine" }, reason: "Better", firstKind: "pre_qa" };
    const path = `/tasks/${revised.id}`;
    expectDone(await api.call("POST", `${path}/versions`, { bearer: own.key, body: version }), 201);
    const versioned = await api.call("PATCH", path, { tenant, body: { priority: 1 } });
    expectDone(versioned);
    expect(await claim(other.key, { max: 20 })).toEqual([]);
  });

  it("gives the same answer to a repeat under the same key", async () => {
    await given();
    await given();
    const idempotencyKey = crypto.randomUUID();
    const work = await claim(ada, {}, { idempotencyKey });
    expect(work).toHaveLength(1);
    expect(await claim(ada, {}, { idempotencyKey })).toEqual(work);
    expect(await claim(grace, { max: 20 })).toHaveLength(1);
  });

  it.each([
    { max: 0 },
    { max: 21 },
    { leaseSeconds: 59 },
    { leaseSeconds: 14_401 },
    { taxonomyCode: "" },
    { own: "yes" },
  ])("rejects %j", async (body) => {
    const answer = await api.call("POST", "/reviews/claim", { bearer: ada, body });
    expectProblem(answer, "validation_failed", 400);
  });
});

describe("a claim", () => {
  it("ends with its holder's review, and the next round begins", async () => {
    const task = await given();
    const { claim: held } = await workOf(ada);
    const recorded = expectDone(await review(ada, task), 201);
    expect(recorded.review.sequence).toBe(1);
    expect(await claimsOf(ada)).toEqual([]);
    expectProblem(await act(ada, held, "renew", {}), "lease_lost", 409);
    const again = await workOf(grace);
    expect(again.claim).toMatchObject({ round: 2, stepId: task.currentStep.id });
  });

  it("keeps expert reviews by others out, and lets every other review in", async () => {
    const task = await given();
    const { claim: held } = await workOf(ada);
    const problem = expectProblem(await review(grace, task), "claim_taken", 409);
    expect(problem).toMatchObject({ leaseUntil: held.leaseUntil });
    expectDone(await review(grace, task, { kind: "automated" }), 201);
    const checked = await given({ at: { kind: "pre_qa", status: "in_review" } });
    expectDone(await review(grace, checked), 201);
    expectDone(await review(ada, task, { outcome: "failed" }), 201);
    // The slot is free again, so a review needs no claim.
    expectDone(await review(grace, task), 201);
    await expectInvariantsHold(api.database);
  });

  it("keeps out a review that was decided before the claim was committed", async () => {
    const task = await given();
    const claiming = await openTransaction(api.database, [
      { text: "select from tasks where id = $1 for no key update", values: [task.id] },
      {
        text: `insert into review_slots (tenant_id, id, task_id, version_id, step_id, round, slot, person, actor_id,
            actor_name, task_seq, lease_seconds, lease_until, operation_id, claimed_at)
          select tenant_id, new_id(), id, active_version_id, current_step_id, 1, 1, 'a rival', 'a rival', 'A rival',
            event_seq, 600, now() + interval '10 minutes', new_id(), now() from tasks where id = $1`,
        values: [task.id],
      },
    ]);
    const late = review(grace, task);
    // It has loaded the task without the claim, and waits for the task's lock.
    await untilBlocked(api.database);
    await claiming.end();
    expectProblem(await late, "claim_taken", 409);
  });

  it("frees the task when its lease runs out: for the late holder as for anyone else", async () => {
    const task = await given();
    const { claim: first } = await workOf(ada);
    await endLeases();
    expectProblem(await act(ada, first, "renew", {}), "lease_lost", 409);
    expect(await claimsOf(ada)).toEqual([]);
    const { claim: second } = await workOf(grace);
    // Taken over in place.
    expect(second).toMatchObject({ id: first.id, round: 1, isOwn: true });
    expectProblem(await review(ada, task), "claim_taken", 409);
    for (const verb of ["renew", "release", "draft"]) {
      const body = verb === "draft" ? { draft: "Late" } : {};
      expectProblem(await act(ada, first, verb, body), "lease_lost", 409);
    }
    await endLeases();
    expectDone(await review(ada, task), 201);
  });

  it("is renewed by its holder with any credential", async () => {
    await given();
    const { claim: held } = await workOf(ada, { leaseSeconds: 60 });
    const renewed = expectDone(await act(ada, held, "renew", { leaseSeconds: 3600 }));
    expect(Date.parse(renewed.leaseUntil)).toBeGreaterThan(Date.parse(held.leaseUntil));
    expectProblem(await act(grace, held, "renew", {}), "lease_lost", 409);
    const unknown = { ...held, id: crypto.randomUUID() };
    expectProblem(await act(ada, unknown, "renew", {}), "not_found", 404);
  });

  it("is not renewed once its step has ended or is no longer current", async () => {
    const task = await given();
    const { claim: held } = await workOf(ada);
    const body = { status: "rejected", reason: "Spam" };
    expectDone(await api.call("PATCH", `/steps/${task.currentStep.id}`, { tenant, body }));
    expectProblem(await act(ada, held, "renew", {}), "lease_lost", 409);
    expect(await claimsOf(ada)).toEqual([]);
    expect(await claim(grace)).toEqual([]);
  });

  it("is offered again after a release, with the draft to the person who saved it", async () => {
    await given();
    const { claim: held } = await workOf(ada);
    const draft = "Step two is wrong 😀";
    expectDone(await act(ada, held, "draft", { draft }));
    expect(await claimsOf(ada)).toMatchObject([{ draft }]);
    expect(await claimsOf(grace, "all=true")).toMatchObject([{ draft: null, isOwn: false }]);
    expectDone(await act(ada, held, "release"));
    expect((await workOf(ada)).claim.draft).toBe(draft);
    expectDone(await act(ada, held, "release"));
    expect((await workOf(grace)).claim.draft).toBeNull();
  });

  it("is not offered in the same round to someone who declined it", async () => {
    const task = await given();
    const { claim: held } = await workOf(ada);
    expectProblem(await act(ada, held, "decline", {}), "validation_failed", 400);
    expectDone(await act(ada, held, "decline", { reason: "I know the author" }));
    expect(await claim(ada, { max: 20 })).toEqual([]);
    const { claim: others } = await workOf(grace);
    expect(others).toMatchObject({ round: 1 });
    await endLeases();
    expect(await claim(ada, { max: 20 })).toEqual([]);
    expectDone(await review(grace, task), 201);
    expect((await workOf(ada)).claim.round).toBe(2);
    await expectInvariantsHold(api.database);
  });

  it("does not keep a task from being reviewed by someone who declined it", async () => {
    const task = await given();
    const { claim: held } = await workOf(ada);
    expectDone(await act(ada, held, "decline", { reason: "Later" }));
    expectDone(await review(ada, task), 201);
  });

  it("ends when its holder is deactivated", async () => {
    const bearer = tenant.keys.admin;
    const leaver = await givenPerson(api, { name: "Leaver" }, bearer);
    const { key } = await givenKeyOf(api, leaver, "reviewer", bearer);
    const task = await given();
    expect(await claim(key)).toHaveLength(1);
    expect(await claim(ada)).toEqual([]);
    const slots = "select lease_until from review_slots where person = $1 order by id";
    const person = `person:${leaver.id}`;
    const [before] = await api.database.query("owner", slots, [person]);
    const body = { name: "Leaver", active: false };
    expectDone(await api.call("PUT", `/people/${leaver.id}`, { bearer, body }));
    const [after] = await api.database.query("owner", slots, [person]);
    expect(after).not.toEqual(before);
    // A claim that has ended keeps its end.
    expectDone(await api.call("PUT", `/people/${leaver.id}`, { bearer, body }));
    expect(await api.database.query("owner", slots, [person])).toEqual([after]);
    expect(idsOf(await claim(ada))).toEqual([task.id]);
  });

  it("is one claim of a person, whichever credential they use", async () => {
    const bearer = tenant.keys.admin;
    const person = await givenPerson(api, { name: "Two keys" }, bearer);
    const one = await givenKeyOf(api, person, "reviewer", bearer);
    const two = await givenKeyOf(api, person, "reviewer", bearer);
    const task = await given();
    expect(await claim(one.key)).toHaveLength(1);
    expect(await claimsOf(two.key)).toHaveLength(1);
    expectDone(await review(two.key, task), 201);
  });

  it("is listed by task and step, page by page, and only within the tenant", async () => {
    const [first, second] = [await given(), await given()];
    await claim(ada, { max: 20 });
    const of = async (query: string) => (await claimsOf(ada, query)).map(({ taskId }) => taskId);
    expect(await of(`task=${first.id}`)).toEqual([first.id]);
    expect(await of(`stepId=${second.currentStep.id}`)).toEqual([second.id]);
    const page = await api.call<{ data: ClaimRecord[]; nextCursor: string }>(
      "GET",
      "/reviews/claims?limit=1",
      { bearer: ada },
    );
    const { data, nextCursor } = expectDone(page);
    const rest = await claimsOf(ada, `limit=1&cursor=${encodeURIComponent(nextCursor)}`);
    expect([...data, ...rest].map(({ taskId }) => taskId).toSorted()).toEqual(
      [first.id, second.id].toSorted(),
    );
    expect(await claimsOf(grace)).toEqual([]);
    const elsewhere = api.otherTenant.keys.reviewer;
    expect(await claimsOf(elsewhere, "all=true")).toEqual([]);
  });
});

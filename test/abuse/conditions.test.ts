import * as z from "zod";
import { beforeAll, describe, expect, it, test } from "vitest";
import type { TaskView } from "../../src/actions/views/task-view.ts";
import type { Role } from "../../src/domain/actor.ts";
import { type Sample, titleOf } from "../support/samples/sample.ts";
import { SAMPLES } from "../support/samples/samples.ts";
import { contractOf, namesIn, sendSample, statusOf } from "../support/samples/send-sample.ts";
import { givenThings } from "../support/samples/things.ts";
import { type Answer, expectDone, freshApi, type TestApi } from "../support/api.ts";
import {
  expectAllRefused,
  type Expected,
  expectProblem,
  expectRefused,
  invalid,
  issue,
} from "./support.ts";

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
});

describe("a move that the transition table does not allow", () => {
  it("is refused with the allowed moves", async () => {
    const { currentStep } = await api.givenTask();
    const path = `/steps/${currentStep.id}`;
    await expectRefused(api, () => api.call("PATCH", path, { body: { status: "approved" } }), {
      status: 409,
      error: "invalid_transition",
      from: "queued",
      to: "approved",
      allowed: ["running", "failed"],
      next: expect.arrayContaining([
        { method: "PATCH", path: `/v1${path}`, body: { status: "running" } },
      ]),
    });
  });

  it("out of a final status is refused with no allowed moves", async () => {
    const at = { kind: "ingestion", status: "approved" } as const;
    const { currentStep } = await api.givenTask({ at });
    const move = { body: { status: "queued" } };
    await expectRefused(api, () => api.call("PATCH", `/steps/${currentStep.id}`, move), {
      status: 409,
      error: "invalid_transition",
      from: "approved",
      to: "queued",
      allowed: [],
      next: expect.any(Array),
    });
  });

  it("to the step's present status records no event", async () => {
    const { currentStep } = await api.givenTask();
    const move = { body: { status: "queued" } };
    await expectRefused(api, () => api.call("PATCH", `/steps/${currentStep.id}`, move), {
      status: 409,
      error: "already_in_status",
      done: true,
      next: expect.any(Array),
    });
  });

  it("is refused in bulk for each task separately, so a draft cannot be marked as passed", async () => {
    const draft = await api.givenTask();
    const reviewed = await api.givenTask({ at: { kind: "expert_review", status: "in_review" } });
    const executed = await api.call<{ items: object[] }>("POST", "/bulk/execute", {
      idempotencyKey: "a-draft-among-reviewed",
      body: {
        taskIds: [draft.id, reviewed.id],
        targetStatus: "PASSED",
        reason: "All of them are fine",
      },
    });
    expect(expectDone(executed).items).toEqual([
      {
        taskId: draft.id,
        outcome: "refused",
        code: "illegal_target",
        from: "DRAFT",
        to: "PASSED",
        allowed: [],
      },
      { taskId: reviewed.id, outcome: "changed", from: "IN_REVIEW", to: "PASSED", eventSeq: 3 },
    ]);
    const after = await api.call<TaskView>("GET", `/tasks/${draft.id}`);
    expect(expectDone(after)).toEqual(draft);
  });
});

describe("If-Match", () => {
  const conditional = SAMPLES.filter((sample) => contractOf(sample).concurrency);
  const inTable = conditional.map((sample) => [titleOf(sample), sample] as const);

  test.each(inTable)("%s is refused if the task has changed", async (_, sample) => {
    const things = await givenThings(api, sample);
    const { eventSeq } = expectDone(await api.call<TaskView>("GET", `/tasks/${things.task}`));
    const send = (etag: string) =>
      sendSample(api, sample, namesIn(sample, things), { headers: { "if-match": etag } });

    const stale = await expectAllRefused(
      api,
      [eventSeq - 1, eventSeq + 1].map((other) => () => send(`"${other}"`)),
      { status: 412, error: "version_conflict", eventSeq },
    );
    for (const { headers } of stale) expect(headers.get("etag")).toBe(`"${eventSeq}"`);
    const malformed = [`W/"${eventSeq}"`, '"abc"', `${eventSeq}`, "*", '""'];
    await expectAllRefused(
      api,
      malformed.map((etag) => () => send(etag)),
      invalid(issue(["If-Match"], "invalid_etag")),
    );
    const matched = await send(`"${eventSeq}"`);
    expect(matched.status, matched.text).toBe(statusOf(sample));
    const moved = expectDone(await api.call<TaskView>("GET", `/tasks/${things.task}`));
    expect(matched.headers.get("etag")).toBe(`"${moved.eventSeq}"`);
  });

  it("is not checked for another tenant's task or an unknown one", async () => {
    const theirs = await api.givenTask({ tenant: api.otherTenant });
    for (const id of [theirs.id, crypto.randomUUID()]) {
      const options = { ifMatch: 99, body: { text: "A note" } };
      const expected: Expected = { status: 404, error: "not_found" };
      await expectRefused(api, () => api.call("POST", `/tasks/${id}/notes`, options), expected);
    }
  });
});

describe("an Idempotency-Key", () => {
  const keyed = SAMPLES.filter((sample) => contractOf(sample).idempotency !== "none");
  const inTable = keyed.map((sample) => [titleOf(sample), sample] as const);

  test.each(inTable)(
    "%s rejects one that is too long or has invisible characters",
    async (_, sample) => {
      const named = namesIn(sample, await givenThings(api, sample));
      const keys = ["k".repeat(256), "", "with space", "tab\there", "bell\u0007", "é"];
      await expectAllRefused(
        api,
        keys.map((idempotencyKey) => () => sendSample(api, sample, named, { idempotencyKey })),
        invalid(issue(["Idempotency-Key"], "invalid_key")),
      );
    },
  );

  // Without a body, the path alone identifies the request, so the key cannot be reused for another body.
  const withBody = inTable.filter(([, { body }]) => body !== undefined);
  test.each(withBody)("%s rejects one that was used with another body", async (_, sample) => {
    const idempotencyKey = crypto.randomUUID();
    const named = namesIn(sample, await givenThings(api, sample));
    const first = await sendSample(api, sample, named, { idempotencyKey });
    expect(first.status, first.text).toBe(statusOf(sample));
    const other = { ...sample, body: withOtherValue(sample) };
    await expectRefused(api, () => sendSample(api, other, named, { idempotencyKey }), {
      status: 422,
      error: "idempotency_key_reused",
    });
  });

  it("is required for bulk changes", async () => {
    const { id } = await api.givenTask();
    const body = { taskIds: [id], targetStatus: "REJECTED", reason: "Out of scope" };
    const expected: Expected = { status: 400, error: "idempotency_key_required" };
    await expectRefused(api, () => api.call("POST", "/bulk/execute", { body }), expected);
  });

  it("is scoped to its tenant, actor and route", async () => {
    const idempotencyKey = "a-shared-key";
    const first = { idempotencyKey, body: { title: "A task" } };
    const runs = [
      await api.call<TaskView>("POST", "/tasks", first),
      await api.call<TaskView>("POST", "/tasks", { ...first, tenant: api.otherTenant }),
      await api.call<TaskView>("POST", "/tasks", { ...first, as: "operator" }),
    ];
    const ids = runs.map((run) => expectDone(run, 201).id);
    expect(new Set(ids).size).toBe(3);
    expect(runs.some(isReplay)).toBe(false);
    const body = { tasks: [{ title: "A task" }] };
    const imported = await api.call("POST", "/tasks/import", { idempotencyKey, body });
    expectDone(imported);
    expect(isReplay(imported)).toBe(false);

    const repeated = await api.call<TaskView>("POST", "/tasks", first);
    expect(expectDone(repeated, 201).id).toBe(ids[0]);
    expect(isReplay(repeated)).toBe(true);
  });

  it("replays only for the same caller, even if another sends the same request", async () => {
    const { id } = await api.givenTask();
    const idempotencyKey = "the-same-note";
    const addNote = (as: Role) =>
      api.call("POST", `/tasks/${id}/notes`, { as, idempotencyKey, body: { text: "Seen" } });
    const answers = [
      await addNote("operator"),
      await addNote("reviewer"),
      await addNote("operator"),
    ];
    expect(answers.map(isReplay)).toEqual([false, false, true]);
    const { eventSeq } = expectDone(await api.call<TaskView>("GET", `/tasks/${id}`));
    expect(eventSeq).toBe(3);
  });

  it("of a running call returns operation_in_progress, and then replays the first response", async () => {
    const { id } = await api.givenTask();
    await givenSlowNotes(api);
    const body = { text: "Slowly" };
    const note = () =>
      api.call("POST", `/tasks/${id}/notes`, { idempotencyKey: "slow-note", body });

    const first = note();
    await expectRunning(api);
    const second = await note();
    expectProblem(second, { status: 409, error: "operation_in_progress" });
    expect(second.headers.get("retry-after")).toBe("1");
    expect(second.body).toMatchObject({ retry: "same" });

    const finished = await first;
    expectDone(finished, 201);
    const third = await note();
    expect(third.text).toBe(finished.text);
    expect(isReplay(third)).toBe(true);
  });
});

const isReplay = ({ headers }: Answer<unknown>) => headers.get("idempotency-replayed") === "true";

/** Returns the sample's body with another valid value in one of the contract's fields. */
function withOtherValue(sample: Sample): object {
  const others: Record<string, unknown> = {
    title: "Another value",
    name: "Another value",
    reason: "Another value",
    text: "Another value",
    notes: "Another value",
    error: "Another value",
    type: "PAYMENT",
    types: ["PAYMENT"],
    tasks: [{ title: "Another value" }],
    moves: [{ task: crypto.randomUUID(), advance: true }],
    model: "another-value",
    max: 2,
    leaseSeconds: 61,
    seed: 2,
    speed: 1,
    output: "Another value",
    trials: [{ k: 1, model: "another-value" }],
  };
  const { body } = contractOf(sample);
  const sent = z.looseObject({}).parse(sample.body);
  // If the contract is a union, the sample's own fields are the alternative.
  const fields = Object.keys(body instanceof z.ZodObject ? body.shape : sent);
  const field =
    fields.find((name) => name in others) ?? expect.fail("The body has no field to change");
  return { ...sent, [field]: others[field] };
}

/** Makes the insert of a note that contains "Slowly" take two seconds. */
async function givenSlowNotes({ database }: TestApi): Promise<void> {
  await database.transaction("superuser", [
    {
      text: `create function take_time() returns trigger language plpgsql as
        $$ begin perform pg_sleep(2); return new; end $$`,
    },
    {
      text: `create trigger take_time before insert on step_events for each row
        when (new.payload like '%Slowly%') execute function take_time()`,
    },
  ]);
}

/** Waits until the database is inserting the slow note. */
async function expectRunning({ database }: TestApi): Promise<void> {
  await expect
    .poll(() =>
      database.query(
        "superuser",
        `select 1 as busy from pg_stat_activity
          where datname = current_database() and wait_event = 'PgSleep'`,
      ),
    )
    .toHaveLength(1);
}

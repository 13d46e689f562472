import { beforeAll, describe, expect, test } from "vitest";
import type { Moved } from "../../src/actions/moves/move-task.ts";
import type { TaskView } from "../../src/actions/views/task-view.ts";
import type { ErrorCode } from "../../src/routes/http/problem.ts";
import {
  type Answer,
  type CallOptions,
  freshApi,
  type Place,
  type Problem,
  type TestApi,
} from "../support/api.ts";
import { numberedTo, readEvents } from "../support/model/history.ts";
import { expectInvariantsHold } from "../support/model/invariants.ts";
import { inParallel, tally } from "../support/model/load.ts";
import { silenceLog } from "../support/model/quiet.ts";

const CLIENTS = 64;

silenceLog();

let api: TestApi;

beforeAll(async () => {
  api = await freshApi();
});

type Call = [method: string, path: string, options: CallOptions];

function allAtOnce<Body>(call: (client: number) => Call): Promise<Answer<Body>[]> {
  return inParallel({ count: CLIENTS, clients: CLIENTS }, (client) => api.call(...call(client)));
}

/** Returns the code of a refusal, or the status of a success. */
function endOf({ status, body }: Answer<unknown>): string {
  return status < 300 ? String(status) : `${status} ${(body as Problem).error}`;
}

interface Race {
  move: string;
  at: Place;
  call: (task: TaskView) => Call;
  /** Expects the losers' responses to contain the state of the task after the winner's move. */
  loser: ErrorCode;
}

const races: Race[] = [
  {
    move: "transition",
    at: { kind: "ingestion", status: "queued" },
    call: ({ currentStep }) => [
      "PATCH",
      `/steps/${currentStep.id}`,
      { body: { status: "running" } },
    ],
    loser: "already_in_status",
  },
  {
    move: "change of a gate",
    at: { kind: "authoring", status: "running" },
    call: ({ currentStep }) => [
      "PATCH",
      `/steps/${currentStep.id}/gate`,
      { body: { gate: "blocked", reason: "Wait" } },
    ],
    loser: "already_in_status",
  },
  {
    move: "advance",
    at: { kind: "authoring", status: "approved" },
    call: ({ id }) => ["POST", `/tasks/${id}/advance`, { body: {} }],
    loser: "gate_closed",
  },
  {
    move: "approval by review",
    at: { kind: "expert_review", status: "in_review" },
    call: ({ id }) => [
      "POST",
      `/tasks/${id}/reviews`,
      { body: { kind: "expert", outcome: "passed", move: { status: "approved" } } },
    ],
    loser: "already_in_status",
  },
  {
    move: "archiving",
    at: { kind: "delivery", status: "approved" },
    call: ({ id }) => ["POST", `/tasks/${id}/archive`, { body: {} }],
    loser: "already_in_status",
  },
  {
    move: "move bound to a state",
    at: { kind: "authoring", status: "running" },
    call: ({ id, eventSeq }) => [
      "POST",
      `/tasks/${id}/notes`,
      { body: { text: "Mine" }, ifMatch: eventSeq },
    ],
    loser: "version_conflict",
  },
  {
    move: "dispatch by hand",
    at: { kind: "output_generation", status: "queued" },
    call: ({ currentStep }) => [
      "POST",
      `/steps/${currentStep.id}/dispatch`,
      { body: { pipeline: "output_generation", reason: "Try it" } },
    ],
    loser: "conflict",
  },
];

describe("of 64 clients that send the same request concurrently", () => {
  test.for(races)(
    "exactly one wins a $move, and all others get the resulting state",
    async ({ at, call, loser }) => {
      const task = await api.givenTask({ at });
      const answers = await allAtOnce<Moved>(() => call(task));

      const winners = answers.filter(({ status }) => status < 300);
      expect(winners).toHaveLength(1);
      const status = loser === "version_conflict" ? 412 : 409;
      expect(tally(answers.filter((answer) => answer !== winners[0]).map(endOf))).toEqual({
        [`${status} ${loser}`]: CLIENTS - 1,
      });
      const events = await readEvents(api, task.id);
      expect(events.map(({ seq }) => seq)).toEqual(numberedTo(events.length));
      expect(events.slice(task.eventSeq)).toEqual(winners[0]?.body.events ?? []);
    },
  );

  test("exactly one creates the task of an external id, and all others get its id", async () => {
    const answers = await allAtOnce<TaskView & Problem>(() => [
      "POST",
      "/tasks",
      { body: { title: "Wanted by all", externalId: "wanted" } },
    ]);
    const [winner, ...others] = answers.filter(({ status }) => status === 201);
    expect(others).toEqual([]);
    const losers = answers.filter((answer) => answer !== winner);
    expect(tally(losers.map(endOf))).toEqual({ "409 conflict": CLIENTS - 1 });
    expect(new Set(losers.map(({ body }) => body.existing?.id))).toEqual(
      new Set([winner?.body.id]),
    );
  });

  test("all get the same answer if they share an Idempotency-Key", async () => {
    const task = await api.givenTask({ at: { kind: "ingestion", status: "queued" } });
    const answers = await allAtOnce<Moved>(() => [
      "PATCH",
      `/steps/${task.currentStep.id}`,
      { body: { status: "running" }, idempotencyKey: "shared" },
    ]);
    // A call that waited too long for the first one only gets this code.
    const answered = answers.filter((answer) => endOf(answer) !== "409 operation_in_progress");
    expect(tally(answered.map(endOf))).toEqual({ "200": answered.length });
    expect(new Set(answered.map(({ text }) => text)).size).toBe(1);
    const replays = answered.filter(({ headers }) => headers.has("idempotency-replayed"));
    expect(replays).toHaveLength(answered.length - 1);
    expect(await readEvents(api, task.id)).toHaveLength(2);
  });
});

describe("of 64 different concurrent operations on one task", () => {
  test("as many events are written as the successes report", async () => {
    const task = await api.givenTask({ at: { kind: "authoring", status: "running" } });
    const step = `/steps/${task.currentStep.id}`;
    const operations: ((client: number) => Call)[] = [
      (n) => ["POST", `/tasks/${task.id}/notes`, { body: { text: `Note ${n}` } }],
      (n) => ["PATCH", `/tasks/${task.id}`, { body: { title: `Title ${n}`, priority: n } }],
      () => ["PATCH", step, { body: { status: "paused" } }],
      () => ["PATCH", step, { body: { status: "awaiting_input" } }],
      () => ["PATCH", `${step}/gate`, { body: { gate: "blocked", reason: "Wait" } }],
      () => ["POST", `/tasks/${task.id}/reviews`, { body: { kind: "expert", outcome: "passed" } }],
      () => [
        "POST",
        `/tasks/${task.id}/rework`,
        { body: { toKind: "authoring", reason: "Again" } },
      ],
      (n) => [
        "POST",
        `/tasks/${task.id}/versions`,
        { body: { content: { brief: `Brief ${n}` }, reason: "Better" } },
      ],
      () => ["POST", `/tasks/${task.id}/archive`, { body: {} }],
      () => ["POST", `/tasks/${task.id}/restore`, { body: {} }],
    ];
    const answers = await allAtOnce<Moved & Problem>((client) => {
      const operation = operations[client % operations.length];
      return operation?.(client) ?? expect.fail("No operation for this client");
    });

    expect(answers.filter(({ status }) => status !== 409 && status >= 300)).toEqual([]);
    const answered = answers.flatMap(({ status, body }) => (status < 300 ? body.events : []));
    const events = await readEvents(api, task.id);
    expect(events.slice(task.eventSeq)).toEqual(
      answered.toSorted((one, other) => one.seq - other.seq),
    );
    expect(events.map(({ seq }) => seq)).toEqual(numberedTo(events.length));
    expect(answered.length).toBeGreaterThan(0);
  });

  test("no invariant is broken", async () => {
    await expectInvariantsHold(api.database);
  });
});

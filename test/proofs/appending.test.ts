import { beforeAll, describe, expect, test } from "vitest";
import type { Moved } from "../../src/actions/moves/move-task.ts";
import type { TaskView } from "../../src/actions/views/task-view.ts";
import {
  type Answer,
  type CallOptions,
  expectDone,
  freshApi,
  type TestApi,
} from "../support/api.ts";
import { numberedTo, readEvents } from "../support/model/history.ts";
import { expectInvariantsHold } from "../support/model/invariants.ts";
import { inParallel, tally } from "../support/model/load.ts";
import { silenceLog } from "../support/model/quiet.ts";

silenceLog();

const CLIENTS = 64;
/** Round trips of a call that loses no race: it loads the task, and records the change. */
const ROUND_TRIPS = 2;
/** How many attempts a call takes on average at most, if 64 calls meet on one task. */
const ATTEMPTS_MAX = 8;

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
});

type Call = [method: string, path: string, options: CallOptions];

const atOnce = (call: (client: number) => Call, count = CLIENTS): Promise<Answer<Moved>[]> =>
  inParallel({ count, clients: count }, (client) => api.call<Moved>(...call(client)));

const note = ({ id }: TaskView, text: string): Call => [
  "POST",
  `/tasks/${id}/notes`,
  { body: { text } },
];
const edit = ({ id }: TaskView, body: object): Call => ["PATCH", `/tasks/${id}`, { body }];

/** Expects the history to hold exactly the events of the answers, and to have no gap. */
async function expectAllRecorded(task: TaskView, answers: readonly Answer<Moved>[]) {
  expect(tally(answers.map(({ status }) => (status < 300 ? "done" : status)))).toEqual({
    done: answers.length,
  });
  const events = await readEvents(api, task.id);
  expect(events.map(({ seq }) => seq)).toEqual(numberedTo(events.length));
  const answered = answers.flatMap(({ body }) => body.events);
  expect(events.slice(task.eventSeq)).toEqual(
    answered.toSorted((one, other) => one.seq - other.seq),
  );
  return events.slice(task.eventSeq);
}

describe(`${CLIENTS} calls on one task at the same time`, () => {
  test("record every note and every edit once, in few round trips", async () => {
    const task = await api.givenTask();
    const fields = ["assignee", "taxonomyCode"] as const;
    let answers: Answer<Moved>[] = [];
    const roundTrips = await api.roundTripsOf(async () => {
      answers = await atOnce((client) =>
        client % 2 === 0
          ? note(task, `Note ${client}`)
          : edit(task, { [fields[client % 4 === 1 ? 0 : 1]]: `By client ${client}` }),
      );
    });
    const events = await expectAllRecorded(task, answers);
    expect(roundTrips).toBeLessThanOrEqual(CLIENTS * ROUND_TRIPS * ATTEMPTS_MAX);

    const notes = events.filter(({ type }) => type === "note_added");
    expect(notes.map(({ payload }) => (payload as { text: string }).text).toSorted()).toEqual(
      Array.from({ length: CLIENTS / 2 }, (_, index) => `Note ${index * 2}`).toSorted(),
    );
    // Each edit says truthfully what the field was before, and the last one of each field is in force.
    const now = expectDone(await api.call<TaskView>("GET", `/tasks/${task.id}`));
    for (const field of fields) {
      let value: unknown = task[field];
      for (const { payload } of events) {
        const { changes } = payload as { changes?: Record<string, { from: unknown; to: unknown }> };
        const change = changes?.[field];
        if (change === undefined) continue;
        expect(change.from).toBe(value);
        value = change.to;
      }
      expect(now[field]).toBe(value);
    }
  });

  test("answer an edit that another one has already made without an event", async () => {
    const task = await api.givenTask();
    const answers = await atOnce(() => edit(task, { priority: 7 }));
    const [event, ...others] = await expectAllRecorded(task, answers);
    expect(event).toMatchObject({ payload: { changes: { priority: { from: 0, to: 7 } } } });
    expect(others).toEqual([]);
  });

  test("archive and restore a task among notes", async () => {
    const task = await api.givenTask();
    const answers = await atOnce((client) =>
      client === 0 ? ["POST", `/tasks/${task.id}/archive`, {}] : note(task, `Note ${client}`),
    );
    await expectAllRecorded(task, answers);
    const restored = await atOnce((client) =>
      client < 2 ? ["POST", `/tasks/${task.id}/restore`, {}] : note(task, `Note ${client}`),
    );
    // The second restore is decided from the state that the first one left.
    expect(tally(restored.map(({ status }) => status))).toEqual({
      "200": 1,
      "201": CLIENTS - 2,
      "409": 1,
    });
    const { archivedAt } = expectDone(await api.call<TaskView>("GET", `/tasks/${task.id}`));
    expect(archivedAt).toBeNull();
  });
});

test("a note with If-Match loses at once to a note that came first", async () => {
  const task = await api.givenTask();
  const [method, path, options] = note(task, "If nobody else wrote");
  let answers: Answer<Moved>[] = [];
  const roundTrips = await api.roundTripsOf(async () => {
    answers = await atOnce(() => [method, path, { ...options, ifMatch: task.eventSeq }], 8);
  });
  expect(tally(answers.map(({ status }) => status))).toEqual({ "201": 1, "412": 7 });
  // A loser loads, loses the race and loads the winner's state, and is not tried again.
  expect(roundTrips).toBeLessThanOrEqual(8 * 3);
});

test("all of this keeps every invariant", () => expectInvariantsHold(api.database));

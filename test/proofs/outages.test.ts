import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { TaskView } from "../../src/actions/views/task-view.ts";
import { SQLSTATES } from "../../src/db/connection/sqlstates.ts";
import { logged } from "../abuse/support.ts";
import { type Answer, expectDone, expectProblem, freshApi, type TestApi } from "../support/api.ts";
import { countRows, rowsGained } from "../support/contents.ts";
import { type FaultOptions, ON_WRITE } from "../support/database.ts";
import { expectInvariantsHold } from "../support/model/invariants.ts";
import { openTransaction } from "../support/model/locks.ts";
import { retryWithoutWaiting } from "../support/model/quick-retries.ts";
import { silenceLog } from "../support/model/quiet.ts";

silenceLog();
retryWithoutWaiting();

/** What a call that meets an error once gets: its own answer after a retry, 503, or 500. */
type Expected = "done" | "unavailable" | "internal";

/** Appendix A of the PostgreSQL documentation, versions 16 to 18, written down a second time; SL is this schema's own. */
const CLASSES: Readonly<Record<Expected, string>> = {
  done: "08 26 40 53 57 58 72 XX",
  unavailable: "28 3D F0",
  internal:
    "00 01 02 03 09 0A 0B 0F 0L 0P 0Z 10 20 21 22 23 24 25 27 2B 2D 2F 34 38 39 3B 3F 42 44 54 55 HV P0 SL",
};
/** Single codes of the appendix that matter most, whether or not they differ from their class. */
const CODES: Readonly<Record<Expected, string>> = {
  done: `08001 08003 08004 08006 08007 08P01 25P03 25P04 26000 40001 40002 40003 40P01 42P05 53100 53200 53300 53400
    55006 55P03 57014 57P01 57P02 57P03 57P04 57P05 58030 58P01 58P02 XX000`,
  unavailable: "25006 28000 28P01 3D000 F0001 XX001 XX002",
  internal: `0A000 21000 22001 22003 22007 22008 22021 22P02 22P05 23502 23503 23505 23514 23P01 25001 25P02 27000
    42501 42601 42703 42883 42P01 54001 54023 55000 P0001 P0004 SL001`,
};
const wordsOf = (list: string): string[] => list.split(/\s+/);
const ERRORS = (["done", "unavailable", "internal"] as const).flatMap((expected) =>
  [...wordsOf(CLASSES[expected]).map((name) => `${name}000`), ...wordsOf(CODES[expected])].map(
    (code) => [code, expected] as const,
  ),
);

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
  // Warms the key cache, so that no key lookup comes between a test and its fault.
  await api.roundTripsOf(async () => {});
});
afterEach(() => api.database.clearFaults());

/** The newest entry of the log. */
const entryOf = (lines: readonly string[]): unknown => JSON.parse(lines.at(-1) ?? "null");

async function expectAnswer(expected: Expected, answer: Answer<unknown>, status: number) {
  if (expected === "done") {
    expectDone(answer, status);
  } else {
    const problem = expectProblem(answer, expected, expected === "unavailable" ? 503 : 500);
    expect(problem.retry).toBe(expected === "unavailable" ? "same" : "never");
    const isPromised = answer.headers.get("retry-after") !== null;
    expect(isPromised).toBe(expected === "unavailable");
  }
}

describe("the table of SQLSTATEs", () => {
  test("has a row for every class of PostgreSQL 16 to 18", () => {
    const classes = Object.values(CLASSES).flatMap(wordsOf);
    const listed = Object.keys(SQLSTATES).filter((name) => name.length === 2);
    expect(listed.toSorted()).toEqual(classes.toSorted());
  });
});

describe("an error of the database, once", () => {
  let task: TaskView;
  beforeAll(async () => {
    task = await api.givenTask();
  });
  const inject = (code: string, on: Partial<FaultOptions>) =>
    api.database.faults({ ...on, kind: "sqlstate", code });

  test.for(ERRORS)("with %s on a read: %s", async ([code, expected]) => {
    await inject(code, {});
    await expectAnswer(expected, await api.call("GET", `/tasks/${task.id}`), 200);
    expect(await api.database.waitingFaults()).toBe(0);
  });

  test.for(ERRORS)("with %s on a write: %s, and one effect or none", async ([code, expected]) => {
    const before = await countRows(api.database);
    await inject(code, ON_WRITE);
    const note = { body: { text: "A remark" } };
    await expectAnswer(expected, await api.call("POST", `/tasks/${task.id}/notes`, note), 201);
    expect(await api.database.waitingFaults()).toBe(0);
    const { step_events: events = 0 } = rowsGained(before, await countRows(api.database));
    expect(events).toBe(expected === "done" ? 1 : 0);
  });

  // Of a role that may not connect, of a database that accepts no connections, and of a setting that it rejects.
  test.for(["42501", "55000", "22023", "0A000"])(
    "with %s is retried if it ends the session",
    async (code) => {
      await api.database.faults({ kind: "sqlstate", code, severity: "FATAL", times: 2 });
      expectDone(await api.call("GET", `/tasks/${task.id}`));
      expect(await api.database.waitingFaults()).toBe(0);
    },
  );
});

describe("an error on every attempt", () => {
  test.for([
    ["40001", "ERROR", false],
    ["25006", "ERROR", false],
    ["28P01", "FATAL", false],
    ["XX000", "ERROR", true],
    ["58030", "ERROR", true],
    ["53100", "ERROR", false],
    ["53100", "PANIC", true],
    ["42501", "FATAL", true],
  ] as const)(
    "with %s (%s) returns 503, and the log names it and says whether a write may have committed",
    async ([code, severity, isCommitUnknown]) => {
      const { id } = await api.givenTask();
      await api.database.faults({ ...ON_WRITE, kind: "sqlstate", code, severity, times: null });
      const lines = await logged(async () => {
        const answer = await api.call("POST", `/tasks/${id}/notes`, { body: { text: "A note" } });
        await expectAnswer("unavailable", answer, 201);
        expect(answer.text).not.toContain(code);
      });
      expect(entryOf(lines)).toMatchObject({
        message: "request",
        status: 503,
        error: "unavailable",
        sqlState: code,
        isCommitUnknown,
      });
    },
  );

  test("is unknown if any attempt lost its answer", async () => {
    const { id } = await api.givenTask();
    await api.database.faults({ ...ON_WRITE, kind: "cut-before-commit" });
    await api.database.faults({ ...ON_WRITE, kind: "sqlstate", code: "25006", times: null });
    const lines = await logged(() =>
      api.call("POST", `/tasks/${id}/notes`, { body: { text: "A note" } }),
    );
    expect(entryOf(lines)).toMatchObject({
      status: 503,
      sqlState: "25006",
      isCommitUnknown: true,
    });
  });
});

describe("a bulk change", () => {
  const execute = (taskIds: readonly string[], idempotencyKey: string = crypto.randomUUID()) =>
    api.call<{ counts: object; items: object[] }>("POST", "/bulk/execute", {
      idempotencyKey,
      body: { taskIds, targetStatus: "REJECTED", reason: "Out of scope" },
    });

  test("during an outage marks no task as failed, and its repeat changes all of them", async () => {
    const at = { kind: "output_generation", status: "queued" } as const;
    const tasks = await Promise.all([1, 2, 3, 4, 5].map(() => api.givenTask({ at })));
    const taskIds = tasks.map(({ id }) => id);
    for (const code of ["25006", "XX000"]) {
      await api.database.faults({ ...ON_WRITE, kind: "sqlstate", code, times: null });
      await expectAnswer("unavailable", await execute(taskIds, "outage"), 200);
      await api.database.clearFaults();
    }
    const executed = expectDone(await execute(taskIds, "outage"));
    expect(executed.counts).toMatchObject({ changed: 5, failed: 0 });
  });

  test("is not split by a wrong statement", async () => {
    const at = { kind: "output_generation", status: "queued" } as const;
    const taskIds = [(await api.givenTask({ at })).id, (await api.givenTask({ at })).id];
    await api.database.faults({ ...ON_WRITE, kind: "sqlstate", code: "42703", times: null });
    const roundTrips = await api.roundTripsOf(async () =>
      expectAnswer("internal", await execute(taskIds), 200),
    );
    // One loads the tasks, one tries to write.
    expect(roundTrips).toBe(2);
  });

  test("leaves out the tasks whose rows are damaged", async () => {
    const at = { kind: "output_generation", status: "queued" } as const;
    const tasks = [await api.givenTask({ at }), await api.givenTask({ at })];
    const [damaged, whole] = tasks.map(({ id }) => id);
    await api.database.transaction("superuser", [
      {
        text: `create function damage() returns trigger language plpgsql as
          $$ begin raise exception 'invalid page' using errcode = 'XX001'; end $$`,
      },
      {
        text: `create trigger damage before insert on step_events for each row
          when (new.task_id = '${damaged}') execute function damage()`,
      },
    ]);
    const executed = expectDone(await execute([damaged ?? "", whole ?? ""]));
    expect(executed.items).toMatchObject([
      { taskId: damaged, outcome: "failed" },
      { taskId: whole, outcome: "changed" },
    ]);
    await api.database.query("superuser", "drop trigger damage on step_events");
  });
});

describe("a real database", () => {
  /** A Worker that logs in with a role of its own, which tests can lock out without harming others. */
  let own: TestApi;
  let task: TaskView;
  const role = `guest_${crypto.randomUUID().slice(0, 8)}`;
  const PASSWORD = "a-guest";

  const asSuperuser = (...texts: string[]) =>
    own.database.transaction("superuser", [
      { text: "set transaction read write" },
      ...texts.map((text) => ({ text })),
    ]);
  /** Ends the sessions of the Worker, so that its next call has to log in. */
  const endSessions = () =>
    own.database.query(
      "superuser",
      "select pg_terminate_backend(pid) from pg_stat_activity where usename = $1",
      [role],
    );
  const note = () => own.call("POST", `/tasks/${task.id}/notes`, { body: { text: "A note" } });
  const read = () => own.call("GET", `/tasks/${task.id}`);
  const readiness = async (): Promise<number> => (await own.fetch("/readyz")).status;

  beforeAll(async () => {
    await api.database.query(
      "superuser",
      `create role ${role} login password '${PASSWORD}' in role stepledger_app`,
    );
    own = await freshApi(({ databaseUrl }) => {
      const url = new URL(databaseUrl);
      url.username = role;
      url.password = PASSWORD;
      return { DATABASE_URL: url.href };
    });
    await own.roundTripsOf(async () => {});
    task = await own.givenTask();
  });
  beforeEach(async () => {
    expectDone(await note(), 201);
  });
  afterAll(async () => {
    await own.database.drop();
    await api.database.query("superuser", `drop role ${role}`);
  });

  test("that is read-only answers reads, refuses writes with 503, and is not ready", async () => {
    const { name } = own.database;
    await asSuperuser(`alter database ${name} set default_transaction_read_only = on`);
    await endSessions();
    expectDone(await read());
    await expectAnswer("unavailable", await note(), 201);
    expect(await readiness()).toBe(503);
    await asSuperuser(`alter database ${name} reset default_transaction_read_only`);
    await endSessions();
    expectDone(await note(), 201);
  });

  const lockouts: [
    because: string,
    lock: (name: string) => string,
    unlock: (name: string) => string,
  ][] = [
    [
      "its role may not log in",
      () => `alter role ${role} nologin`,
      () => `alter role ${role} login`,
    ],
    [
      "the password of its role changed",
      () => `alter role ${role} password 'another'`,
      () => `alter role ${role} password '${PASSWORD}'`,
    ],
    [
      "its role reached its connection limit",
      () => `alter role ${role} connection limit 0`,
      () => `alter role ${role} connection limit -1`,
    ],
    [
      "the database accepts no connections",
      (name) => `alter database ${name} allow_connections false`,
      (name) => `alter database ${name} allow_connections true`,
    ],
    [
      "the database was renamed",
      (name) => `alter database ${name} rename to ${name}_gone`,
      (name) => `alter database ${name}_gone rename to ${name}`,
    ],
  ];
  test.for(lockouts)("that refuses the Worker because %s gives 503", async ([, lock, unlock]) => {
    const { name } = own.database;
    // Through another database, because this one may accept no connection.
    await endSessions();
    await elsewhere(
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}'`,
    );
    await elsewhere(lock(name));
    try {
      await expectAnswer("unavailable", await read(), 200);
      await expectAnswer("unavailable", await note(), 201);
    } finally {
      await elsewhere(unlock(name));
    }
    expectDone(await note(), 201);
  });
  const elsewhere = (text: string) => api.database.query("superuser", text);

  test("that ends the session of a waiting call lets it finish on another one", async () => {
    const held = await openTransaction(own.database, [
      { text: "select from tasks where id = $1 for update", values: [task.id] },
    ]);
    const noting = note();
    await expect.poll(() => waiting(), { interval: 10 }).toBeGreaterThan(0);
    await endSessions();
    await held.end();
    expectDone(await noting, 201);
  });
  const waiting = async () =>
    (
      await own.database.query(
        "superuser",
        "select from pg_stat_activity where usename = $1 and wait_event_type = 'Lock'",
        [role],
      )
    ).length;

  test.for([
    ["transaction_timeout", "25P04"],
    ["statement_timeout", "57014"],
  ])("whose %s ends a call gives 503", async ([setting, code]) => {
    const { name } = own.database;
    await asSuperuser(`alter role ${role} in database ${name} set ${setting} = '200ms'`);
    await endSessions();
    const held = await openTransaction(own.database, [
      { text: "select from tasks where id = $1 for update", values: [task.id] },
    ]);
    const lines = await logged(async () => expectAnswer("unavailable", await note(), 201));
    await held.end();
    expect(entryOf(lines)).toMatchObject({ sqlState: code });
    await asSuperuser(`alter role ${role} in database ${name} reset ${setting}`);
    await endSessions();
    expectDone(await note(), 201);
  });

  test("holds every invariant afterwards", async () => {
    await expectInvariantsHold(own.database);
  });
});

describe("a database that was dropped", () => {
  test("gives 503, and is not ready", async () => {
    const other = await freshApi();
    const { id } = await other.givenTask();
    await other.database.drop();
    await expectAnswer("unavailable", await other.call("GET", `/tasks/${id}`), 200);
    const note = { body: { text: "A note" } };
    await expectAnswer("unavailable", await other.call("POST", `/tasks/${id}/notes`, note), 201);
    expect((await other.fetch("/readyz")).status).toBe(503);
  });
});

describe("the database after all faults", () => {
  test("holds every invariant", async () => {
    await expectInvariantsHold(api.database);
  });
});

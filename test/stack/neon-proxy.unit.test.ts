import { neon, neonConfig, Pool, types } from "@neondatabase/serverless";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { PREPARED_NAMES } from "../../src/db/connection/prepared-names.ts";
import { WebSocket } from "ws";
import { freshDatabase, type TestDatabase } from "../support/database.ts";

let database: TestDatabase;

beforeAll(async () => {
  database = await freshDatabase();
  neonConfig.fetchEndpoint = database.fetchEndpoint;
  neonConfig.wsProxy = () => `${new URL(database.proxyUrl).host}/v2`;
  neonConfig.useSecureWebSocket = false;
  neonConfig.webSocketConstructor = WebSocket;
  await database.query(
    "owner",
    "create table notes (id int constraint notes_key primary key, body text)",
  );
  await database.query(
    "owner",
    "create table replies (note int references notes deferrable initially deferred)",
  );
  await database.query("owner", "grant all on notes, replies to stepledger_app");
});

beforeEach(async () => {
  await database.clearFaults();
  await database.query("owner", "truncate notes, replies");
  await database.resetRoundTrips();
});

const application = () => neon(database.databaseUrl);
const countNotes = async () =>
  Number((await database.query("owner", "select count(*) as n from notes"))[0]?.["n"]);

/** Returns the error of a query that must fail. */
const failureOf = async (query: Promise<unknown>): Promise<unknown> => {
  try {
    await query;
  } catch (error) {
    return error;
  }
  return expect.unreachable("the query succeeded");
};

/** Calls the endpoint without the driver, for requests that the driver never sends. */
function post(body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(database.fetchEndpoint, {
    method: "POST",
    headers: { "Neon-Connection-String": database.databaseUrl, ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
}

/** Reads times with the driver's current parser, which other code in this process may have replaced. */
const readTime = types.getTypeParser(1184, "text") as (text: string) => unknown;

describe("one statement", () => {
  test("returns the driver's own types", async () => {
    const rows = await application()`
      select ${1}::int as whole, ${true} :: boolean as yes, null as nothing,
             ${{ a: [1, "x"] }}::jsonb as json, ${["a,b", 'c"d\\']}::text[] as words,
             '2026-11-21 20:19:57.25+00'::timestamptz as at`;
    expect(rows).toEqual([
      {
        whole: 1,
        yes: true,
        nothing: null,
        json: { a: [1, "x"] },
        words: ["a,b", 'c"d\\'],
        at: readTime("2026-11-21 20:19:57.25+00"),
      },
    ]);
  });

  test("returns its command, count and fields even if there are no rows", async () => {
    const sql = neon(database.databaseUrl, { fullResults: true });
    const inserted = await sql`insert into notes values (1, 'one'), (2, 'two')`;
    expect(inserted).toMatchObject({ command: "INSERT", rowCount: 2, fields: [], rows: [] });
    const empty = await sql`select id from notes where false`;
    expect(empty).toMatchObject({ command: "SELECT", rowCount: 0, rows: [] });
    expect(empty.fields.map(({ name }) => name)).toEqual(["id"]);
    const created = await neon(database.migrationDatabaseUrl, { fullResults: true })`
      create temporary table passing (id int)`;
    expect(created).toMatchObject({ command: "CREATE", rowCount: null });
  });

  test("is rejected like on Neon if it is two statements", async () => {
    await expect(application().query("select 1; select 2")).rejects.toMatchObject({
      code: "42601",
      message: "cannot insert multiple commands into a prepared statement",
    });
  });

  test("fails with the complete Postgres error", async () => {
    await application()`insert into notes values (1, 'one')`;
    const error = await failureOf(application()`insert into notes values (1, 'again')`);
    expect(error).toMatchObject({
      name: "NeonDbError",
      code: "23505",
      constraint: "notes_key",
      table: "notes",
      schema: "public",
      severity: "ERROR",
      detail: "Key (id)=(1) already exists.",
    });
    const inFunction = application()`select 1 from (select now()) t where (select 1/0) = 1`;
    await expect(inFunction).rejects.toMatchObject({ code: "22012", constraint: undefined });
    const deep = neon(database.migrationDatabaseUrl)`
      do $$ begin raise exception 'deep' using errcode = 'P0001'; end $$`;
    await expect(deep).rejects.toMatchObject({
      code: "P0001",
      where: expect.stringContaining("PL/pgSQL"),
    });
  });

  test("sends and returns a text of four megabytes", async () => {
    const text = "é".repeat(2_000_000);
    const [row] = await application()`select ${text}::text as body`;
    expect(row?.["body"]).toBe(text);
  });

  test("fails with the Postgres code for a wrong password or database", async () => {
    const badPassword = new URL(database.databaseUrl);
    badPassword.password = "wrong";
    await expect(neon(badPassword.href)`select 1`).rejects.toMatchObject({ code: "28P01" });
    const badDatabase = new URL(database.databaseUrl);
    badDatabase.pathname = "/nowhere";
    await expect(neon(badDatabase.href)`select 1`).rejects.toMatchObject({ code: "3D000" });
  });
});

describe("a batch", () => {
  test("is one transaction and one round trip", async () => {
    const sql = application();
    const results = await sql.transaction([
      sql`select set_config('app.tenant_id', 'here', true)`,
      sql`insert into notes values (1, current_setting('app.tenant_id'))`,
      sql`select body from notes`,
    ]);
    expect(results[2]).toEqual([{ body: "here" }]);
    expect(await database.roundTrips()).toBe(1);
    const [after] = await sql`select nullif(current_setting('app.tenant_id', true), '') as left`;
    expect(after).toEqual({ left: null });
  });

  test("writes nothing if a statement fails, and returns that statement's error", async () => {
    const sql = application();
    const batch = sql.transaction([
      sql`insert into notes values (1, 'one')`,
      sql`insert into notes values (1, 'again')`,
      sql`select * from nowhere`,
    ]);
    await expect(batch).rejects.toMatchObject({ code: "23505", constraint: "notes_key" });
    expect(await countNotes()).toBe(0);
    expect(await sql`select 1 as still`).toEqual([{ still: 1 }]);
  });

  test("returns a violation that only the commit finds", async () => {
    const sql = application();
    await expect(
      sql.transaction([sql`insert into replies values (7)`, sql`select 1`]),
    ).rejects.toMatchObject({ code: "23503" });
    expect(await database.query("owner", "select * from replies")).toEqual([]);
  });

  test("runs at the isolation level of its headers and echoes them", async () => {
    const sql = application();
    const [rows] = await sql.transaction(
      [
        sql`select current_setting('transaction_isolation') as level,
                  current_setting('transaction_read_only') as read_only`,
      ],
      { isolationLevel: "Serializable", readOnly: true, deferrable: true },
    );
    expect(rows).toEqual([{ level: "serializable", read_only: "on" }]);
    const answer = await post(
      { queries: [{ query: "select 1" }] },
      { "Neon-Batch-Isolation-Level": "RepeatableRead", "Neon-Batch-Read-Only": "true" },
    );
    expect(answer.headers.get("neon-batch-isolation-level")).toBe("RepeatableRead");
    expect(answer.headers.get("neon-batch-read-only")).toBe("true");
    expect(answer.headers.get("neon-batch-deferrable")).toBeNull();
    const invalid = await post(
      { queries: [{ query: "select 1" }] },
      { "Neon-Batch-Isolation-Level": "serializable" },
    );
    expect(invalid.status).toBe(400);
    expect(await invalid.json()).toMatchObject({ message: "invalid isolation level" });
  });
});

describe("the HTTP endpoint", () => {
  test("accepts JSON parameters of every kind, and text/plain", async () => {
    const answer = await post({
      query: "select $1::int as i, $2::bool as b, $3::jsonb as j, $4::text[] as t, $5::int[] as n",
      params: [
        7,
        false,
        { a: 1 },
        ["x", null, 'q"'],
        [
          [1, 2],
          [3, 4],
        ],
      ],
    });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("neon-request-id")).toMatch(/^[0-9a-f-]{36}$/);
    expect(answer.headers.get("access-control-allow-origin")).toBe("*");
    expect(await answer.json()).toMatchObject({
      rowAsArray: false,
      rows: [{ i: 7, b: false, j: { a: 1 }, t: '{x,NULL,"q\\""}', n: "{{1,2},{3,4}}" }],
    });
  });

  test("returns raw text in arrays if the headers request it", async () => {
    const answer = await post(
      { query: "select true, 42, null" },
      { "Neon-Raw-Text-Output": "true", "Neon-Array-Mode": "true" },
    );
    expect(await answer.json()).toMatchObject({ rowAsArray: true, rows: [["t", "42", null]] });
  });

  test("rejects a request that is not a query", async () => {
    const elsewhere = await fetch(`${database.proxyUrl}/elsewhere`, { method: "POST" });
    expect(elsewhere.status).toBe(400);
    expect(await elsewhere.json()).toMatchObject({ message: "query is not supported" });
    expect((await post("{bad")).status).toBe(400);
    expect((await post({ nothing: true })).status).toBe(400);
    for (const dsn of ["", "not a dsn", "postgres://host/db", "https://u:p@host/db"]) {
      expect((await post({ query: "select 1" }, { "Neon-Connection-String": dsn })).status).toBe(
        400,
      );
    }
  });

  test("answers a preflight", async () => {
    const answer = await fetch(database.fetchEndpoint, { method: "OPTIONS" });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("allow")).toBe("OPTIONS, POST");
    expect(answer.headers.get("access-control-max-age")).toBe("86400");
  });

  test("does not share a session's state with the next request", async () => {
    const sql = application();
    await sql`begin`;
    await sql`insert into notes values (1, 'kept')`;
    expect(await countNotes()).toBe(1);
  });

  test("survives a killed backend", async () => {
    const sql = application();
    await expect(sql`select pg_terminate_backend(pg_backend_pid())`).rejects.toMatchObject({
      name: "NeonDbError",
    });
    await database.query(
      "superuser",
      // Other test files have sessions of this role in databases of their own.
      `select pg_terminate_backend(pid) from pg_stat_activity
       where usename = 'stepledger_app' and datname = current_database()`,
    );
    const answers = await Promise.all(Array.from({ length: 8 }, () => sql`select 1 as one`));
    expect(answers).toEqual(Array.from({ length: 8 }, () => [{ one: 1 }]));
  });

  test("rejects control requests from web pages", async () => {
    const answer = await fetch(`${database.proxyUrl}/control/faults`, {
      headers: { origin: "https://elsewhere.example" },
    });
    expect(answer.status).toBe(403);
  });
});

describe("round trips", () => {
  test("are counted per database and per application", async () => {
    const named = new URL(database.databaseUrl);
    named.searchParams.set("application_name", "bench");
    await neon(named.href)`select 1`;
    await neon(named.href)`select 1`;
    const sql = application();
    await sql.transaction([sql`select set_config('app.tenant_id', '', true)`, sql`select 2`]);
    const answer = await fetch(
      `${database.proxyUrl}/control/round-trips?database=${database.name}`,
    );
    expect(await answer.json()).toMatchObject({
      total: 3,
      ofTenants: 1,
      byDatabase: { [database.name]: 3 },
      byApplication: { bench: 2 },
    });
  });
});

describe("faults", () => {
  test("a cut after the commit loses the answer and keeps the row", async () => {
    await database.faults({ kind: "cut-after-commit" });
    const failed = await failureOf(application()`insert into notes values (1, 'one')`);
    expect(failed).toMatchObject({ name: "NeonDbError", code: undefined });
    expect(await countNotes()).toBe(1);
    expect(await database.waitingFaults()).toBe(0);
  });

  test("a cut before the commit loses both", async () => {
    await database.faults({ kind: "cut-before-commit", times: 2 });
    const sql = application();
    await expect(sql`insert into notes values (1, 'one')`).rejects.toMatchObject({
      name: "NeonDbError",
    });
    await expect(sql.transaction([sql`insert into notes values (1, 'one')`])).rejects.toMatchObject(
      { name: "NeonDbError" },
    );
    expect(await countNotes()).toBe(0);
    await sql`insert into notes values (1, 'one')`;
    expect(await countNotes()).toBe(1);
  });

  test("unavailable returns 503, and sqlstate returns the chosen SQLSTATE", async () => {
    await database.faults({ kind: "unavailable" });
    await expect(application()`select 1`).rejects.toThrow("Server error (HTTP status 503)");
    await database.faults({ kind: "sqlstate" });
    await expect(application()`select 1`).rejects.toMatchObject({ code: "40001" });
    await database.faults({ kind: "sqlstate", code: "57P01" });
    await expect(application()`select 1`).rejects.toMatchObject({ code: "57P01" });
  });

  test("match a prepared function by a part of its text", async () => {
    await database.faults({ kind: "unavailable", sql: "insert into step_events" });
    const sql = application();
    const name = PREPARED_NAMES.load_task;
    await expect(sql.query(`select prepared.${name}()`)).rejects.toMatchObject({ code: "42883" });
    const call = sql.query(`select prepared.${PREPARED_NAMES.record_moves}()`);
    await expect(call).rejects.toThrow("503");
  });

  test("affect only matching statements after those skipped, and never a test's own connection", async () => {
    await database.faults({ kind: "unavailable", sql: "insert into notes", skip: 1 });
    const sql = application();
    await sql`select 1`;
    await database.query("owner", "insert into notes values (9, 'test')");
    await sql`insert into notes values (1, 'one')`;
    await expect(sql`insert into notes values (2, 'two')`).rejects.toThrow("503");
    expect(await countNotes()).toBe(2);
  });

  test("do not affect another database", async () => {
    const other = await freshDatabase();
    await database.faults({ kind: "unavailable", times: null });
    expect(await neon(other.databaseUrl)`select 1 as one`).toEqual([{ one: 1 }]);
    await expect(application()`select 1`).rejects.toThrow("503");
    await other.drop();
  });

  test("a delay makes every request wait until it is cleared", async () => {
    await database.faults({ kind: "delay", delayMilliseconds: 60, times: null });
    const start = performance.now();
    await application()`select 1`;
    await application()`select 1`;
    expect(performance.now() - start).toBeGreaterThanOrEqual(110);
  });
});

describe("a WebSocket", () => {
  test("supports a session with an interactive transaction", async () => {
    const pool = new Pool({ connectionString: database.databaseUrl });
    const client = await pool.connect();
    try {
      await client.query("begin");
      const { rows } = await client.query("insert into notes values ($1, $2) returning id", [
        1,
        "a",
      ]);
      expect(rows).toEqual([{ id: 1 }]);
      await client.query("rollback");
    } finally {
      client.release();
      await pool.end();
    }
    expect(await countNotes()).toBe(0);
  });

  test("supports the driver's pipelined connect", async () => {
    const pool = new Pool({ connectionString: database.databaseUrl });
    const { rows } = await pool.query("select current_user as who");
    expect(rows).toEqual([{ who: "stepledger_app" }]);
    await pool.end();
  });
});

describe("a test's own connection", () => {
  test("is not counted, and throws errors with their codes", async () => {
    await database.query("application", "select 1");
    const refused = await failureOf(database.query("application", "create table x ()"));
    expect(refused).toMatchObject({ code: "42501" });
    expect(await database.roundTrips()).toBe(0);
  });
});

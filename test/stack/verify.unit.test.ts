import { Client } from "pg";
import { uuidv7 } from "uuidv7";
import { afterAll, beforeAll, expect, test } from "vitest";
import { inventTenant, storeTenant } from "../../scripts/stack/tenants.ts";
import { renderVerification, verifyDatabase } from "../../scripts/verify/verify-database.ts";
import { addNote } from "../../src/actions/moves/add-note.ts";
import type { ConditionalCall } from "../../src/actions/call/call.ts";
import { createEval } from "../../src/actions/evals/create-eval.ts";
import { createTask } from "../../src/actions/tasks/create-task.ts";
import { recordTrials } from "../../src/actions/evals/record-trials.ts";
import { retractTrial } from "../../src/actions/evals/retract-trial.ts";
import { openDatabase } from "../../src/db/connection/client.ts";
import type { Outcome } from "../../src/domain/refusals.ts";
import { freshDatabase, type TestDatabase } from "../support/database.ts";

const TASKS = 3;
/** Each task's eval is created, and one trial is recorded and retracted. */
const EVAL_EVENTS = 3;
/** The tenant and its key for each role were created. */
const ADMIN_EVENTS = 6;
const NOTES = ["plain", 'quotes " and \\ and / \t\n\u0001', "größer als ASCII: 漢字 🙂 \u2028"];

let database: TestDatabase;
let forger: Client;

beforeAll(async () => {
  database = await freshDatabase();
  const tenant = inventTenant("Verified");
  await storeTenant(database.migrationDatabaseUrl, tenant);
  const scope = openDatabase(database).forTenant(tenant.id);
  const call = (): ConditionalCall => ({
    database: scope,
    actor: { id: "somebody", name: "Somebody", kind: "person", role: "admin" },
    requestId: "request",
    operation: { id: uuidv7(), actorId: "somebody", route: "test", key: null, fingerprint: "f" },
    ifMatch: null,
  });
  for (let number = 1; number <= TASKS; number += 1) {
    const fields = { taxonomyCode: null, priority: 0, assignee: null, externalId: null };
    const created = valueOf(
      await createTask(call(), { fields: { ...fields, title: `Task ${number}` }, content: {} }),
    );
    for (const text of NOTES) {
      valueOf(await addNote(call(), { task: { id: created.value.id }, text }));
    }
    const opened = { task: { id: created.value.id }, name: "größer 🙂", k: 1 };
    const { id: evalId } = valueOf(await createEval(call(), opened)).value;
    const maker = { modelRevision: null, agent: null, agentRevision: null, provider: null };
    const trial = { k: 1, model: 'the "solver"', ...maker, passed: true, score: 0.1 };
    const recorded = { evalId, trials: [trial], isList: true, pathOf: () => [] };
    const [first] = valueOf(await recordTrials(call(), recorded)).value;
    valueOf(await retractTrial(call(), { trialId: first?.id ?? "", reason: "Wrong prompt" }));
  }
  forger = new Client({ connectionString: database.superuserUrl });
  await forger.connect();
});

afterAll(() => forger.end());

function valueOf<Value>(outcome: Outcome<Value>): Value {
  if (!outcome.ok) throw new Error(outcome.refusal.detail);
  return outcome.value;
}

/** Forges the history as a superuser with all triggers disabled, verifies it, and restores it. */
async function verifyForged(statement: string, stream = "step_events") {
  await forger.query(`create table kept as select * from ${stream}`);
  await forger.query("set session_replication_role = replica");
  await forger.query(statement);
  try {
    return await verifyDatabase(database.migrationDatabaseUrl);
  } finally {
    await forger.query(`delete from ${stream}`);
    await forger.query(`insert into ${stream} select * from kept`);
    await forger.query("drop table kept");
    await forger.query("set session_replication_role = origin");
  }
}

test("verifies an untouched history with any text in it", async () => {
  const verification = await verifyDatabase(database.migrationDatabaseUrl);
  expect(verification.chains).toEqual({
    chains: 2 * TASKS + 1,
    events: TASKS * (1 + NOTES.length + EVAL_EVENTS) + ADMIN_EVENTS,
    broken: [],
  });
  expect(verification.invariants.filter(({ rows }) => rows > 0)).toEqual([]);
  expect(verification.isWhole).toBe(true);
  expect(renderVerification(verification)).toContain("all hash chains are intact");
});

test.each([
  ["a changed column", "update step_events set actor_name = 'Nobody' where seq = 2", "hash", 2],
  ["a changed hash", "update step_events set hash = sha256('x') where seq = 2", "hash", 2],
  ["a changed link", "update step_events set prev_hash = sha256('x') where seq = 3", "link", 3],
  ["a missing event", "delete from step_events where seq = 2", "gap", 3],
  ["a missing last event", "delete from step_events where seq = 4", "head", 3],
])("reports %s", async (_name, statement, reason, seq) => {
  const verification = await verifyForged(statement);
  expect(verification.isWhole).toBe(false);
  expect(verification.chains.broken).toHaveLength(TASKS);
  expect(verification.chains.broken[0]).toMatchObject({ reason, seq });
  expect(renderVerification(verification)).toContain("Verification failed");
});

test("reports a changed event of an eval", async () => {
  const statement = "update eval_step_events set actor_name = 'Nobody' where seq = 2";
  const { chains, isWhole } = await verifyForged(statement, "eval_step_events");
  expect(isWhole).toBe(false);
  expect(chains.broken).toHaveLength(TASKS);
  expect(chains.broken[0]).toMatchObject({ stream: "eval", reason: "hash", seq: 2 });
});

test.each([
  ["a changed event", "update admin_events set actor_name = 'Nobody' where seq = 2", "hash", 2],
  ["a missing event", "delete from admin_events where seq = 2", "gap", 3],
  ["a missing last event", "delete from admin_events where seq = 6", "head", 5],
])("reports %s of administration", async (_name, statement, reason, seq) => {
  const { chains, isWhole } = await verifyForged(statement, "admin_events");
  expect(isWhole).toBe(false);
  expect(chains.broken).toMatchObject([{ stream: "administration", reason, seq }]);
});

test("reports a key that was given another role past the service", async () => {
  const { invariants, isWhole } = await verifyForged(
    "update api_keys set role = 'admin' where role = 'viewer'",
    "api_keys",
  );
  expect(isWhole).toBe(false);
  const reported = invariants.find(({ name }) => name.startsWith("administered-rows"));
  expect(reported).toMatchObject({ rows: 1, examples: [{ subject_kind: "key" }] });
});

test.each(["step_events", "eval_step_events"])(
  "reports an event of %s with an unreadable payload",
  async (stream) => {
    // The invariants parse the payloads of reviews and trials.
    const statement = `update ${stream} set type = case type when 'note_added' then 'review_recorded' else type end,
      payload = '~' || payload where seq = 2`;
    const verification = await verifyForged(statement, stream);
    expect(verification.isWhole).toBe(false);
    expect(verification.chains.broken).toHaveLength(TASKS);
    expect(verification.chains.broken[0]).toMatchObject({ reason: "hash", seq: 2 });
    expect(renderVerification(verification)).toContain("invalid input syntax for type json");
  },
);

test("does not rely on the database's own hash function", async () => {
  const { rows } = await forger.query<{ definition: string }>(
    "select pg_get_functiondef('step_event_canonical'::regproc) as definition",
  );
  const [{ definition }] = rows as [{ definition: string }];
  await forger.query(definition.replace("'sl1'", "'sl2'"));
  const verification = await verifyDatabase(database.migrationDatabaseUrl);
  await forger.query(definition);
  expect(verification.chains.broken).toEqual([]);
  expect(verification.invariants.find(({ name }) => name === "hash-chain-intact")?.rows).toBe(
    TASKS * (1 + NOTES.length),
  );
});

test("reports labels that differ from the resolver, even if the database agrees with itself", async () => {
  const { rows } = await forger.query<{ definition: string }>(
    "select pg_get_functiondef('label_of'::regproc) as definition",
  );
  const [{ definition }] = rows as [{ definition: string }];
  await forger.query(definition.replaceAll("'DRAFT'", "'CHECKING_QUALITY'"));
  await forger.query("select rebuild_labels()");
  const verification = await verifyDatabase(database.migrationDatabaseUrl);
  await forger.query(definition);
  await forger.query("select rebuild_labels()");
  // The invariants hold, because the labels match the database's own function.
  expect(verification.invariants.filter(({ rows: broken }) => broken > 0)).toEqual([]);
  expect(verification.labels).toEqual({
    tasks: TASKS,
    drifted: [
      {
        tasks: TASKS,
        taskId: expect.any(String) as string,
        facts: {
          kind: "ingestion",
          status: "queued",
          gate: "locked",
          heldGate: null,
          reviewFailed: false,
          runningWorkers: [],
          idle: false,
        },
        unifiedStatus: "CHECKING_QUALITY",
      },
    ],
  });
  expect(verification.isWhole).toBe(false);
  expect(renderVerification(verification)).toMatch(
    /BROKEN +3 +labels match the resolver \(3 tasks\)/,
  );
});

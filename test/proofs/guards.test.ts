import { beforeAll, describe, expect, test } from "vitest";
import { expectDone, freshApi, type TestApi } from "../support/api.ts";
import { contentsOf } from "../support/contents.ts";
import { type DatabaseRole, SqlError } from "../support/database.ts";
import { brokenInvariants } from "../support/model/invariants.ts";
import { silenceLog } from "../support/model/quiet.ts";
import { givenWorld, type World } from "../support/model/world.ts";

/** The SQLSTATE of each kind of refusal: guard trigger, grant, foreign key, unique key, check. */
const GUARDED = "SL001";
const NOT_GRANTED = "42501";
const NO_SUCH_KEY = "23503";
const TAKEN_KEY = "23505";
const UNCHECKED = "23514";
/** TRUNCATE without CASCADE of a table that others reference. */
const REFERRED_TO = "0A000";

interface Attempt {
  /** What the statement tries to do. */
  to: string;
  sql: (world: World) => string;
  application: string;
  /** Absent if the owner of the tables may do it. */
  owner?: string;
}

const both = (code: string) => ({ application: code, owner: code });
const busyTask = (set: string) => (world: World) =>
  `update tasks set ${set} where id = '${world.busy.id}'`;
const currentStep = (set: string) => (world: World) =>
  `update steps set ${set} where id = '${world.busy.currentStep.id}'`;
const activeVersion = (set: string) => (world: World) =>
  `update task_versions set ${set} where id = '${world.busy.activeVersion.id}'`;
const sealedVersion = (set: string) => (world: World) =>
  `update task_versions set ${set} where task_id = '${world.busy.id}' and number = 1`;
const sealedStep = (set: string) => (world: World) =>
  `update steps set ${set} where task_id = '${world.busy.id}' and kind = 'ingestion'`;
/** Inserts a copy of a row with some columns changed. */
const copyOf = (table: string, where: string, changes: string) =>
  `insert into ${table} select (jsonb_populate_record(t, jsonb_build_object(${changes}))).* from ${table} t where ${where}`;
const earlierStep = (world: World) =>
  `(select id from steps where task_id = '${world.busy.id}' and kind = 'output_generation')`;

const POINTERS: Attempt[] = [
  {
    to: "point a task at an earlier step",
    sql: (world) => busyTask(`current_step_id = ${earlierStep(world)}`)(world),
    ...both(GUARDED),
  },
  {
    to: "point a task at an earlier step and count a nonexistent event",
    sql: (world) =>
      busyTask(`current_step_id = ${earlierStep(world)}, event_seq = event_seq + 1`)(world),
    ...both(NO_SUCH_KEY),
  },
  {
    to: "point a task at another task's step",
    sql: (world) =>
      busyTask(`current_step_id = '${world.paid.currentStep.id}', event_seq = event_seq + 1`)(
        world,
      ),
    ...both(NO_SUCH_KEY),
  },
  {
    to: "point a task and its version at an earlier step together",
    sql: (world) =>
      `with version as (${activeVersion(`current_step_id = ${earlierStep(world)}`)(world)})
       ${busyTask(`current_step_id = ${earlierStep(world)}, event_seq = event_seq + 1`)(world)}`,
    ...both(NO_SUCH_KEY),
  },
  {
    to: "point the active version at an earlier step",
    sql: (world) => activeVersion(`current_step_id = ${earlierStep(world)}`)(world),
    ...both(NO_SUCH_KEY),
  },
  {
    to: "reactivate a sealed version",
    sql: (world) =>
      busyTask(
        `active_version_id = (select id from task_versions where task_id = '${world.busy.id}' and number = 1),
         event_seq = event_seq + 1`,
      )(world),
    ...both(NO_SUCH_KEY),
  },
  {
    to: "raise a task's event_seq",
    sql: busyTask("event_seq = event_seq + 1"),
    ...both(NO_SUCH_KEY),
  },
  { to: "lower a task's event_seq", sql: busyTask("event_seq = event_seq - 1"), ...both(GUARDED) },
  {
    to: "change a task's event head",
    sql: busyTask("event_head = sha256('forged')"),
    ...both(GUARDED),
  },
  { to: "rename a task", sql: busyTask("title = 'Another'"), ...both(GUARDED) },
  { to: "archive a task", sql: busyTask("archived_at = now()"), ...both(GUARDED) },
  {
    to: "change when a status began",
    sql: busyTask("status_since = now()"),
    ...both(GUARDED),
  },
  {
    to: "give a task another creator",
    sql: busyTask("created_by = 'somebody', event_seq = event_seq + 1"),
    ...both(GUARDED),
  },
  {
    to: "create a task without its event",
    sql: ({ busy }) =>
      copyOf("tasks", `id = '${busy.id}'`, "'id', new_id(), 'external_id', 'forged'"),
    ...both(NO_SUCH_KEY),
  },
];

const STEPS: Attempt[] = [
  { to: "approve a step", sql: currentStep("status = 'approved'"), ...both(GUARDED) },
  { to: "open a gate", sql: currentStep("gate = 'waived'"), ...both(GUARDED) },
  {
    to: "approve a step and count a nonexistent event",
    sql: currentStep("status = 'approved', event_seq = event_seq + 1"),
    ...both(NO_SUCH_KEY),
  },
  {
    to: "open a gate with another step's event",
    sql: (world) =>
      `update steps set gate = 'waived', event_seq = ${world.busy.eventSeq} where id = ${earlierStep(world)}`,
    ...both(NO_SUCH_KEY),
  },
  { to: "change a step's kind", sql: currentStep("kind = 'delivery'"), ...both(GUARDED) },
  {
    to: "renumber a step",
    sql: currentStep("attempt = 9, event_seq = event_seq + 1"),
    ...both(GUARDED),
  },
  {
    to: "open a step without its event",
    sql: ({ busy }) =>
      copyOf("steps", `id = '${busy.currentStep.id}'`, "'id', new_id(), 'attempt', 9"),
    ...both(NO_SUCH_KEY),
  },
  {
    to: "move a step of a sealed version",
    sql: sealedStep("event_seq = event_seq + 1"),
    ...both(GUARDED),
  },
  {
    to: "open a gate of a sealed version",
    sql: sealedStep("gate = 'revoked', event_seq = event_seq + 1"),
    ...both(GUARDED),
  },
];

const VERSIONS: Attempt[] = [
  {
    to: "change the content of the active version",
    sql: activeVersion(`content = '{"brief": "Another"}'`),
    application: NOT_GRANTED,
    owner: GUARDED,
  },
  {
    to: "change the content of a sealed version",
    sql: sealedVersion("content = '{}'"),
    application: NOT_GRANTED,
    owner: GUARDED,
  },
  {
    to: "change a version's content hash",
    sql: activeVersion("content_hash = 'forged'"),
    application: NOT_GRANTED,
    owner: GUARDED,
  },
  {
    to: "renumber a version",
    sql: activeVersion("number = 9"),
    application: NOT_GRANTED,
    owner: GUARDED,
  },
  {
    to: "move the pointer of a sealed version",
    sql: (world) => sealedVersion(`current_step_id = '${world.busy.currentStep.id}'`)(world),
    ...both(GUARDED),
  },
  { to: "unseal a version", sql: sealedVersion("sealed_at = null"), ...both(GUARDED) },
  {
    to: "create a version without its own step",
    sql: ({ busy }) =>
      copyOf("task_versions", `id = '${busy.activeVersion.id}'`, "'id', new_id(), 'number', 9"),
    ...both(NO_SUCH_KEY),
  },
];

const STREAMS = [
  "step_events",
  "eval_step_events",
  "dispatch_events",
  "run_late_reports",
  "admin_events",
];

/** Every way to change or delete a row of an event table. */
const HISTORY: Attempt[] = STREAMS.flatMap((stream) => {
  const key = {
    step_events: "tenant_id, task_id, seq",
    eval_step_events: "tenant_id, eval_id, seq",
  }[stream];
  const isUnchained = stream === "dispatch_events" || stream === "run_late_reports";
  const set = isUnchained ? "actor_name = 'Forger'" : "reason = 'Forged'";
  const attempt = (to: string, sql: string, owner: string): Attempt => ({
    to: `${to} ${stream}`,
    sql: () => sql,
    application: NOT_GRANTED,
    owner,
  });
  const isReferredTo = !isUnchained;
  return [
    attempt("UPDATE", `update ${stream} set ${set}`, GUARDED),
    attempt("UPDATE without a change", `update ${stream} set actor_name = actor_name`, GUARDED),
    attempt("DELETE", `delete from ${stream}`, GUARDED),
    attempt("TRUNCATE", `truncate ${stream}`, isReferredTo ? REFERRED_TO : GUARDED),
    attempt("TRUNCATE CASCADE", `truncate ${stream} cascade`, GUARDED),
    attempt(
      "MERGE and update",
      `merge into ${stream} e using (select 1) one on true when matched then update set ${set}`,
      GUARDED,
    ),
    attempt(
      "MERGE and delete",
      `merge into ${stream} e using (select 1) one on true when matched then delete`,
      GUARDED,
    ),
    // Administrative events get their number from the database, so none meets an earlier one.
    ...(stream === "admin_events"
      ? []
      : [
          attempt(
            "upsert",
            `insert into ${stream} select * from ${stream} on conflict (${key ?? "tenant_id, id"}) do update set ${set}`,
            GUARDED,
          ),
        ]),
  ];
});

/** Evals and trials change only with events of their own. Of an insight only its outcome changes. */
const EVALUATIONS: Attempt[] = [
  { to: "cancel an eval", sql: () => "update evals set status = 'cancelled'", ...both(GUARDED) },
  {
    to: "cancel an eval and count a nonexistent event",
    sql: () => "update evals set status = 'cancelled', event_seq = event_seq + 1",
    ...both(NO_SUCH_KEY),
  },
  { to: "rename an eval", sql: () => "update evals set name = 'forged'", ...both(GUARDED) },
  {
    to: "lower k with a new event",
    sql: () => "update evals set k = k - 1, event_seq = event_seq + 1",
    ...both(GUARDED),
  },
  {
    to: "tell the trials of an eval apart by more",
    sql: () => "update evals set slot_by = '{model,provider}', event_seq = event_seq + 1",
    ...both(GUARDED),
  },
  {
    to: "put a trial on another slot",
    sql: () => "update trials set slot = '[]', event_seq = event_seq + 1",
    ...both(GUARDED),
  },
  {
    to: "change a trial to passed",
    sql: () => "update trials set status = 'passed' where status = 'errored'",
    ...both(GUARDED),
  },
  {
    to: "change a trial to passed with a nonexistent event",
    sql: () => "update trials set status = 'passed', event_seq = 99 where status = 'errored'",
    ...both(NO_SUCH_KEY),
  },
  {
    to: "assign a trial to another model, with its event",
    sql: () =>
      "update trials set model = 'forged', event_seq = event_seq + 1 where status = 'passed'",
    ...both(GUARDED),
  },
  {
    to: "restore a retracted trial",
    sql: () =>
      `update trials set retracted_at = null, retracted_by = null, retract_reason = null, event_seq = event_seq + 1
       where retracted_at is not null`,
    ...both(GUARDED),
  },
  {
    to: "record a trial without its event",
    sql: () =>
      copyOf("trials", "status = 'passed'", "'id', new_id(), 'model', 'forged', 'event_seq', 99"),
    ...both(NO_SUCH_KEY),
  },
  {
    to: "record a second trial in a slot",
    sql: () => copyOf("trials", "status = 'passed'", "'id', new_id()"),
    ...both(TAKEN_KEY),
  },
  {
    to: "assign an insight to another model",
    sql: () => "update insights set model = 'forged'",
    ...both(GUARDED),
  },
];

/**
 * A data row changes once, when its content is stored. A row whose content never arrived may be deleted by the sweep.
 */
const ARTIFACTS: Attempt[] = [
  {
    to: "assign data to another model",
    sql: () => "update data set model = 'forged'",
    application: NOT_GRANTED,
    owner: GUARDED,
  },
  {
    to: "point data at other content",
    sql: () => "update data set sha256 = sha256('forged')",
    application: NOT_GRANTED,
    owner: GUARDED,
  },
  {
    to: "mark stored data as not stored",
    sql: () =>
      "do $$ begin update data set stored_at = now(); update data set stored_at = null; end $$",
    ...both(GUARDED),
  },
  {
    to: "declare the same artifact of a maker and step twice",
    sql: () => copyOf("data", "true", "'id', new_id()"),
    ...both(TAKEN_KEY),
  },
  {
    to: "DELETE data that are stored elsewhere",
    sql: () => "delete from data where uri is not null",
    application: NOT_GRANTED,
    owner: GUARDED,
  },
  {
    to: "TRUNCATE CASCADE data",
    sql: () => "truncate data cascade",
    application: NOT_GRANTED,
    owner: GUARDED,
  },
];

/** Of a review only the withdrawal is recorded, once. */
const REVIEWS: Attempt[] = [
  {
    to: "change a verdict",
    sql: () =>
      "update reviews set outcome = case outcome when 'passed' then 'failed' else 'passed' end",
    application: NOT_GRANTED,
    owner: GUARDED,
  },
  {
    to: "take back the withdrawal of a review",
    sql: () =>
      "do $$ begin update reviews set withdrawn_seq = 1; update reviews set withdrawn_seq = null; end $$",
    ...both(GUARDED),
  },
];

const FORGED_EVENTS: Attempt[] = [
  {
    to: "write an event a second time",
    sql: ({ busy }) =>
      copyOf("step_events", `task_id = '${busy.id}' and seq = 3`, "'reason', 'Forged'"),
    ...both(TAKEN_KEY),
  },
  {
    to: "write an event for another task's step",
    sql: ({ busy, paid }) =>
      copyOf(
        "step_events",
        `task_id = '${busy.id}' and seq = 3`,
        `'seq', 99, 'step_id', '${paid.currentStep.id}'::text`,
      ),
    ...both(NO_SUCH_KEY),
  },
  {
    to: "write an event of an unknown type",
    sql: ({ busy }) =>
      copyOf("step_events", `task_id = '${busy.id}' and seq = 3`, "'seq', 99, 'type', 'forged'"),
    ...both(UNCHECKED),
  },
];

const KEPT = [
  "tasks",
  "task_versions",
  "steps",
  "reviews",
  "evals",
  "trials",
  "insights",
  "prompts",
];
const REMOVALS: Attempt[] = KEPT.flatMap((table) => [
  {
    to: `DELETE ${table}`,
    sql: () => `delete from ${table}`,
    application: NOT_GRANTED,
    owner: GUARDED,
  },
  {
    to: `TRUNCATE CASCADE ${table}`,
    sql: () => `truncate ${table} cascade`,
    application: NOT_GRANTED,
    owner: GUARDED,
  },
]);

/** A key ends once, and everything else about it is fixed. A head moves only with an event. */
const ADMINISTRATION: Attempt[] = [
  {
    to: "take back a revocation",
    sql: () =>
      "update api_keys set revoked_at = null, revoked_by = null where revoked_at is not null",
    ...both(GUARDED),
  },
  {
    to: "move a revocation",
    sql: () =>
      "update api_keys set revoked_at = now() + interval '1 day' where revoked_at is not null",
    ...both(GUARDED),
  },
  {
    to: "extend a key",
    sql: () =>
      "update api_keys set expires_at = expires_at + interval '1 day' where expires_at is not null",
    ...both(GUARDED),
  },
  {
    to: "take away a key's end",
    sql: () => "update api_keys set expires_at = null where expires_at is not null",
    ...both(GUARDED),
  },
  ...[
    "role = 'admin'",
    "digest = sha256('forged')",
    "kind = 'person'",
    "person_id = new_id()",
    "name = 'Forged'",
    "created_by = 'nobody'",
  ].map((set) => ({
    to: `set ${set} of a key`,
    sql: () => `update api_keys set ${set} where role = 'viewer'`,
    application: NOT_GRANTED,
    owner: GUARDED,
  })),
  {
    to: "delete a key",
    sql: () => "delete from api_keys",
    application: NOT_GRANTED,
    owner: GUARDED,
  },
  {
    to: "TRUNCATE CASCADE api_keys",
    sql: () => "truncate api_keys cascade",
    application: NOT_GRANTED,
    owner: GUARDED,
  },
  {
    to: "delete a person",
    sql: () => "delete from people",
    application: NOT_GRANTED,
    owner: GUARDED,
  },
  {
    to: "TRUNCATE CASCADE people",
    sql: () => "truncate people cascade",
    application: NOT_GRANTED,
    owner: GUARDED,
  },
  {
    to: "rewind a head of administration",
    sql: () => "update admin_heads set seq = seq - 1",
    application: NOT_GRANTED,
    owner: GUARDED,
  },
  {
    to: "move a head of administration without an event",
    sql: () => "update admin_heads set seq = seq + 1, hash = sha256('forged')",
    application: NOT_GRANTED,
    owner: NO_SUCH_KEY,
  },
  {
    to: "delete a head of administration",
    sql: () => "delete from admin_heads",
    application: NOT_GRANTED,
    owner: GUARDED,
  },
  {
    to: "choose the number of an administrative event",
    sql: () =>
      `insert into admin_events (tenant_id, seq, type, subject_kind, subject_id, actor_id, actor_name, actor_kind,
         actor_role, payload, operation_id, request_id)
       select tenant_id, 1, type, subject_kind, subject_id, actor_id, actor_name, actor_kind, actor_role, payload,
         operation_id, request_id from admin_events limit 1`,
    application: NOT_GRANTED,
  },
];

/** What only the owner may do, in a migration. */
const BEYOND_THE_APPLICATION: Attempt[] = [
  { to: "write a label", sql: () => "update task_labels set unified_status = 'DELIVERED'" },
  { to: "clear attention codes", sql: () => "update task_labels set attention = '{}'" },
  { to: "remove a label", sql: () => "delete from task_labels" },
  {
    to: "add a label",
    sql: ({ busy }: World) =>
      copyOf("task_labels", `task_id = '${busy.id}'`, `'task_id', new_id()`),
  },
  { to: "rebuild all labels", sql: () => "select rebuild_labels()" },
  {
    to: "hand a claim to another step",
    sql: () => "update review_slots set step_id = new_id()",
  },
  { to: "disable guards", sql: () => "alter table tasks disable trigger all" },
  { to: "drop a guard", sql: () => "drop trigger steps_move_with_event on steps" },
  {
    to: "replace a guard",
    sql: () =>
      "create or replace function refuse_change() returns trigger language sql return null",
  },
  { to: "disable row security", sql: () => "alter table tasks no force row level security" },
  { to: "drop a policy", sql: () => "drop policy tasks_of_tenant on tasks" },
  { to: "create a table", sql: () => "create table forged ()" },
  { to: "create a temporary table", sql: () => "create temporary table tasks ()" },
  {
    to: "create a temporary function",
    sql: () => "create function pg_temp.forged() returns integer language sql return 1",
  },
  {
    to: "create a function",
    sql: () => "create function forged() returns integer language sql return 1",
  },
  { to: "create a schema", sql: () => "create schema forged" },
  { to: "take the owner's role", sql: () => "set role stepledger_owner" },
  { to: "read the tenants", sql: () => "select * from tenants" },
].map((attempt) => ({ ...attempt, application: NOT_GRANTED }));

/**
 * Each trigger that refuses a removal, with a statement that it refuses. TRUNCATE CASCADE also fires the triggers of
 * tables that refer to the one it names, but later.
 */
const OWN_TRIGGERS: [trigger: string, sql: string][] = [
  ...STREAMS.map((table): [string, string] => [`${table}_append_only`, `delete from ${table}`]),
  ...[...KEPT, "api_keys", "people", "admin_heads"].map((table): [string, string] => [
    `${table}_kept`,
    `delete from ${table}`,
  ]),
  ["data_artifacts_kept", "delete from data where uri is not null"],
  ...[...STREAMS, ...KEPT, "data", "api_keys", "people", "admin_heads"].map(
    (table): [string, string] => [`${table}_no_truncate`, `truncate ${table} cascade`],
  ),
];

const SWITCHES: Attempt[] = [
  {
    to: "disable every trigger for a session",
    sql: () => "set session_replication_role = replica",
    ...both(NOT_GRANTED),
  },
];

const ATTEMPTS = [
  ...POINTERS,
  ...STEPS,
  ...VERSIONS,
  ...HISTORY,
  ...EVALUATIONS,
  ...ARTIFACTS,
  ...REVIEWS,
  ...FORGED_EVENTS,
  ...REMOVALS,
  ...ADMINISTRATION,
  ...BEYOND_THE_APPLICATION,
  ...SWITCHES,
].flatMap(({ to, sql, application, owner }) => [
  { to, sql, role: "application" as const, code: application },
  ...(owner === undefined ? [] : [{ to, sql, role: "owner" as const, code: owner }]),
]);

silenceLog();

let api: TestApi;
let world: World;
let contents: Record<string, string | null>;

beforeAll(async () => {
  api = await freshApi();
  world = await givenWorld(api, api.tenant);
  await givenEndedKeys();
  contents = await contentsOf(api.database);
});

/** Creates a revoked key, and one that expires. */
async function givenEndedKeys(): Promise<void> {
  const body = { name: "Ended", role: "viewer" };
  const { id } = expectDone(await api.call<{ id: string }>("POST", "/api-keys", { body }), 201);
  expectDone(await api.call("DELETE", `/api-keys/${id}`));
  const expires = { ...body, expiresAt: "2999-01-01T00:00:00Z" };
  expectDone(await api.call("POST", "/api-keys", { body: expires }), 201);
}

/** Runs a statement like a psql session in the scope of the world's tenant. */
function inPsql(role: DatabaseRole, text: string) {
  return api.database.transaction(role, [
    { text: "select set_config('app.tenant_id', $1, true)", values: [world.tenant.id] },
    { text },
  ]);
}

/** Returns the SQLSTATE of the refusal, or null if there is none. */
async function codeOf(run: Promise<unknown>): Promise<string | null> {
  try {
    await run;
    return null;
  } catch (error) {
    if (error instanceof SqlError) return error.code;
    throw error;
  }
}

describe("from psql", () => {
  test.for(ATTEMPTS)("the $role cannot $to ($code)", async ({ sql, role, code }) => {
    expect(await codeOf(inPsql(role, sql(world)))).toBe(code);
    expect(await contentsOf(api.database)).toEqual(contents);
  });

  test("every removal is refused by the trigger of the table that it names", async () => {
    for (const [trigger, sql] of OWN_TRIGGERS) {
      const refused = await inPsql("owner", sql).catch((error: unknown) => error);
      expect(refused instanceof SqlError ? refused.constraint : null, sql).toBe(trigger);
    }
  });

  test("a forged event that satisfies every key is still found", async () => {
    const { tenant, refused } = world;
    const { id, currentStep: step, eventSeq } = refused;
    await api.database.transaction("application", [
      { text: "select set_config('app.tenant_id', $1, true)", values: [tenant.id] },
      {
        text: copyOf(
          "step_events",
          `task_id = '${id}' and seq = ${eventSeq}`,
          `'seq', ${eventSeq + 1}, 'type', 'step_transitioned', 'from_status', to_status, 'from_gate', to_gate,
           'to_status', 'running', 'to_gate', 'pending', 'prev_hash', hash`,
        ),
      },
      {
        text: `update steps set status = 'running', gate = 'pending', event_seq = event_seq + 1 where id = '${step.id}'`,
      },
      { text: `update tasks set event_seq = event_seq + 1 where id = '${id}'` },
    ]);
    const verdict = await api.call("GET", `/tasks/${id}/events/verify`);
    expect(verdict.body).toMatchObject({
      valid: false,
      firstBroken: { seq: eventSeq + 1, reason: "changed" },
    });
    const broken = await brokenInvariants(api.database);
    expect(broken.map(({ name }) => name)).toContain("hash-chain-intact");
  });
});

import { beforeAll, describe, expect, test } from "vitest";
import { bytesOf, givenDeclared, sendContent } from "../routes/data/support.ts";
import { expectDone, freshApi, type TestApi } from "../support/api.ts";
import { contentsOf } from "../support/contents.ts";
import { silenceLog } from "../support/model/quiet.ts";
import { givenWorld, type World } from "../support/model/world.ts";

/** What someone with the application's role can do with a function that runs with the owner's rights. */
interface Abuse {
  /** What the caller tries. */
  to: string;
  sql: (world: World) => string;
  /** The tables that the call may change, because that is the function's purpose. None by default. */
  mayChange?: readonly string[];
  /** What it returns at most. */
  returns?: unknown;
}

/** Every function with the owner's rights that the application may execute, and its worst calls. */
const ABUSES: Readonly<Record<string, readonly Abuse[]>> = {
  sweep_declared_data: [
    {
      to: "delete what was declared just now",
      sql: () => "select rows::text from sweep_declared_data('0 seconds', 1000000)",
      returns: [{ rows: "0" }],
    },
    {
      to: "delete what will be declared",
      sql: () => "select rows::text from sweep_declared_data('-10 years', null)",
      returns: [{ rows: "0" }],
    },
    {
      to: "delete without naming an age",
      sql: () => "select rows::text from sweep_declared_data(null, null)",
      returns: [{ rows: "0" }],
    },
  ],
  mark_orphans: [
    {
      to: "mark objects that rows name",
      sql: () => "select mark_orphans(array(select object_key from data))::text as marked",
      returns: [{ marked: "0" }],
    },
    {
      to: "mark what is no object",
      sql: () =>
        "select mark_orphans(array['', '/', 'x/y', '../' || repeat('0', 64)])::text as marked",
      returns: [{ marked: "0" }],
    },
    {
      to: "mark any number of objects",
      sql: ({ tenant }) => `select mark_orphans(
        array(select '${tenant.id}/' || lpad(to_hex(n + 1000000), 64, '0') from generate_series(1, 6000) n))::text as marked`,
      returns: [{ marked: "5000" }],
      mayChange: ["orphaned_objects"],
    },
  ],
  claim_orphans: [
    {
      to: "claim anything",
      sql: () => "select claim_orphans(array(select object_key from data)) as key",
      returns: [],
    },
  ],
  claim_due_orphans: [
    {
      to: "claim objects before their 30 days are over",
      sql: () => "select claim_due_orphans(null) as key",
      returns: [],
    },
  ],
  held_orphans: [
    {
      to: "learn of tenants that lose nothing",
      sql: () => "select * from held_orphans()",
      returns: [],
    },
  ],
  admit_administrator: [
    {
      to: "change anything without a key",
      sql: () => "select admit_administrator(null)::text as admitted",
    },
    {
      to: "change anything with a key of the tenant",
      sql: ({ tenant }) => `select admit_administrator(id)::text as admitted from api_keys
        where tenant_id = '${tenant.id}' and role = 'admin' and revoked_at is null limit 1`,
    },
  ],
  begin_sweep: [
    {
      to: "continue after a sweep of another database",
      sql: () => "select begun_id from begin_sweep(7, '0199d2f5-0000-7000-8000-000000000007')",
      returns: [{ begun_id: null }],
      mayChange: ["sweeps"],
    },
  ],
  finish_sweep: [
    {
      to: "finish what nobody claimed",
      sql: () => "select finish_sweep(array(select object_key from data))::text as done",
    },
  ],
  expire_operations: [
    {
      to: "forget operations that have not expired",
      sql: () => "select expire_operations(null)::text as expired",
      returns: [{ expired: "0" }],
    },
  ],
  mark_dispatches_sent: [
    {
      to: "change dispatches that are delivered, recalled or dead",
      sql: () => `select mark_dispatches_sent((select json_agg(json_build_object('tenant_id', tenant_id, 'id', id))
        from pipeline_dispatches where state in ('delivered', 'recalled', 'dead')))::text as done`,
    },
    {
      to: "change dispatches under another tenant's name",
      sql: () => `select mark_dispatches_sent((select json_agg(json_build_object('tenant_id', new_id(), 'id', id))
        from pipeline_dispatches))::text as done`,
    },
  ],
  keep_dead_letter: [
    {
      to: "store texts of any length",
      sql: () =>
        "select keep_dead_letter('q', 'm', repeat('r', 2000000), repeat('b', 2000000))::text as done",
      mayChange: ["dead_letters"],
    },
    {
      to: "replace a letter",
      sql: () => "select keep_dead_letter('q', 'm', 'forged', 'forged')::text as done",
    },
  ],
  keep_sweep_position: [
    {
      to: "store positions of other sweeps",
      sql: () =>
        "select keep_sweep_position('forged' || n, 'x')::text from generate_series(1, 9) n",
    },
    {
      to: "store a position of any length",
      sql: () => "select keep_sweep_position('objects', repeat('x', 2000000))::text as done",
      mayChange: ["sweep_positions"],
    },
  ],
  sweep_position: [
    {
      to: "read a position that was never stored",
      sql: () => "select sweep_position('forged') as position",
      returns: [{ position: null }],
    },
  ],
  claim_dispatches: [
    {
      to: "claim any number of dispatches",
      sql: () => "select count(*)::text as claimed from claim_dispatches(null)",
      returns: [{ claimed: "1000" }],
      mayChange: ["pipeline_dispatches", "dispatch_events"],
    },
  ],
  claim_halted_operations: [
    {
      to: "claim any number of operations",
      sql: () => "select count(*)::text as claimed from claim_halted_operations(null)",
      returns: [{ claimed: "1000" }],
      mayChange: ["bulk_operations"],
    },
  ],
  claim_due_seed_runs: [
    {
      to: "claim any number of seed runs",
      sql: () => "select count(*)::text as claimed from claim_due_seed_runs(null)",
      returns: [{ claimed: "1000" }],
      mayChange: ["seed_runs"],
    },
  ],
  late_runs: [
    {
      to: "read any number of runs",
      sql: () => "select count(*)::text as late from late_runs(null)",
      returns: [{ late: "1000" }],
    },
  ],
  blocked_steps: [
    {
      to: "read any number of tasks",
      sql: () => "select count(*)::text as blocked from blocked_steps(null)",
      returns: [{ blocked: "1000" }],
    },
  ],
  idle_steps: [
    {
      to: "learn of tasks that somebody works on",
      sql: () => "select * from idle_steps(null)",
      returns: [],
    },
  ],
  tenants_with_untold_webhooks: [
    {
      to: "read any number of tenants",
      sql: () => "select count(*)::text as tenants from tenants_with_untold_webhooks(null)",
      returns: [{ tenants: "1000" }],
    },
  ],
  feed_generation: [
    {
      to: "learn more about the database than a digest",
      sql: () => "select feed_generation() ~ '^[0-9a-f]{32}$' as digest",
      returns: [{ digest: "t" }],
    },
  ],
  tenant_name: [
    {
      to: "read a name without a tenant",
      sql: () => "select tenant_name() as name from set_config('app.tenant_id', '', true)",
      returns: [{ name: null }],
    },
  ],
  tenant_kind: [
    {
      to: "read a kind without a tenant",
      sql: () => "select tenant_kind() as kind from set_config('app.tenant_id', '', true)",
      returns: [{ kind: null }],
    },
  ],
  move_simulated_clock: [
    {
      to: "set back the clock of its demo, or the clock of another tenant",
      sql: () =>
        "select (move_simulated_clock('2001-01-01Z', 0) > now() - interval '1 hour')::text as is_kept",
      returns: [{ is_kept: "true" }],
      mayChange: ["simulated_clocks"],
    },
  ],
  search_tasks: [
    {
      to: "search without a tenant",
      sql: () => "select search_tasks('') as id from set_config('app.tenant_id', '', true)",
      returns: [],
    },
  ],
};

silenceLog();

let api: TestApi;
let world: World;

beforeAll(async () => {
  api = await freshApi();
  world = await givenWorld(api, api.tenant);
  await givenDeclared(api, bytesOf("declared, but not sent"));
  const many = (table: string, where: string, changes: string) =>
    `insert into ${table}
     select (jsonb_populate_record(null::${table}, to_jsonb(t) || jsonb_build_object('id', new_id(), ${changes}))).*
     from (select * from ${table} where ${where} limit 1) t, generate_series(1, 1100) n`;
  await api.database.transaction("superuser", [
    { text: "set local session_replication_role = replica" },
    {
      text: many(
        "pipeline_dispatches",
        "true",
        `'state', 'pending', 'next_attempt_at', now(), 'lease_until', null, 'pipeline', 'quality_automation', 'step_id', new_id()`,
      ),
    },
    {
      text: many(
        "bulk_operations",
        "true",
        "'state', 'running', 'progress_at', now() - interval '1 hour'",
      ),
    },
    {
      text: many(
        "worker_runs",
        "true",
        `'state', 'QUEUED', 'deadline_at', now() - interval '1 hour', 'dispatch_id', null, 'offered', false,
         'lease_owner', null, 'lease_until', null, 'lease_seconds', null`,
      ),
    },
    {
      text: many(
        "seed_runs",
        "true",
        `'tenant_id', new_id(), 'state', 'active', 'speed', 1, 'lease_until', null, 'tick_due_at', now() - interval '1 hour'`,
      ),
    },
    {
      text: `with blocked as (select new_id() as id, new_id() as step_id, new_id() as version_id from generate_series(1, 1100)),
        blocked_tasks as (insert into tasks
          select (jsonb_populate_record(null::tasks, to_jsonb(t) || jsonb_build_object('id', b.id,
            'current_step_id', b.step_id, 'active_version_id', b.version_id, 'external_id', null, 'external_id_key', null))).*
          from blocked b, (select * from tasks limit 1) t),
        blocked_steps as (insert into steps
          select (jsonb_populate_record(null::steps, to_jsonb(s) || jsonb_build_object('id', b.step_id,
            'task_id', b.id, 'version_id', b.version_id, 'status', 'running', 'gate', 'blocked',
            'held_seq', null, 'held_gate', null))).*
          from blocked b, (select * from steps limit 1) s)
        insert into task_labels
        select (jsonb_populate_record(null::task_labels, to_jsonb(l) || jsonb_build_object('task_id', b.id,
          'attention', array['blocked']))).*
        from blocked b, (select * from task_labels limit 1) l`,
    },
    {
      text: `with due as (${many("webhooks", "true", "'tenant_id', new_id(), 'enabled', true")} returning tenant_id, id)
        insert into webhook_deliveries
        select (jsonb_populate_record(null::webhook_deliveries, to_jsonb(d) || jsonb_build_object('id', new_id(),
          'tenant_id', due.tenant_id, 'webhook_id', due.id, 'state', 'pending', 'relay_at', now()))).*
        from due, (select * from webhook_deliveries limit 1) d`,
    },
  ]);
});

/** Calls as the application, in the scope of a tenant. */
async function asApplication(sql: string) {
  const [, rows] = await api.database.transaction("application", [
    { text: "select set_config('app.tenant_id', $1, true)", values: [world.tenant.id] },
    { text: sql },
  ]);
  return rows;
}

describe("a function with the owner's rights", () => {
  const abuses = Object.entries(ABUSES).flatMap(([name, ways]) =>
    ways.map((way) => ({ name, ...way })),
  );
  test.for(abuses)("$name does not let the application $to", async (abuse) => {
    const { sql, returns, mayChange = [] } = abuse;
    const before = await contentsOf(api.database);
    const rows = await asApplication(sql(world));
    if (returns !== undefined) expect(rows).toEqual(returns);
    const after = await contentsOf(api.database);
    const changed = Object.keys(after).filter((table) => after[table] !== before[table]);
    expect(mayChange).toEqual(expect.arrayContaining(changed));
  });

  test("is in this list if the application may execute it", async () => {
    const granted = await api.database.query(
      "superuser",
      `select proname as name from pg_proc
       where prosecdef and pronamespace::regnamespace::text in ('public', 'prepared')
         and has_function_privilege('stepledger_app', oid, 'execute') order by 1`,
    );
    expect(granted.map(({ name }) => name)).toEqual(Object.keys(ABUSES).toSorted());
  });

  test("stores a dead letter once", async () => {
    const keep = "select keep_dead_letter('dispatches', 'once', $1, '{}')";
    await api.database.query("application", keep, ["First"]);
    await api.database.query("application", keep, ["Again"]);
    const kept = "select reason from dead_letters where message_id = 'once'";
    expect(await api.database.query("superuser", kept)).toEqual([{ reason: "First" }]);
  });

  test("cuts what it stores", async () => {
    const [letter] = await api.database.query(
      "superuser",
      `select length(reason)::text as reason, length(body)::text as body from dead_letters where message_id = 'm'`,
    );
    expect(letter).toEqual({ reason: "10000", body: "200000" });
    const [position] = await api.database.query(
      "superuser",
      "select length(position)::text as length from sweep_positions where sweep = 'objects'",
    );
    expect(position).toEqual({ length: "1024" });
  });
});

test("an upload of another tenant survives a sweep without a minimum age", async () => {
  const bytes = bytesOf("on its way");
  const { id: taskId } = await api.givenTask();
  const { id } = await givenDeclared(api, bytes, { taskId });
  await asApplication("select sweep_declared_data('0 seconds', 1000000)");
  expectDone(await sendContent(api, id, bytes));
});

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { connect, type Stepledger } from "../../client/index.ts";
import { renderVerification, verifyDatabase } from "../../scripts/verify/verify-database.ts";
import { SqlError } from "../support/database.ts";
import { REHASH } from "../support/model/invariants.ts";
import { startService, type TestService } from "../support/node/service.ts";

/** The SQLSTATE of what the application was not granted, of a missing function, and of a guard. */
const NOT_GRANTED = "42501";
const NO_SUCH_FUNCTION = "42883";
const GUARDED = "SL001";

/** What the attacker's code does when it runs as the owner: it leaves a function with the owner's rights. */
const BREAK_IN = `
  if current_user = 'stepledger_owner' and to_regproc('public.back_door') is null then
    create function public.back_door(statements text) returns void language plpgsql security definer
      as 'begin execute statements; end';
    grant execute on function public.back_door(text) to stepledger_app;
  end if;`;

/** A temporary table in the place of another, with a trigger that breaks in. */
const shadowOf = (table: string, event: string) => [
  `create temporary table ${table} (like public.${table} including all) on commit drop`,
  `grant all on ${table} to public`,
  `create function pg_temp.break_in() returns trigger language plpgsql as $$
   begin ${BREAK_IN} return coalesce(new, old); end $$`,
  `create trigger break_in before ${event} on pg_temp.${table} for each row execute function pg_temp.break_in()`,
];

/** A domain in the place of a type, with a check that breaks in. PL/pgSQL resolves its types when it runs. */
const shadowOfType = (type: string) => [
  `create function pg_temp.break_in(value pg_catalog.${type}) returns boolean language plpgsql as $$
   begin ${BREAK_IN} return true; end $$`,
  `create domain pg_temp.${type} as pg_catalog.${type} check (pg_temp.break_in(value))`,
];

/** A way to have one's own code run as the owner: a name that a function with the owner's rights resolves. */
interface WayIn {
  name: string;
  statements: () => string[];
}

const WAYS_IN: readonly WayIn[] = [
  {
    name: "a table that claim_orphans writes",
    statements: () => [...shadowOf("swept_objects", "insert"), claimOrphan()],
  },
  {
    name: "a type that claim_orphans casts to",
    statements: () => [...shadowOfType("uuid"), claimOrphan()],
  },
  {
    name: "a table that sweep_declared_data deletes from",
    statements: () => [
      ...shadowOf("data", "delete"),
      `insert into pg_temp.data (tenant_id, id, task_id, version_id, step_id, kind, object_key, content_type, size_bytes,
         sha256, created_by, created_at)
       values ('${service.tenant.id}', new_id(), new_id(), new_id(), new_id(), 'source', 'key', 'text/plain', 1,
         sha256(''), 'attacker', now() - interval '9 days')`,
      "select sweep_declared_data('1 day', 10)",
    ],
  },
  {
    name: "a table that the label trigger writes",
    statements: () => [
      ...shadowOf("task_labels", "insert"),
      `insert into step_events
       select (jsonb_populate_record(e, jsonb_build_object('seq', e.seq + 1, 'type', 'note_added'))).*
       from step_events e join tasks t on t.id = e.task_id and t.event_seq = e.seq where e.task_id = '${taskId}'`,
      `update steps s set event_seq = t.event_seq + 1 from tasks t where t.id = '${taskId}' and s.id = t.current_step_id`,
      `update tasks set event_seq = event_seq + 1 where id = '${taskId}'`,
      "set constraints all immediate",
    ],
  },
];

const claimOrphan = () => `select claim_orphans(array['${service.tenant.id}/' || repeat('0', 64)])`;

/** Rewrites event 2 as the owner, recomputes every hash after it, and removes the traces. */
const rewriteHistory = () => `
  select public.back_door($rewrite$
    alter table step_events disable trigger user;
    alter table tasks disable trigger user;
    update step_events set reason = 'Forged' where task_id = '${taskId}' and seq = 2;
    ${REHASH};
    alter table tasks enable trigger user;
    alter table step_events enable trigger user;
    drop function public.back_door(text);
  $rewrite$)`;

let service: TestService;
let stepledger: Stepledger;
let taskId: string;
let versionId: string;

beforeAll(async () => {
  service = await startService();
  stepledger = connect({ baseUrl: service.baseUrl, key: service.tenant.keys.admin });
  const created = await stepledger.createTask({ body: { title: "A task" } });
  taskId = created.id;
  const params = { stepId: created.currentStep.id };
  await stepledger.transitionStep({ params, body: { status: "running", reason: "It begins" } });
  await stepledger.createVersion({ params: { taskId }, body: { reason: "Again", content: {} } });
  versionId = created.activeVersion.id;
});
afterAll(() => service.stop());

/** Runs statements in one transaction as the application. Returns the SQLSTATE of a refusal; null if all succeed. */
async function attempt(statements: readonly string[]): Promise<string | null> {
  const scope = {
    text: "select set_config('app.tenant_id', $1, true)",
    values: [service.tenant.id],
  };
  try {
    await service.database.transaction("application", [
      scope,
      ...statements.map((text) => ({ text })),
    ]);
    return null;
  } catch (error) {
    if (error instanceof SqlError) return error.code;
    throw error;
  }
}

/** Grants TEMPORARY as Postgres does by default, or revokes it as `npm run roles` does. */
const setTemporary = (isGranted: boolean) =>
  service.database.query(
    "superuser",
    isGranted
      ? `grant temporary on database ${service.database.name} to public`
      : `revoke temporary on database ${service.database.name} from public`,
  );

async function expectHistoryUntouched(): Promise<void> {
  const { data } = await stepledger.listTaskEvents({ params: { taskId } });
  expect(data.map(({ reason }) => reason)).not.toContain("Forged");
  expect(await stepledger.verifyTaskEvents({ params: { taskId } })).toMatchObject({ valid: true });
  const doors = await service.database.query("superuser", "select to_regproc('back_door') as door");
  expect(doors).toEqual([{ door: null }]);
}

describe.each([
  { as: "as deployed", isGranted: false },
  { as: "even if PUBLIC may create temporary tables", isGranted: true },
])("$as, a session with the application's role", ({ isGranted }) => {
  const orRefusedAtOnce = (code: string) => (isGranted ? code : NOT_GRANTED);

  beforeEach(() => setTemporary(isGranted));
  afterAll(() => setTemporary(false));

  test.for(WAYS_IN)("cannot become the owner through $name", async ({ statements }) => {
    const code = await attempt([...statements(), rewriteHistory()]);
    expect(code).toBe(orRefusedAtOnce(NO_SUCH_FUNCTION));
    await expectHistoryUntouched();
  });

  test("cannot attach the label function to a table of its own", async () => {
    const code = await attempt([
      "create temporary table labelled (like public.tasks) on commit drop",
      "grant all on labelled to public",
      `create trigger forge after insert on labelled referencing new table as changed
         for each statement execute function keep_labels()`,
      `insert into labelled select (jsonb_populate_record(t, '{"archived_at": "2020-01-01"}')).* from tasks t`,
    ]);
    expect(code).toBe(NOT_GRANTED);
    const archived = "select from task_labels where archived";
    expect(await service.database.query("superuser", archived)).toEqual([]);
  });

  test("cannot hide that a version is sealed from the guard of its steps", async () => {
    const code = await attempt([
      "create temporary table task_versions (like public.task_versions) on commit drop",
      `update steps set event_seq = event_seq + 1 where version_id = '${versionId}'`,
    ]);
    expect(code).toBe(orRefusedAtOnce(GUARDED));
  });
});

test("verify names a back door that someone left", async () => {
  const { database } = service;
  const whole = await verifyDatabase(database.migrationDatabaseUrl);
  expect(whole.isWhole, renderVerification(whole)).toBe(true);
  await database.query(
    "owner",
    `create function back_door(statements text) returns void language plpgsql security definer
       as 'begin execute statements; end'`,
  );
  const verification = await verifyDatabase(database.migrationDatabaseUrl);
  await database.query("owner", "drop function back_door");
  expect(verification.isWhole).toBe(false);
  expect(renderVerification(verification)).toMatch(
    /BROKEN +1 +catalog is that of this release \(\d+ objects\)\n +function public.back_door\(statements text\) is extra/,
  );
  expect(verification.catalog.differences).toEqual([
    {
      object: "function public.back_door(statements text)",
      problem: "is extra: no migration of this release creates it",
    },
  ]);
});

import { beforeAll, describe, expect, test } from "vitest";
import { freshDatabase, type TestDatabase } from "../support/database.ts";

/** The tables of tenants: ordinary tables with a tenant_id. */
const TENANT_TABLES = `
  select c.oid, c.relname, c.relrowsecurity, c.relforcerowsecurity
  from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
  where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'`;

const OWN_FUNCTIONS = `
  select p.oid::regprocedure::text as function, p.prosecdef, p.proowner,
    (select substr(s, 13) from unnest(p.proconfig) s where s like 'search_path=%') as path,
    p.prosecdef and has_function_privilege('public', p.oid, 'execute') as is_public
  from pg_proc p
  where p.pronamespace::regnamespace::text in ('public', 'prepared')
    and not exists (select from pg_depend d
      where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')`;

/** What every table and function must be like, also those that a later migration adds. Each query returns the others. */
const RULES: readonly { rule: string; broken: string }[] = [
  {
    rule: "a function with the owner's rights has a search_path that ends with pg_temp",
    broken: `select function from (${OWN_FUNCTIONS}) f
      where prosecdef and coalesce(path, '') !~ '^pg_catalog(, public)?, pg_temp$'`,
  },
  {
    rule: "a search_path ends with pg_temp, which Postgres would otherwise search first",
    broken: `select function from (${OWN_FUNCTIONS}) f where path !~ ', pg_temp$'`,
  },
  {
    rule: "nobody may execute a function with the owner's rights without a grant",
    broken: `select function from (${OWN_FUNCTIONS}) f where is_public`,
  },
  {
    rule: "a prepared statement has the rights of its caller",
    broken: `select function from (${OWN_FUNCTIONS}) f where function like 'prepared.%' and prosecdef`,
  },
  {
    rule: "the owner of the tables owns every function, so nobody else can change one",
    broken: `select function from (${OWN_FUNCTIONS}) f where proowner <> 'stepledger_owner'::regrole`,
  },
  {
    rule: "a table of tenants forces row security, with a policy for the application and one for the owner",
    broken: `select t.relname from (${TENANT_TABLES}) t
      where not t.relrowsecurity or not t.relforcerowsecurity
        or (select count(*) from pg_policy p where p.polrelid = t.oid) <> 2
        or not exists (select from pg_policy p where p.polrelid = t.oid
          and p.polroles = array['stepledger_app'::regrole::oid] and p.polcmd = '*'
          and pg_get_expr(p.polqual, p.polrelid) =
            '(tenant_id = (NULLIF(current_setting(''app.tenant_id''::text, true), ''''::text))::uuid)'
          and pg_get_expr(p.polwithcheck, p.polrelid) = pg_get_expr(p.polqual, p.polrelid))
        or not exists (select from pg_policy p where p.polrelid = t.oid
          and p.polroles = array['stepledger_owner'::regrole::oid] and p.polcmd = '*'
          and pg_get_expr(p.polqual, p.polrelid) = 'true')`,
  },
  {
    rule: "the application has no more rights on an append-only table than INSERT and SELECT",
    broken: `select t.tgrelid::regclass::text, privilege from pg_trigger t
      cross join unnest(array['UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) as privilege
      where t.tgname like '%_append_only' and (has_table_privilege('stepledger_app', t.tgrelid, privilege)
        or privilege in ('UPDATE', 'REFERENCES')
          and has_any_column_privilege('stepledger_app', t.tgrelid, privilege))`,
  },
  {
    rule: "every event table is append-only and cannot be truncated",
    broken: `select stream, kind
      from unnest(array['step_events', 'eval_step_events', 'dispatch_events', 'run_late_reports']) as stream
      cross join unnest(array['append_only', 'no_truncate']) as kind
      where not exists (select from pg_trigger t
        where t.tgrelid = stream::regclass and t.tgname = format('%s_%s', stream, kind) and t.tgenabled = 'O')`,
  },
  {
    rule: "the application owns nothing and bypasses nothing",
    broken: `select rolname::text from pg_roles where rolname = 'stepledger_app' and (rolbypassrls or rolsuper)
      union all
      select pg_describe_object(classid, objid, objsubid) from pg_shdepend
      where refobjid = 'stepledger_app'::regrole and deptype = 'o'`,
  },
  {
    rule: "the application can create nothing: no table, function, schema or temporary table",
    broken: `select nspname::text from pg_namespace where has_schema_privilege('stepledger_app', oid, 'create')
        and nspname !~ '^pg_temp_'
      union all
      select privilege from unnest(array['create', 'temporary']) as privilege
      where has_database_privilege('stepledger_app', current_database(), privilege)`,
  },
  {
    rule: "every key of a table of tenants starts with the tenant",
    broken: `select t.relname, k.conname from (${TENANT_TABLES}) t
      join pg_constraint k on k.conrelid = t.oid and k.contype = 'f'
      join pg_attribute a on a.attrelid = t.oid and a.attname = 'tenant_id'
      where k.conkey[1] <> a.attnum
      union all
      select t.relname, i.indexrelid::regclass::text from (${TENANT_TABLES}) t
      join pg_index i on i.indrelid = t.oid and i.indisunique
      join pg_attribute a on a.attrelid = t.oid and a.attname = 'tenant_id'
      where i.indkey[0] <> a.attnum`,
  },
];

let database: TestDatabase;
beforeAll(async () => {
  database = await freshDatabase();
});

describe("in a migrated database", () => {
  test.for(RULES)("$rule", async ({ broken }) => {
    expect(await database.query("superuser", broken)).toEqual([]);
  });
});

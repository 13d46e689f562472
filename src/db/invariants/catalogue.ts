import type { Invariant } from "./invariant.ts";

/** The tables of tenants: ordinary tables with a tenant_id. */
const TENANT_TABLES = `
  select c.oid, c.relname, c.relrowsecurity, c.relforcerowsecurity
  from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
  where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'`;

/** The triggers that guard the data below the application. Each must exist and be enabled. */
const TRIGGERS = [
  ["tasks", "tasks_move_with_event"],
  ["tasks", "tasks_label_created"],
  ["tasks", "tasks_label_moved"],
  ["steps", "steps_move_with_event"],
  ["steps", "steps_sealed"],
  ["evals", "evals_move_with_event"],
  ["data", "data_stored_once"],
  ["data", "data_artifacts_kept"],
  ["data", "data_no_truncate"],
  ["trials", "trials_move_with_event"],
  ["insights", "insights_keep_identity"],
  ["task_versions", "task_versions_immutable"],
  ...["step_events", "eval_step_events", "dispatch_events"].flatMap((table) => [
    [table, `${table}_append_only`],
    [table, `${table}_no_truncate`],
  ]),
  ...[
    "tasks",
    "task_versions",
    "steps",
    "evals",
    "reviews",
    "trials",
    "insights",
    "prompts",
  ].flatMap((table) => [
    [table, `${table}_kept`],
    [table, `${table}_no_truncate`],
  ]),
]
  .map(([table, trigger]) => `('${table}', '${trigger}')`)
  .join(", ");

export const CATALOGUE_INVARIANTS: readonly Invariant[] = [
  {
    name: "row-security-forced",
    description:
      "A table of tenants does not force row security, or lacks one of its two policies.",
    sql: `
      select t.relname from (${TENANT_TABLES}) t
      where not t.relrowsecurity or not t.relforcerowsecurity
        or not exists (select from pg_policy p where p.polrelid = t.oid
          and p.polroles = array['stepledger_app'::regrole::oid] and p.polcmd = '*'
          and pg_get_expr(p.polqual, p.polrelid) like '%app.tenant_id%'
          and pg_get_expr(p.polwithcheck, p.polrelid) like '%app.tenant_id%')
        or not exists (select from pg_policy p where p.polrelid = t.oid
          and p.polroles = array['stepledger_owner'::regrole::oid] and p.polcmd = '*'
          and pg_get_expr(p.polqual, p.polrelid) = 'true')`,
  },
  {
    name: "event-streams-are-append-only",
    description: "The application has more rights on an event table than INSERT and SELECT.",
    sql: `
      select stream, privilege
      from unnest(array['step_events', 'eval_step_events', 'dispatch_events']) as stream
      cross join unnest(array['UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) as privilege
      where has_table_privilege('stepledger_app', stream, privilege)`,
  },
  {
    name: "application-role-is-restricted",
    description: "The application's role bypasses row security, is a superuser, or owns a table.",
    sql: `
      select rolname from pg_roles where rolname = 'stepledger_app' and (rolbypassrls or rolsuper)
      union all
      select relname from pg_class where relowner = 'stepledger_app'::regrole`,
  },
  {
    name: "guards-in-place",
    description: "A guard trigger is missing or disabled.",
    sql: `
      select g.relation, g.trigger from (values ${TRIGGERS}) as g(relation, trigger)
      where not exists (select from pg_trigger t
        where t.tgrelid = g.relation::regclass and t.tgname = g.trigger and t.tgenabled = 'O')`,
  },
  {
    name: "keys-start-with-the-tenant",
    description:
      "A foreign key or unique index of a tenant's table does not start with the tenant.",
    sql: `
      select t.relname, k.conname from (${TENANT_TABLES}) t
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

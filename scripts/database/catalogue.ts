import type { Client } from "pg";

export const OBJECT_KINDS = ["function", "trigger", "view"] as const;
export type ObjectKind = (typeof OBJECT_KINDS)[number];

/** A function, trigger or view of the schema `public`, as Postgres itself describes it. */
export interface DatabaseObject {
  /** Aggregates and procedures count as functions, materialized views as views. */
  kind: ObjectKind;
  name: string;
  /** What `drop` needs to find it: `function iso(timestamp with time zone)`, `trigger tasks_kept on tasks`. */
  identity: string;
  definition: string;
  /** `enabled` for triggers. The other kinds have an owner and grants. */
  properties: Record<string, string>;
}

/** Reads every function, trigger and view of `public`, kind by kind: views, triggers, functions. Objects that belong to an extension are left out. */
export async function readCatalogue(client: Client): Promise<DatabaseObject[]> {
  const { rows } = await client.query<DatabaseObject>(
    `select * from (${OBJECTS}) objects order by kind desc, identity`,
  );
  return rows.map((object) =>
    HAS_RANDOM_BODY.has(object.name)
      ? { ...object, definition: object.definition.replaceAll(UUID, "(random UUID)") }
      : object,
  );
}

/** The same objects, without the costly description of each. */
export async function listObjects(
  client: Client,
): Promise<Pick<DatabaseObject, "kind" | "name" | "identity">[]> {
  const { rows } = await client.query<Pick<DatabaseObject, "kind" | "name" | "identity">>(
    `select kind, name, identity from (${OBJECTS}) objects`,
  );
  return rows;
}

/** Functions whose body contains a random UUID that the migration generates for each database. */
const HAS_RANDOM_BODY = new Set(["feed_generation"]);
const UUID = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

const isOwn = (catalogue: string) =>
  `not exists (select from pg_depend d
     where d.classid = '${catalogue}'::regclass and d.objid = o.oid and d.deptype = 'e')`;

/** One line for each grant. A missing list of grants means Postgres's defaults, so it is spelled out. */
const grants = (acl: string, type: string, owner: string) =>
  `(select coalesce(string_agg(
       format('%s to %s%s', a.privilege_type, case a.grantee when 0 then 'public' else a.grantee::regrole::text end,
         case when a.is_grantable then ' with grant option' else '' end), ', '
       order by a.grantee::regrole::text, a.privilege_type), 'none')
     from aclexplode(coalesce(${acl}, acldefault('${type}', ${owner}))) a)`;

const FUNCTIONS = `
  select 'function' as kind, o.proname::text as name,
    format('%s %s', case o.prokind when 'a' then 'aggregate' when 'p' then 'procedure' else 'function' end,
      o.oid::regprocedure) as identity,
    case when o.prokind = 'a' then (
      select format(E'aggregate returns %s, volatility %s, parallel %s\\n%s', o.prorettype::regtype, o.provolatile,
        o.proparallel, jsonb_pretty(to_jsonb(a) - 'aggfnoid'))
      from pg_aggregate a where a.aggfnoid = o.oid)
    else pg_get_functiondef(o.oid) end as definition,
    jsonb_build_object('owner', o.proowner::regrole, 'grants', ${grants("o.proacl", "f", "o.proowner")},
      'comment', coalesce(obj_description(o.oid, 'pg_proc'), 'none')) as properties
  from pg_proc o where o.pronamespace = 'public'::regnamespace and ${isOwn("pg_proc")}`;

const TRIGGERS = `
  select 'trigger', o.tgname::text, format('trigger %I on %s', o.tgname, o.tgrelid::regclass), pg_get_triggerdef(o.oid),
    jsonb_build_object('enabled', case o.tgenabled when 'O' then 'yes' when 'D' then 'no' else o.tgenabled::text end,
      'comment', coalesce(obj_description(o.oid, 'pg_trigger'), 'none'))
  from pg_trigger o join pg_class t on t.oid = o.tgrelid
  where t.relnamespace = 'public'::regnamespace and not o.tgisinternal`;

const VIEWS = `
  select 'view', o.relname::text,
    format('%s %s', case o.relkind when 'm' then 'materialized view' else 'view' end, o.oid::regclass),
    pg_get_viewdef(o.oid),
    jsonb_build_object('owner', o.relowner::regrole, 'grants', ${grants("o.relacl", "r", "o.relowner")},
      'options', coalesce(o.reloptions::text, 'none'), 'comment', coalesce(obj_description(o.oid, 'pg_class'), 'none'),
      'column grants', coalesce((select jsonb_object_agg(c.attname, c.attacl)
        from pg_attribute c where c.attrelid = o.oid and c.attacl is not null)::text, 'none'))
  from pg_class o
  where o.relnamespace = 'public'::regnamespace and o.relkind in ('v', 'm') and ${isOwn("pg_class")}`;

const OBJECTS = `${FUNCTIONS} union all ${TRIGGERS} union all ${VIEWS}`;

import { APPLICATION_ROLE, OWNER_ROLE } from "../stack/roles.ts";
import { IGNORED_EXTENSIONS, NEON_ROLES, NEON_SCHEMAS } from "./neon.ts";

const list = (values: readonly string[]) => values.map((value) => `'${value}'`).join(", ");
const SERVICE_ROLES = list([APPLICATION_ROLE, OWNER_ROLE]);

const THIS_DATABASE = "(select oid from pg_database where datname = current_database())";

/** The schemas that are compared: all except those of Postgres and of Neon. */
const OWN_SCHEMA = `
  (select n.oid from pg_namespace n
   where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
     and not (n.nspname in (${list(NEON_SCHEMAS)}) and pg_get_userbyid(n.nspowner) not in (${SERVICE_ROLES})))`;

/** The first oid of objects that were created after initdb. */
const FIRST_OWN_OID = 16_384;

const isExtensionMember = (catalog: string, oid: string) =>
  `exists (select from pg_depend d
     where d.classid = '${catalog}'::regclass and d.objid = ${oid} and d.objsubid = 0 and d.deptype = 'e')`;

/** The owner, if it is not the service's. */
const owner = (oid: string) => `nullif(pg_get_userbyid(${oid})::text, '${OWNER_ROLE}')`;

/**
 * The grants as text, such as `INSERT, SELECT to stepledger_app`. The rights of the owner are left out while it has all
 * of them, because PostgreSQL 17 has one more than 16.
 */
const grants = (acl: string, type: string, ownerOid: string) => `(
  select string_agg(line, '; ' order by line) from (
    select format('%s to %s%s%s', string_agg(a.privilege_type, ', ' order by a.privilege_type),
      case a.grantee when 0 then 'PUBLIC' else pg_get_userbyid(a.grantee)::text end,
      case when a.is_grantable then ' with grant option' else '' end,
      case a.grantor when ${ownerOid} then '' else format(' from %s', pg_get_userbyid(a.grantor)) end) as line
    from aclexplode(coalesce(${acl}, acldefault('${type}', ${ownerOid}))) a
    where a.grantee <> ${ownerOid}
      and (a.grantee = 0 or pg_get_userbyid(a.grantee) not in (${list(NEON_ROLES)}))
    group by a.grantee, a.is_grantable, a.grantor
    union all
    select 'not all rights to the owner'
    where exists (
      select privilege_type from aclexplode(acldefault('${type}', ${ownerOid})) where grantee = ${ownerOid}
      except
      select privilege_type from aclexplode(coalesce(${acl}, acldefault('${type}', ${ownerOid})))
      where grantee = ${ownerOid})
  ) lines)`;

const digest = (text: string) => `left(encode(sha256(convert_to(${text}, 'UTF8')), 'hex'), 16)`;

const settings = (column: string) =>
  `(select string_agg(setting, '; ' order by setting) from unnest(${column}) setting)`;

const DATABASE = `
  select 'database' as key, jsonb_build_object(
    'owner', ${owner("d.datdba")},
    'grants', ${grants("d.datacl", "d", "d.datdba")},
    'settings', (select string_agg(setting, '; ' order by setting)
      from pg_db_role_setting s, unnest(s.setconfig) setting where s.setrole = 0 and s.setdatabase in (0, d.oid)),
    'session_replication_role', (select nullif(reset_val, 'origin') from pg_settings
      where name = 'session_replication_role')) as facts
  from pg_database d where d.datname = current_database()`;

const SCHEMAS = `
  select format('schema %I', n.nspname), jsonb_build_object(
    'owner', ${owner("n.nspowner")}, 'grants', ${grants("n.nspacl", "n", "n.nspowner")})
  from pg_namespace n where n.oid in ${OWN_SCHEMA} and not ${isExtensionMember("pg_namespace", "n.oid")}`;

const TABLES = `
  select format('table %I.%I', n.nspname, c.relname), jsonb_build_object(
    'owner', ${owner("c.relowner")},
    'kind', case c.relkind when 'f' then 'foreign' when 'p' then 'partitioned' end,
    'persistence', case c.relpersistence when 'u' then 'unlogged' when 't' then 'temporary' end,
    'access method', (select nullif(a.amname, 'heap') from pg_am a where a.oid = c.relam),
    'row security', case when c.relrowsecurity and c.relforcerowsecurity then 'forced'
      when c.relrowsecurity then 'enabled, but not forced' when c.relforcerowsecurity then 'forced, but not enabled'
      else 'off' end,
    'replica identity', case c.relreplident when 'n' then 'nothing' when 'f' then 'full' when 'i' then 'index' end,
    'inherits', (select string_agg(i.inhparent::regclass::text, ', ' order by i.inhseqno)
      from pg_inherits i where i.inhrelid = c.oid),
    'partition', pg_get_expr(c.relpartbound, c.oid),
    -- Postgres does not even look for what these flags of a table deny.
    'ignored', nullif(concat_ws(', ',
      case when not c.relhastriggers and exists (select from pg_trigger g where g.tgrelid = c.oid) then 'triggers' end,
      case when c.relchecks <> (select count(*) from pg_constraint k where k.conrelid = c.oid and k.contype = 'c')
        then 'checks' end,
      case when not c.relhasindex and exists (select from pg_index i where i.indrelid = c.oid) then 'indexes' end), ''),
    'grants', ${grants("c.relacl", "r", "c.relowner")})
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'p', 'f') and n.oid in ${OWN_SCHEMA} and not ${isExtensionMember("pg_class", "c.oid")}`;

const COLUMNS = `
  select format('column %I.%I.%I', n.nspname, c.relname, a.attname), jsonb_build_object(
    'type', format_type(a.atttypid, a.atttypmod),
    'null', case when not a.attnotnull then 'allowed'
      -- From PostgreSQL 18 on, NOT NULL is a constraint, which can be waiting for its validation.
      when exists (select from pg_constraint k
        where k.conrelid = c.oid and k.contype = 'n' and a.attnum = any (k.conkey) and not k.convalidated)
      then 'in old rows' end,
    'default', case a.attgenerated when '' then pg_get_expr(d.adbin, d.adrelid) end,
    'generated', case when a.attgenerated <> '' then pg_get_expr(d.adbin, d.adrelid)
      || case a.attgenerated when 'v' then ' (virtual)' else '' end end,
    'identity', case a.attidentity when 'a' then 'always' when 'd' then 'by default' end,
    'collation', case when a.attcollation <> t.typcollation then a.attcollation::regcollation::text end,
    'grants', ${grants("a.attacl", "c", "c.relowner")})
  from pg_attribute a
  join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
  join pg_type t on t.oid = a.atttypid
  left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
  where a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'p', 'f', 'v', 'm') and n.oid in ${OWN_SCHEMA}
    and not ${isExtensionMember("pg_class", "c.oid")}`;

const CONSTRAINTS = `
  select format('constraint %I on %s', k.conname,
      case when k.conrelid <> 0 then k.conrelid::regclass::text else k.contypid::regtype::text end),
    jsonb_build_object(
      'definition', pg_get_constraintdef(k.oid),
      'validated', case when not k.convalidated then 'no' end,
      -- The column exists from PostgreSQL 18 on.
      'enforced', case to_jsonb(k) ->> 'conenforced' when 'false' then 'no' end,
      'enforced by', (select case when bool_and(g.tgenabled = 'O') then count(*)::text
          else format('%s of %s', count(*) filter (where g.tgenabled = 'O'), count(*)) end || ' internal triggers'
        from pg_trigger g where g.tgconstraint = k.oid and g.tgisinternal having count(*) > 0))
  from pg_constraint k
  where k.contype not in ('n', 't') and k.connamespace in ${OWN_SCHEMA}
    and not ${isExtensionMember("pg_class", "k.conrelid")}`;

const INDEXES = `
  select format('index %s', i.indexrelid::regclass), jsonb_build_object(
    'definition', pg_get_indexdef(i.indexrelid),
    'state', nullif(concat_ws(', ', case when not i.indisvalid then 'not valid' end,
      case when not i.indisready then 'not ready' end, case when not i.indislive then 'not live' end), ''))
  from pg_index i join pg_class c on c.oid = i.indrelid
  where c.relnamespace in ${OWN_SCHEMA} and not ${isExtensionMember("pg_class", "c.oid")}`;

const ENABLED = (column: string) =>
  `case ${column} when 'D' then 'no' when 'R' then 'on replicas only' when 'A' then 'always' end`;

const TRIGGERS = `
  select format('trigger %I on %s', g.tgname, g.tgrelid::regclass), jsonb_build_object(
    'definition', pg_get_triggerdef(g.oid), 'enabled', ${ENABLED("g.tgenabled")})
  from pg_trigger g join pg_class c on c.oid = g.tgrelid
  where not g.tgisinternal and c.relnamespace in ${OWN_SCHEMA} and not ${isExtensionMember("pg_class", "c.oid")}`;

const RULES = `
  select format('rule %I on %s', r.rulename, r.ev_class::regclass), jsonb_build_object(
    'definition', pg_get_ruledef(r.oid), 'enabled', ${ENABLED("r.ev_enabled")})
  from pg_rewrite r join pg_class c on c.oid = r.ev_class
  where r.rulename <> '_RETURN' and c.relnamespace in ${OWN_SCHEMA} and not ${isExtensionMember("pg_class", "c.oid")}`;

const POLICIES = `
  select format('policy %I on %s', p.polname, p.polrelid::regclass), jsonb_build_object(
    'kind', case when not p.polpermissive then 'restrictive' end,
    'commands', case p.polcmd when '*' then 'all' when 'r' then 'SELECT' when 'a' then 'INSERT' when 'w' then 'UPDATE'
      when 'd' then 'DELETE' end,
    'roles', (select string_agg(case o when 0 then 'PUBLIC' else pg_get_userbyid(o)::text end, ', ' order by o::text)
      from unnest(p.polroles) o),
    'using', pg_get_expr(p.polqual, p.polrelid), 'with check', pg_get_expr(p.polwithcheck, p.polrelid))
  from pg_policy p join pg_class c on c.oid = p.polrelid where c.relnamespace in ${OWN_SCHEMA}`;

const VIEWS = `
  select format('%s %I.%I', case c.relkind when 'm' then 'materialized view' else 'view' end, n.nspname, c.relname),
    jsonb_build_object(
      'owner', ${owner("c.relowner")}, 'options', ${settings("c.reloptions")},
      'definition', ${digest("pg_get_viewdef(c.oid)")},
      'grants', ${grants("c.relacl", "r", "c.relowner")})
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('v', 'm') and n.oid in ${OWN_SCHEMA} and not ${isExtensionMember("pg_class", "c.oid")}`;

const SEQUENCES = `
  select format('sequence %I.%I', n.nspname, c.relname), jsonb_build_object(
    'owner', ${owner("c.relowner")},
    'definition', format('%s from %s by %s in %s..%s cache %s%s', s.seqtypid::regtype, s.seqstart, s.seqincrement,
      s.seqmin, s.seqmax, s.seqcache, case when s.seqcycle then ' cycle' else '' end),
    'grants', ${grants("c.relacl", "s", "c.relowner")})
  from pg_sequence s join pg_class c on c.oid = s.seqrelid join pg_namespace n on n.oid = c.relnamespace
  where n.oid in ${OWN_SCHEMA} and not ${isExtensionMember("pg_class", "c.oid")}`;

/** The body of feed_generation holds a UUID that the migration drew for this database. */
const BODY = `
  case when p.pronamespace = 'public'::regnamespace and p.proname = 'feed_generation'
    then regexp_replace(pg_get_function_sqlbody(p.oid), '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}', 'UUID')
    else coalesce(pg_get_function_sqlbody(p.oid), p.prosrc) end`;

/** Also the functions of extensions that have their owner's rights, and functions that were added to Postgres's own. */
const FUNCTIONS = `
  select format('%s %I.%I(%s)',
      case p.prokind when 'a' then 'aggregate' when 'p' then 'procedure' when 'w' then 'window function'
        else 'function' end,
      n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)),
    jsonb_build_object(
      'owner', ${owner("p.proowner")},
      'language', (select l.lanname from pg_language l where l.oid = p.prolang and p.prokind <> 'a'),
      'arguments', case when pg_get_function_arguments(p.oid) <> pg_get_function_identity_arguments(p.oid)
        then pg_get_function_arguments(p.oid) end,
      'returns', pg_get_function_result(p.oid),
      'security', case when p.prosecdef then 'definer' end,
      'volatility', case p.provolatile when 'i' then 'immutable' when 's' then 'stable' else 'volatile' end,
      'parallel', case p.proparallel when 's' then 'safe' when 'r' then 'restricted' end,
      'strict', case when p.proisstrict then 'yes' end,
      'leakproof', case when p.proleakproof then 'yes' end,
      'support', nullif(p.prosupport::text, '-'),
      'settings', ${settings("p.proconfig")},
      'body', case when p.prokind <> 'a' then ${digest(`${BODY} || coalesce(p.probin, '')`)} end,
      'aggregate', (select concat_ws(' ', a.aggkind, a.aggtransfn, a.aggfinalfn, a.aggcombinefn,
        a.aggtranstype::regtype, a.agginitval) from pg_aggregate a where a.aggfnoid = p.oid),
      'grants', ${grants("p.proacl", "f", "p.proowner")})
  from pg_proc p join pg_namespace n on n.oid = p.pronamespace
  where (n.oid in ${OWN_SCHEMA} and (p.prosecdef or not ${isExtensionMember("pg_proc", "p.oid")}))
    or (n.nspname ~ '^pg_(catalog|toast)$|^information_schema$' and p.oid >= ${FIRST_OWN_OID}
      and not ${isExtensionMember("pg_proc", "p.oid")})`;

const DEFAULT_PRIVILEGES = `
  select format('default privileges of %s on %s%s', pg_get_userbyid(d.defaclrole),
      case d.defaclobjtype when 'r' then 'tables' when 'S' then 'sequences' when 'f' then 'functions'
        when 'T' then 'types' when 'n' then 'schemas' else d.defaclobjtype::text end,
      coalesce(' in schema ' || n.nspname, '')),
    jsonb_build_object('grants', (
      select string_agg(format('%s to %s', a.privilege_type,
        case a.grantee when 0 then 'PUBLIC' else pg_get_userbyid(a.grantee)::text end), '; '
        order by a.grantee, a.privilege_type) from aclexplode(d.defaclacl) a))
  from pg_default_acl d left join pg_namespace n on n.oid = d.defaclnamespace
  where pg_get_userbyid(d.defaclrole) not in (${list(NEON_ROLES)})`;

const ROLES = `
  select format('role %s', r.rolname), jsonb_build_object(
    'attributes', nullif(concat_ws(', ',
      case when r.rolsuper then 'superuser' end, case when r.rolbypassrls then 'bypasses row security' end,
      case when r.rolcreaterole then 'may create roles' end, case when r.rolcreatedb then 'may create databases' end,
      case when r.rolreplication then 'may replicate' end, case when not r.rolinherit then 'does not inherit' end,
      case when not r.rolcanlogin then 'may not log in' end), ''),
    'connection limit', nullif(r.rolconnlimit, -1)::text,
    'valid until', r.rolvaliduntil::text,
    'settings', (select string_agg(setting, '; ' order by setting)
      from pg_db_role_setting s, unnest(s.setconfig) setting
      where s.setrole = r.oid and s.setdatabase in (0, ${THIS_DATABASE})))
  from pg_roles r where r.rolname in (${SERVICE_ROLES})`;

/** Administrators are members of the roles that they created, so they are left out. They could join any role anyway. */
const MEMBERSHIPS = `
  select format('membership of %s in %s', m.rolname, g.rolname), '{}'::jsonb
  from pg_auth_members a join pg_roles m on m.oid = a.member join pg_roles g on g.oid = a.roleid
  where m.rolname in (${SERVICE_ROLES})
    or g.rolname in (${SERVICE_ROLES}) and not (m.rolcreaterole or m.rolsuper)`;

const EXTENSIONS = `
  select format('extension %s', e.extname), jsonb_build_object('schema', n.nspname)
  from pg_extension e join pg_namespace n on n.oid = e.extnamespace
  where e.extname not in (${list(IGNORED_EXTENSIONS)})`;

const EVENT_TRIGGERS = `
  select format('event trigger %I', e.evtname), jsonb_build_object(
    'definition', format('on %s%s execute %s', e.evtevent, coalesce(' ' || e.evttags::text, ''), e.evtfoid::regprocedure),
    'enabled', ${ENABLED("e.evtenabled")})
  from pg_event_trigger e
  where pg_get_userbyid(e.evtowner) not in (${list(NEON_ROLES)}) and not ${isExtensionMember("pg_event_trigger", "e.oid")}`;

/** Kinds of objects of which Stepledger has none. What matters about one is that it exists. */
const OTHER_CATALOGS = [
  "pg_am",
  "pg_cast",
  "pg_collation",
  "pg_conversion",
  "pg_foreign_data_wrapper",
  "pg_foreign_server",
  "pg_language",
  "pg_opclass",
  "pg_operator",
  "pg_opfamily",
  "pg_statistic_ext",
  "pg_transform",
  "pg_ts_config",
  "pg_ts_dict",
  "pg_ts_parser",
  "pg_ts_template",
];

const OTHERS = `
  select format('%s %s', i.type, i.identity), '{}'::jsonb
  from (
    ${OTHER_CATALOGS.map(
      (catalog) => `select '${catalog}'::regclass as catalog, oid from ${catalog}`,
    ).join(`
    union all `)}
    union all select 'pg_type'::regclass, t.oid from pg_type t
      where t.typtype in ('d', 'e', 'r') or t.typtype = 'b' and t.typelem = 0
        or t.typtype = 'c' and exists (select from pg_class c where c.oid = t.typrelid and c.relkind = 'c')
    union all select 'pg_subscription'::regclass, s.oid from pg_subscription s
      where s.subdbid = ${THIS_DATABASE}
  ) o
  cross join lateral pg_identify_object(o.catalog, o.oid, 0) i
  where o.oid >= ${FIRST_OWN_OID}
    and not exists (select from pg_depend d where d.classid = o.catalog and d.objid = o.oid and d.deptype = 'e')`;

/**
 * What the service's roles own or were granted outside the schemas above: large objects, languages, parameters that
 * only a superuser may set, and so on.
 */
const ELSEWHERE = `
  select format('%s of %s: %s', case d.deptype when 'o' then 'property' else 'grant' end,
    pg_get_userbyid(d.refobjid), pg_describe_object(d.classid, d.objid, 0)), '{}'::jsonb
  from pg_shdepend d
  where d.refclassid = 'pg_authid'::regclass and pg_get_userbyid(d.refobjid) in (${SERVICE_ROLES})
    and d.dbid in (0, ${THIS_DATABASE})
    and (d.deptype = 'o' and pg_get_userbyid(d.refobjid) = '${APPLICATION_ROLE}'
      or d.deptype = 'a' and d.classid not in ('pg_database'::regclass, 'pg_default_acl'::regclass)
        and not exists (
          select from (
            select 'pg_namespace'::regclass as catalog, oid, oid as namespace from pg_namespace
            union all select 'pg_class'::regclass, oid, relnamespace from pg_class
            union all select 'pg_proc'::regclass, oid, pronamespace from pg_proc) o
          where o.catalog = d.classid and o.oid = d.objid and o.namespace in ${OWN_SCHEMA}))
  union
  select format('grant of PUBLIC: parameter %s', p.parname), '{}'::jsonb
  from pg_parameter_acl p, aclexplode(p.paracl) a where a.grantee = 0
  union
  -- Functions of Postgres that not everyone may execute, such as those that read the server's files.
  select format('grant of PUBLIC: function %s', p.oid::regprocedure), '{}'::jsonb
  from pg_proc p join pg_init_privs i on i.objoid = p.oid and i.classoid = 'pg_proc'::regclass
  where p.pronamespace = 'pg_catalog'::regnamespace
    and exists (select from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) where grantee = 0)
    and not exists (select from aclexplode(i.initprivs) where grantee = 0)`;

/**
 * The queries that read the catalog, one for each kind of object. Each returns the object's kind and name, and its
 * facts; a fact is null if it has its usual value. They need a search_path without `public`, so that Postgres qualifies every
 * name that it prints.
 */
export const CATALOG_QUERIES: readonly string[] = [
  DATABASE,
  SCHEMAS,
  TABLES,
  COLUMNS,
  CONSTRAINTS,
  INDEXES,
  TRIGGERS,
  RULES,
  POLICIES,
  VIEWS,
  SEQUENCES,
  FUNCTIONS,
  DEFAULT_PRIVILEGES,
  ROLES,
  MEMBERSHIPS,
  EXTENSIONS,
  EVENT_TRIGGERS,
  OTHERS,
  ELSEWHERE,
];

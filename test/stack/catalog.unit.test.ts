import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type CatalogDifference, compareCatalogs } from "../../scripts/catalog/compare.ts";
import { readSnapshot } from "../../scripts/catalog/snapshot.ts";
import { migrateDatabase } from "../../scripts/stack/migrate.ts";
import {
  type Cluster,
  POSTGRES_VERSIONS,
  startTemporaryCluster,
} from "../../scripts/stack/postgres.ts";
import { createRoles, OWNER_ROLE, urlForRole } from "../../scripts/stack/roles.ts";
import { verifyCatalog } from "../../scripts/verify/verify-database.ts";

/** A change of the catalog that someone with the owner's role, or a superuser, could make. */
interface Mutation {
  by: string;
  sql: string;
  /** The objects that verify must name. */
  names: readonly string[];
  /** A part of what verify says about the first of them. */
  says: string;
  /** The versions of PostgreSQL that know the statement. All by default. */
  on?: readonly number[];
}

const MISSING = "is missing";
const EXTRA = "is extra";
const changed = (fact: string) => `has changed: ${fact} is `;

const CONSTRAINTS: readonly Mutation[] = [
  {
    by: "dropping a foreign key of the central promise",
    sql: "alter table tasks drop constraint tasks_current_step_fk",
    names: ["constraint tasks_current_step_fk on public.tasks"],
    says: MISSING,
  },
  {
    by: "no longer enforcing one",
    sql: "alter table steps alter constraint steps_newest_event_fk not enforced",
    names: ["constraint steps_newest_event_fk on public.steps"],
    says: changed("enforced"),
    on: [18],
  },
  {
    by: "checking one before the commit",
    sql: "alter table tasks alter constraint tasks_active_version_fk not deferrable",
    names: ["constraint tasks_active_version_fk on public.tasks"],
    says: changed("definition"),
  },
  {
    by: "pointing one at fewer columns",
    sql: `alter table task_versions drop constraint task_versions_current_step_fk, add constraint
      task_versions_current_step_fk foreign key (tenant_id, current_step_id) references steps (tenant_id, id)`,
    names: ["constraint task_versions_current_step_fk on public.task_versions"],
    says: changed("definition"),
  },
  {
    by: "not validating one",
    sql: `alter table tasks drop constraint tasks_newest_event_fk, add constraint tasks_newest_event_fk
      foreign key (tenant_id, id, event_seq, current_step_id) references step_events (tenant_id, task_id, seq, step_id)
      deferrable initially deferred not valid`,
    names: ["constraint tasks_newest_event_fk on public.tasks"],
    says: changed("definition"),
  },
  {
    by: "disabling the triggers behind foreign keys",
    sql: "alter table data_inputs disable trigger all",
    names: [
      "constraint data_inputs_child_fk on public.data_inputs",
      "constraint data_inputs_parent_fk on public.data_inputs",
    ],
    says: `${changed("enforced by")}"2 of 4 internal triggers"`,
  },
  {
    by: "dropping a check",
    sql: "alter table step_events drop constraint step_events_type",
    names: ["constraint step_events_type on public.step_events"],
    says: MISSING,
  },
  {
    by: "allowing any value in a check",
    sql: `alter table steps drop constraint steps_status,
      add constraint steps_status check (status is not null)`,
    names: ["constraint steps_status on public.steps"],
    says: changed("definition"),
  },
  {
    by: "no longer enforcing a check",
    sql: `alter table reviews drop constraint reviews_outcome,
      add constraint reviews_outcome check (outcome = any ('{"passed","failed"}'::text[])) not enforced`,
    names: ["constraint reviews_outcome on public.reviews"],
    says: changed("definition"),
    on: [18],
  },
  {
    by: "dropping a primary key",
    sql: "alter table dead_letters drop constraint dead_letters_queue_message_id_pk",
    names: [
      "constraint dead_letters_queue_message_id_pk on public.dead_letters",
      "index public.dead_letters_queue_message_id_pk",
    ],
    says: MISSING,
  },
  {
    by: "adding a check that rejects every row",
    sql: "alter table webhooks add constraint never check (false) not valid",
    names: ["constraint never on public.webhooks"],
    says: EXTRA,
  },
];

const INDEXES: readonly Mutation[] = [
  {
    by: "dropping the unique index of idempotency keys",
    sql: "drop index operations_key",
    names: ["index public.operations_key"],
    says: MISSING,
  },
  {
    by: "dropping the unique index of one payment per version",
    sql: "drop index pipeline_dispatches_payment_once",
    names: ["index public.pipeline_dispatches_payment_once"],
    says: MISSING,
  },
  {
    by: "dropping the unique index of live trial slots",
    sql: "drop index trials_live_slot",
    names: ["index public.trials_live_slot"],
    says: MISSING,
  },
  {
    by: "making a unique index an ordinary one",
    sql: "drop index api_keys_digest; create index api_keys_digest on api_keys (tenant_id, digest)",
    names: ["index public.api_keys_digest"],
    says: changed("definition"),
  },
  {
    by: "limiting a unique index to some rows",
    sql: `drop index worker_runs_dispatch;
      create unique index worker_runs_dispatch on worker_runs (tenant_id, dispatch_id) where state = 'QUEUED'`,
    names: ["index public.worker_runs_dispatch"],
    says: changed("definition"),
  },
  {
    by: "leaving an index invalid",
    sql: "update pg_index set indisvalid = false where indexrelid = 'pipeline_dispatches_open_once'::regclass",
    names: ["index public.pipeline_dispatches_open_once"],
    says: `${changed("state")}"not valid"`,
  },
  {
    by: "adding a unique index over all tenants",
    sql: "create unique index one_title on tasks (title)",
    names: ["index public.one_title"],
    says: EXTRA,
  },
];

const TRIGGERS: readonly Mutation[] = [
  {
    by: "emptying the function of every guard",
    sql: `create or replace function refuse_change() returns trigger language plpgsql
      set search_path = pg_catalog, pg_temp as 'begin return new; end'`,
    names: ["function public.refuse_change()"],
    says: changed("body"),
  },
  {
    by: "giving a guard a condition that is never true",
    sql: `create or replace trigger steps_move_with_event before update on steps for each row when (false)
      execute function refuse_change('A step changes only together with a new event that names it.')`,
    names: ["trigger steps_move_with_event on public.steps"],
    says: changed("definition"),
  },
  {
    by: "weakening the condition of a guard",
    sql: `create or replace trigger tasks_move_with_event before update on tasks for each row
      when (new.event_seq < old.event_seq)
      execute function refuse_change('A task changes only together with a new event of its own.')`,
    names: ["trigger tasks_move_with_event on public.tasks"],
    says: changed("definition"),
  },
  {
    by: "limiting a guard to updates",
    sql: `create or replace trigger step_events_append_only before update on step_events for each row
      execute function refuse_change('History only grows.')`,
    names: ["trigger step_events_append_only on public.step_events"],
    says: changed("definition"),
  },
  {
    by: "disabling a guard",
    sql: "alter table steps disable trigger steps_sealed",
    names: ["trigger steps_sealed on public.steps"],
    says: `${changed("enabled")}"no"`,
  },
  {
    by: "enabling a guard on replicas only",
    sql: "alter table reviews enable replica trigger reviews_kept",
    names: ["trigger reviews_kept on public.reviews"],
    says: `${changed("enabled")}"on replicas only"`,
  },
  {
    by: "dropping a guard",
    sql: "drop trigger eval_step_events_no_truncate on eval_step_events",
    names: ["trigger eval_step_events_no_truncate on public.eval_step_events"],
    says: MISSING,
  },
  {
    by: "executing another function in a guard",
    sql: `create function refuse_nothing() returns trigger language plpgsql as 'begin return old; end';
      create or replace trigger evals_kept before delete on evals for each row execute function refuse_nothing()`,
    names: ["trigger evals_kept on public.evals", "function public.refuse_nothing()"],
    says: changed("definition"),
  },
  {
    by: "adding a trigger that changes what is written",
    sql: `create function forge() returns trigger language plpgsql as 'begin new.actor_name = ''x''; return new; end';
      create trigger forge before insert on step_events for each row execute function forge()`,
    names: ["trigger forge on public.step_events", "function public.forge()"],
    says: EXTRA,
  },
  {
    by: "denying in the catalog that a table has triggers and checks",
    sql: "update pg_class set relhastriggers = false, relchecks = 0 where oid = 'trials'::regclass",
    names: ["table public.trials"],
    says: `${changed("ignored")}"triggers, checks"`,
  },
  {
    by: "adding a rule that discards rows",
    sql: "create rule discard as on insert to dispatch_events do instead nothing",
    names: ["rule discard on public.dispatch_events"],
    says: EXTRA,
  },
  {
    by: "adding an event trigger",
    sql: `create function on_ddl() returns event_trigger language plpgsql as 'begin end';
      create event trigger watch on ddl_command_end execute function on_ddl()`,
    names: ["event trigger watch", "function public.on_ddl()"],
    says: EXTRA,
  },
];

const POLICIES: readonly Mutation[] = [
  {
    by: "adding a permissive policy",
    sql: "create policy everyone on tasks for select to stepledger_app using (true)",
    names: ["policy everyone on public.tasks"],
    says: EXTRA,
  },
  {
    by: "opening a policy with `or true`",
    sql: `alter policy steps_of_tenant on steps
      using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid or true)`,
    names: ["policy steps_of_tenant on public.steps"],
    says: changed("using"),
  },
  {
    by: "opening a policy for new rows",
    sql: "alter policy reviews_of_tenant on reviews with check (true)",
    names: ["policy reviews_of_tenant on public.reviews"],
    says: changed("with check"),
  },
  {
    by: "applying the owner's policy to everyone",
    sql: "alter policy evals_of_owner on evals to public",
    names: ["policy evals_of_owner on public.evals"],
    says: `${changed("roles")}"PUBLIC"`,
  },
  {
    by: "limiting a policy to one command",
    sql: `drop policy trials_of_tenant on trials; create policy trials_of_tenant on trials for select to stepledger_app
      using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)`,
    names: ["policy trials_of_tenant on public.trials"],
    says: changed("commands"),
  },
  {
    by: "dropping a policy",
    sql: "drop policy webhooks_of_tenant on webhooks",
    names: ["policy webhooks_of_tenant on public.webhooks"],
    says: MISSING,
  },
  {
    by: "adding a restrictive policy",
    sql: "create policy nothing on prompts as restrictive to stepledger_app using (false)",
    names: ["policy nothing on public.prompts"],
    says: EXTRA,
  },
  {
    by: "not forcing row security",
    sql: "alter table tasks no force row level security",
    names: ["table public.tasks"],
    says: `${changed("row security")}"enabled, but not forced"`,
  },
  {
    by: "disabling row security",
    sql: "alter table insights disable row level security",
    names: ["table public.insights"],
    says: `${changed("row security")}"forced, but not enabled"`,
  },
];

const GRANTS: readonly Mutation[] = [
  {
    by: "granting a column of the events",
    sql: "grant update (reason) on step_events to stepledger_app",
    names: ["column public.step_events.reason"],
    says: `${changed("grants")}"UPDATE to stepledger_app"`,
  },
  {
    by: "granting DELETE on events to everyone",
    sql: "grant delete on eval_step_events to public",
    names: ["table public.eval_step_events"],
    says: "DELETE to PUBLIC",
  },
  {
    by: "granting TRUNCATE",
    sql: "grant truncate on reviews to stepledger_app",
    names: ["table public.reviews"],
    says: "TRUNCATE to stepledger_app",
  },
  {
    by: "granting the table of tenants",
    sql: "grant select on tenants to stepledger_app",
    names: ["table public.tenants"],
    says: "SELECT to stepledger_app",
  },
  {
    by: "granting a right with grant option",
    sql: "grant select on prompts to stepledger_app with grant option",
    names: ["table public.prompts"],
    says: "SELECT to stepledger_app with grant option",
  },
  {
    by: "granting a table to another role",
    sql: "create role analyst; grant select on data to analyst",
    names: ["table public.data"],
    says: "SELECT to analyst",
  },
  {
    by: "revoking a right that the service needs",
    sql: "revoke insert on worker_runs from stepledger_app",
    names: ["table public.worker_runs"],
    says: changed("grants"),
  },
  {
    by: "revoking a right of the owner",
    sql: "revoke select on seed_runs from stepledger_owner",
    names: ["table public.seed_runs"],
    says: "not all rights to the owner",
  },
  {
    by: "letting everyone create objects",
    sql: "grant create on schema public to public",
    names: ["schema public"],
    says: "CREATE, USAGE to PUBLIC",
  },
  {
    by: "opening the schema of the migrations",
    sql: "grant usage on schema drizzle to stepledger_app",
    names: ["schema drizzle"],
    says: "USAGE to stepledger_app",
  },
  {
    by: "letting everyone create temporary tables",
    sql: "do $$ begin execute format('grant temporary on database %I to public', current_database()); end $$",
    names: ["database"],
    says: "TEMPORARY to PUBLIC",
  },
  {
    by: "granting on all future tables",
    sql: `alter default privileges for role stepledger_owner in schema public grant all on tables to stepledger_app`,
    names: ["default privileges of stepledger_owner on tables in schema public"],
    says: EXTRA,
  },
  {
    by: "letting the application set a sequence",
    sql: "grant update on sequence feed_id to stepledger_app",
    names: ["sequence public.feed_id"],
    says: "UPDATE, USAGE to stepledger_app",
  },
  {
    by: "letting the application rebuild labels",
    sql: "grant execute on function rebuild_labels() to stepledger_app",
    names: ["function public.rebuild_labels()"],
    says: "EXECUTE to stepledger_app",
  },
  {
    by: "letting everyone execute a function with the owner's rights",
    sql: "grant execute on function sweep_declared_data(interval, integer) to public",
    names: [
      "function public.sweep_declared_data(age interval, rows_max integer, OUT rows integer, OUT keys text[])",
    ],
    says: "EXECUTE to PUBLIC",
  },
  {
    by: "letting the application read files of the server",
    sql: "grant execute on function pg_read_file(text) to stepledger_app",
    names: ["grant of stepledger_app: function pg_read_file(text)"],
    says: EXTRA,
  },
  {
    by: "letting everyone list directories of the server",
    sql: "grant execute on function pg_ls_dir(text) to public",
    names: ["grant of PUBLIC: function pg_ls_dir(text)"],
    says: EXTRA,
  },
  {
    by: "letting the application disable triggers for its session",
    sql: "grant set on parameter session_replication_role to stepledger_app",
    names: ["grant of stepledger_app: parameter session_replication_role"],
    says: EXTRA,
  },
  {
    by: "letting everyone disable triggers for their session",
    sql: "grant set on parameter session_replication_role to public",
    names: ["grant of PUBLIC: parameter session_replication_role"],
    says: EXTRA,
  },
];

const BACK_DOOR = "security definer language plpgsql as 'begin execute statements; end'";

const FUNCTIONS: readonly Mutation[] = [
  {
    by: "adding a function with the owner's rights",
    sql: `create function back_door(statements text) returns void ${BACK_DOOR}`,
    names: ["function public.back_door(statements text)"],
    says: EXTRA,
  },
  {
    by: "adding one in a schema of its own",
    sql: `create schema attic; grant usage on schema attic to public;
      create function attic.back_door(statements text) returns void ${BACK_DOOR}`,
    names: ["schema attic", "function attic.back_door(statements text)"],
    says: EXTRA,
  },
  {
    by: "adding one to Postgres's own schema",
    sql: `create function pg_catalog.back_door(statements text) returns void ${BACK_DOOR}`,
    names: ["function pg_catalog.back_door(statements text)"],
    says: EXTRA,
  },
  {
    by: "hiding one in an extension",
    sql: `create function similar_to_all(statements text) returns void ${BACK_DOOR};
      alter extension pg_trgm add function similar_to_all(text)`,
    names: ["function public.similar_to_all(statements text)"],
    says: EXTRA,
  },
  {
    by: "disguising one as a prepared statement",
    sql: `create function prepared.load_task_01234567(statements text) returns void ${BACK_DOOR}`,
    names: ["function prepared.load_task_01234567(statements text)"],
    says: EXTRA,
  },
  {
    by: "searching temporary tables first",
    sql: "alter function claim_orphans(text[]) set search_path = pg_catalog, public",
    names: ["function public.claim_orphans(keys text[])"],
    says: changed("settings"),
  },
  {
    by: "removing a function's settings",
    sql: "alter function keep_labels() reset all",
    names: ["function public.keep_labels()"],
    says: changed("settings"),
  },
  {
    by: "running a function with its caller's rights",
    sql: "alter function tenant_name() security invoker",
    names: ["function public.tenant_name()"],
    says: changed("security"),
  },
  {
    by: "running a function with the rights of a superuser",
    sql: "alter function finish_sweep(text[]) owner to postgres",
    names: ["function public.finish_sweep(keys text[])"],
    says: `${changed("owner")}"postgres"`,
  },
  {
    by: "changing a function's volatility",
    sql: "alter function label_rank(text) volatile",
    names: ["function public.label_rank(label text)"],
    says: `${changed("volatility")}"volatile"`,
  },
  {
    by: "calling a function leakproof",
    sql: "alter function iso(timestamptz) leakproof",
    names: ["function public.iso(moment timestamp with time zone)"],
    says: changed("leakproof"),
  },
  {
    by: "hashing nothing for events without a payload",
    sql: "alter function chain_link(bytea, bytea, text) strict",
    names: ["function public.chain_link(hash bytea, head bytea, canonical text)"],
    says: changed("strict"),
  },
  {
    by: "changing what an SQL function returns",
    sql: `create or replace function attention_of(kind text, status text, gate text, review_failed boolean, idle boolean) returns text[]
      language sql immutable parallel safe return '{}'::text[]`,
    names: [
      "function public.attention_of(kind text, status text, gate text, review_failed boolean, idle boolean)",
    ],
    says: changed("body"),
  },
  {
    by: "changing a prepared statement",
    sql: `do $do$ declare definition text; begin
        select pg_get_functiondef(oid) into definition from pg_proc where proname like 'record_plain_moves_%';
        execute replace(definition, 'insert into operations', 'insert into  operations');
      end $do$`,
    names: ["function prepared.record_plain_moves"],
    says: changed("body"),
  },
  {
    by: "dropping a prepared statement",
    sql: `do $do$ begin execute format('drop function %s',
        (select oid::regprocedure from pg_proc where proname like 'load\\_task\\_%' and not prosecdef)); end $do$`,
    names: ["function prepared.load_task"],
    says: MISSING,
  },
  {
    by: "changing the identifier of the feed beyond its random part",
    sql: `create or replace function feed_generation() returns text language sql stable security definer
      set search_path = pg_catalog, public, pg_temp return md5('00000000-0000-4000-8000-000000000000')`,
    names: ["function public.feed_generation()"],
    says: changed("body"),
  },
  {
    by: "starting every hash chain from a constant",
    sql: `create or replace aggregate chain_hash(head bytea, canonical text)
      (sfunc = chain_link, stype = bytea, initcond = '')`,
    names: ["aggregate public.chain_hash(head bytea, canonical text)"],
    says: changed("aggregate"),
  },
];

const TABLES: readonly Mutation[] = [
  {
    by: "allowing null in a column",
    sql: "alter table reviews alter column outcome drop not null",
    names: ["column public.reviews.outcome"],
    says: `${changed("null")}"allowed"`,
  },
  {
    by: "allowing null in old rows",
    sql: `alter table evals alter column name drop not null;
      alter table evals add constraint named not null name not valid`,
    names: ["column public.evals.name"],
    says: `${changed("null")}"in old rows"`,
    on: [18],
  },
  {
    by: "changing the type of a column",
    sql: "alter table pipelines alter column timeout_seconds type bigint",
    names: ["column public.pipelines.timeout_seconds"],
    says: `${changed("type")}"bigint"`,
  },
  {
    by: "changing a default",
    sql: "alter table api_keys alter column role set default 'admin'",
    names: ["column public.api_keys.role"],
    says: changed("default"),
  },
  {
    by: "changing a collation",
    sql: `alter table taxonomy alter column code type text collate "POSIX"`,
    names: ["column public.taxonomy.code"],
    says: changed("collation"),
  },
  {
    by: "adding a column",
    sql: "alter table tasks add column note text",
    names: ["column public.tasks.note"],
    says: EXTRA,
  },
  {
    by: "adding a generated column",
    sql: "alter table webhooks add column copy text generated always as (url) stored",
    names: ["column public.webhooks.copy"],
    says: EXTRA,
  },
  {
    by: "dropping a column",
    sql: "alter table webhooks drop column updated_at",
    names: ["column public.webhooks.updated_at"],
    says: MISSING,
  },
  {
    by: "not logging a table, so that a crash empties it",
    sql: "alter table dead_letters set unlogged",
    names: ["table public.dead_letters"],
    says: `${changed("persistence")}"unlogged"`,
  },
  {
    by: "giving a table to another owner",
    sql: "alter table analytics_events owner to postgres",
    names: ["table public.analytics_events"],
    says: `${changed("owner")}"postgres"`,
  },
  {
    by: "replicating no identity",
    sql: "alter table step_events replica identity nothing",
    names: ["table public.step_events"],
    says: changed("replica identity"),
  },
  {
    by: "dropping a table",
    sql: "drop table sweep_positions cascade",
    names: [
      "function public.sweep_position(of_sweep text)",
      "function public.keep_sweep_position(of_sweep text, reached text)",
      "table public.sweep_positions",
      "column public.sweep_positions.sweep",
      'column public.sweep_positions."position"',
      "constraint sweep_positions_pkey on public.sweep_positions",
      "index public.sweep_positions_pkey",
    ],
    says: MISSING,
  },
  {
    by: "adding a table whose rows appear in another",
    sql: "create table more_dispatch_events () inherits (dispatch_events)",
    names: [
      "table public.more_dispatch_events",
      "column public.more_dispatch_events",
      "constraint dispatch_events_from_state on public.more_dispatch_events",
      "constraint dispatch_events_to_state on public.more_dispatch_events",
    ],
    says: EXTRA,
  },
  {
    by: "letting a view read as its owner",
    sql: "alter view task_facts reset (security_invoker)",
    names: ["view public.task_facts"],
    says: changed("options"),
  },
  {
    by: "adding a view that reads as its owner",
    sql: "create view all_tenants as select * from tenants; grant select on all_tenants to stepledger_app",
    names: [
      "view public.all_tenants",
      "column public.all_tenants.id",
      "column public.all_tenants.name",
      "column public.all_tenants.kind",
      "column public.all_tenants.created_at",
    ],
    says: EXTRA,
  },
  {
    by: "letting a sequence repeat",
    sql: "alter sequence dispatch_event_position cycle",
    names: ["sequence public.dispatch_event_position"],
    says: changed("definition"),
  },
  {
    by: "adding an operator",
    sql: "create operator public.=== (function = texteq, leftarg = text, rightarg = text)",
    names: ["operator public.===(pg_catalog.text,pg_catalog.text)"],
    says: EXTRA,
  },
  {
    by: "adding a cast",
    sql: "create cast (integer as text) with inout as implicit",
    names: ["cast (integer AS pg_catalog.text)"],
    says: EXTRA,
  },
  {
    by: "adding a domain",
    sql: "create domain public.status as text",
    names: ["type public.status"],
    says: EXTRA,
  },
  {
    by: "adding a foreign server",
    sql: "create foreign data wrapper elsewhere; create server far foreign data wrapper elsewhere",
    names: ["foreign-data wrapper elsewhere", "server far"],
    says: EXTRA,
  },
  {
    by: "adding an extension",
    sql: "create extension dblink",
    names: [
      "extension dblink",
      "function public.dblink_connect_u(text)",
      "function public.dblink_connect_u(text, text)",
    ],
    says: EXTRA,
  },
];

const ROLES: readonly Mutation[] = [
  {
    by: "verifying a database of an earlier release",
    sql: `delete from drizzle.__drizzle_migrations
      where id = (select max(id) from drizzle.__drizzle_migrations)`,
    names: ["migrations"],
    says: changed("applied"),
  },
  {
    by: "letting the application bypass row security and create roles",
    sql: "alter role stepledger_app bypassrls createrole",
    names: ["role stepledger_app"],
    says: `${changed("attributes")}"bypasses row security, may create roles"`,
  },
  {
    by: "setting parameters for the application's role",
    sql: "alter role stepledger_app set session_replication_role = replica",
    names: ["role stepledger_app"],
    says: "session_replication_role=replica",
  },
  {
    by: "making the owner a superuser",
    sql: "alter role stepledger_owner superuser",
    names: ["role stepledger_owner"],
    says: `${changed("attributes")}"superuser"`,
  },
  {
    by: "making the application a member of the owner",
    sql: "grant stepledger_owner to stepledger_app",
    names: ["membership of stepledger_app in stepledger_owner"],
    says: EXTRA,
  },
  {
    by: "letting the application read all data",
    sql: "grant pg_read_all_data to stepledger_app",
    names: ["membership of stepledger_app in pg_read_all_data"],
    says: EXTRA,
  },
  {
    by: "making another role a member of the owner",
    sql: "create role accomplice; grant stepledger_owner to accomplice",
    names: ["membership of accomplice in stepledger_owner"],
    says: EXTRA,
  },
  {
    by: "setting parameters for the database",
    sql: "do $$ begin execute format('alter database %I set search_path = attic', current_database()); end $$",
    names: ["database"],
    says: `${changed("settings")}"search_path=attic"`,
  },
  {
    by: "giving the application an object of its own",
    sql: "set local role stepledger_app; select lo_create(4242); reset role",
    names: ["property of stepledger_app: large object 4242"],
    says: EXTRA,
  },
];

/** Each list is planted at once, so no two of its mutations may touch the same object. */
const BATCHES: readonly (readonly Mutation[])[] = [
  [...CONSTRAINTS, ...INDEXES, ...TRIGGERS, ...POLICIES],
  GRANTS,
  [...FUNCTIONS, ...TABLES],
  ROLES,
];

/** What is not a difference: what a release cannot know. */
const ACCEPTED: readonly string[] = [
  // A database that was migrated separately.
  `do $do$ begin execute regexp_replace(pg_get_functiondef('feed_generation'::regproc),
    '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}', gen_random_uuid()::text); end $do$`,
  "alter role stepledger_app password 'another'",
  // A prepared statement of an earlier release.
  `create function prepared.load_task_89abcdef(p_tenant_id uuid) returns void language plpgsql
    set plan_cache_mode = force_generic_plan as 'begin end';
    alter function prepared.load_task_89abcdef owner to stepledger_owner`,
  "alter table tasks set (autovacuum_vacuum_scale_factor = 0.01)",
  "create extension pg_stat_statements",
];

/** What Neon has in a project before `npm run roles`: an administrator who is no superuser, and roles of its own. */
const NEON = `
  create role cloud_admin superuser;
  create role neon_superuser createrole createdb bypassrls;
  create role neondb_owner login createrole createdb bypassrls in role neon_superuser password 'administrator'`;
/** What it adds to every database. */
const NEON_IN_DATABASE = `
  do $$ begin execute format('grant all on database %I to neon_superuser', current_database()); end $$;
  alter default privileges for role cloud_admin in schema public
    grant all on tables to neon_superuser with grant option;
  create schema neon authorization cloud_admin;
  create table neon.metrics (name text);
  alter table neon.metrics owner to cloud_admin`;

/** The digest of every folded character of the first two planes. If it changes, every index on folded text is invalid. */
const FOLDED_CHARACTERS = "0718a142eaa87563fefa20e9718f2304";

/** Letters that Unicode got after version 14, from which fold_unicode is; and the dotless i, which only Turks capitalize. */
const UNFOLDED =
  /[\u0131\u1c89\u1c8a\u019b\u0264\ua7c0-\ua7dc\u{105c0}-\u{105ff}\u{10d50}-\u{10d85}\u{16ea0}-\u{16edf}\u{1c89}-\u{1c8a}]/u;

/** Every letter that has another case, with it. */
const CASES = Array.from({ length: 0x1ffff }, (_, code) => code)
  .filter((code) => code < 0xd800 || code > 0xdfff)
  .map((code) => String.fromCodePoint(code))
  .flatMap((letter) =>
    [letter.toUpperCase(), letter.toLowerCase()]
      .filter((other) => other !== letter && !UNFOLDED.test(letter + other))
      .map((other) => ({ one: letter, other })),
  );

describe.each(POSTGRES_VERSIONS)("on PostgreSQL %i, verify", (version) => {
  let cluster: Cluster;
  let superuser: Client;
  const found = new Map<Mutation, readonly CatalogDifference[]>();
  const batches = BATCHES.map((batch) => batch.filter(({ on }) => on?.includes(version) ?? true));

  beforeAll(async () => {
    cluster = await startTemporaryCluster({ durable: false, version });
    const passwords = { owner: "owner", application: "application" };
    superuser = new Client({ connectionString: cluster.superuserUrl() });
    await superuser.connect();
    await superuser.query(NEON);
    await superuser.end();
    const adminUrl = urlForRole(cluster.superuserUrl(), "neondb_owner", "administrator");
    await createRoles({ adminUrl, database: "planted", passwords });
    const url = cluster.superuserUrl("planted");
    await migrateDatabase(urlForRole(url, OWNER_ROLE, passwords.owner));
    superuser = new Client({ connectionString: url });
    await superuser.connect();
    await superuser.query(NEON_IN_DATABASE);
    for (const batch of batches) {
      const differences = await planted(batch.map(({ sql }) => sql));
      for (const mutation of batch) found.set(mutation, differences);
    }
  });
  afterAll(async () => {
    await superuser.end();
    await cluster.stop();
  });

  /** Runs the statements, returns what verify says then, and rolls everything back. */
  async function planted(statements: readonly string[]): Promise<readonly CatalogDifference[]> {
    await superuser.query("begin");
    try {
      for (const statement of statements) await superuser.query(statement);
      return (await verifyCatalog(superuser)).differences;
    } finally {
      await superuser.query("rollback");
    }
  }

  /** The name of a table also means its columns; that of a prepared statement ends with a digest. */
  const about = (name: string, differences: readonly CatalogDifference[]) =>
    differences.filter(
      ({ object }) =>
        object === name || object.startsWith(`${name}.`) || object.startsWith(`${name}_`),
    );

  test("finds no difference in a migrated database on Neon", async () => {
    expect(await planted([])).toEqual([]);
  });

  test("every character is folded as on every other version, so that an index can move", async () => {
    const { rows } = await superuser.query<{ digest: string }>(`
      select md5(string_agg(text_fold(text), '' order by block)) as digest
      from (select n / 4096 as block, string_agg(chr(n), ' ' order by n) as text from generate_series(1, 131071) n
        where n not between 55296 and 57343 group by 1) blocks`);
    expect(rows[0]?.digest).toBe(FOLDED_CHARACTERS);
  });

  test("the cases of a letter are folded to one", async () => {
    const { rows } = await superuser.query<{ one: string; other: string }>(
      `select one, other from json_to_recordset($1) as pair(one text, other text)
       where text_fold(one) is distinct from text_fold(other)`,
      [JSON.stringify(CASES)],
    );
    expect(rows).toEqual([]);
  });

  test("finds none in what a release cannot know", async () => {
    expect(await planted(ACCEPTED)).toEqual([]);
  });

  test.for(batches.flat())("names $by", (mutation) => {
    const differences = found.get(mutation) ?? [];
    const [first, ...others] = mutation.names.map((name) => about(name, differences));
    expect(first?.map(({ problem }) => problem).join("\n")).toContain(mutation.says);
    for (const other of others) expect(other).not.toEqual([]);
  });

  test.for(batches)("names nothing else", (batch) => {
    const differences = found.get(batch[0] as Mutation) ?? [];
    const named = new Set(
      batch.flatMap(({ names }) => names.flatMap((name) => about(name, differences))),
    );
    expect(differences.filter((difference) => !named.has(difference))).toEqual([]);
  });
});

test("a version that the snapshot does not contain has none", async () => {
  expect(await readSnapshot(15)).toBeNull();
  expect(await readSnapshot(18)).not.toBeNull();
});

test("an object that only the snapshot has is missing, one that only the database has is extra", () => {
  const expected = new Map([["table a", { grants: "SELECT to PUBLIC" }]]);
  const actual = new Map([["table b", {}]]);
  expect(compareCatalogs(expected, actual)).toEqual([
    { object: "table a", problem: "is missing" },
    { object: "table b", problem: "is extra: no migration of this release creates it" },
  ]);
});

import type { Service } from "./service.ts";

// The baseline's tables: copies of the four main tables with all columns, indexes and keys, but without hashes, the
// operations ledger, labels and row-level security.

const TABLES = ["tasks", "task_versions", "steps", "step_events"] as const;

/** Recreates the bare tables with one tenant's tasks, and returns the ids of the tasks. */
export async function createBareTables(
  service: Service,
  tenant: string,
): Promise<{ taskIds: string[] }> {
  await service.query("drop schema if exists bare cascade");
  await service.query("create schema bare");
  for (const table of TABLES) {
    await service.query(`create table bare.${table} (like public.${table} including all)`);
    await service.query(
      `insert into bare.${table} select * from public.${table} where tenant_id = $1`,
      [tenant],
    );
  }
  for (const { table, name, definition } of await foreignKeys(service)) {
    await service.query(
      `alter table bare.${table} add constraint ${name} ${definition.replace("REFERENCES ", "REFERENCES bare.")}`,
    );
  }
  await service.query("grant usage on schema bare to stepledger_app");
  await service.query("grant usage on sequence feed_id to stepledger_app");
  await service.query(
    "grant select, insert, update on all tables in schema bare to stepledger_app",
  );
  for (const table of TABLES) await service.query(`vacuum (analyze) bare.${table}`);
  const rows = await service.query<{ id: string }>("select id from bare.tasks order by id");
  return { taskIds: rows.map(({ id }) => id) };
}

/** Returns the foreign keys between the four tables. */
function foreignKeys(service: Service) {
  return service.query<{ table: string; name: string; definition: string }>(
    `select c.relname as table, k.conname as name, pg_get_constraintdef(k.oid) as definition
     from pg_constraint k
       join pg_class c on c.oid = k.conrelid join pg_class r on r.oid = k.confrelid
     where k.contype = 'f' and c.relnamespace = 'public'::regnamespace
       and c.relname = any($1) and r.relname = any($1)`,
    [TABLES],
  );
}

/**
 * The statement that one would write by hand to move many tasks: it writes the events first, then the steps, versions
 * and tasks. $1 tenant, $2 task ids, $3 new status, $4 new gate.
 */
export const BARE_STATEMENT = `
with moved as materialized (
  select t.id, t.event_seq + 1 as seq, t.current_step_id as step_id, t.active_version_id as version_id,
    s.status, s.gate
  from bare.tasks t join bare.steps s on s.tenant_id = t.tenant_id and s.id = t.current_step_id
  where t.tenant_id = $1 and t.id = any($2::uuid[])
  order by t.id for no key update of t
),
inserted_events as (
  insert into bare.step_events (tenant_id, task_id, seq, version_id, step_id, type, from_status, to_status,
    from_gate, to_gate, run_attached_workflows, actor_id, actor_name, actor_kind, actor_role, reason, payload,
    operation_id, request_id, registry_version, at, prev_hash, hash)
  select $1, id, seq, version_id, step_id, 'bulk_transitioned', status, $3, gate, $4, false,
    'key:bare', 'Bare', 'key', 'reviewer', 'Measured.', '{}', gen_random_uuid(), 'bare', 1, now(), '', ''
  from moved
  returning task_id, seq, version_id, step_id, at
),
updated_steps as (
  update bare.steps s set status = $3, gate = $4, event_seq = e.seq
  from inserted_events e where s.tenant_id = $1 and s.id = e.step_id
),
updated_versions as (
  update bare.task_versions v set current_step_id = e.step_id
  from inserted_events e where v.tenant_id = $1 and v.id = e.version_id
)
update bare.tasks t set current_step_id = e.step_id, event_seq = e.seq, status_since = e.at, updated_at = e.at
from inserted_events e where t.tenant_id = $1 and t.id = e.task_id`;

/** The two states between which bare tasks move back and forth. */
export const BARE_MOVES = [
  { status: "changes_requested", gate: "failed" },
  { status: "in_review", gate: "evaluating" },
] as const;

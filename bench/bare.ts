import type { Service } from "./service.ts";

// The tables of a design without proof: the same four with all their columns, indexes and keys, and without hash,
// ledger, label or row security. What is measured against writes here.

const TABLES = ["tasks", "task_versions", "steps", "step_events"] as const;

/** Makes the bare tables anew, with the tasks of one tenant in them. */
export async function makeBareTables(
  service: Service,
  tenant: string,
): Promise<{ taskIds: string[] }> {
  await service.look("drop schema if exists bare cascade");
  await service.look("create schema bare");
  for (const table of TABLES) {
    await service.look(`create table bare.${table} (like public.${table} including all)`);
    await service.look(
      `insert into bare.${table} select * from public.${table} where tenant_id = $1`,
      [tenant],
    );
  }
  for (const { table, name, definition } of await keys(service)) {
    await service.look(
      `alter table bare.${table} add constraint ${name} ${definition.replace("REFERENCES ", "REFERENCES bare.")}`,
    );
  }
  await service.look("grant usage on schema bare to stepledger_app");
  await service.look("grant usage on sequence feed_id to stepledger_app");
  await service.look("grant select, insert, update on all tables in schema bare to stepledger_app");
  for (const table of TABLES) await service.look(`vacuum (analyze) bare.${table}`);
  const rows = await service.look<{ id: string }>("select id from bare.tasks order by id");
  return { taskIds: rows.map(({ id }) => id) };
}

/** The keys among the four tables, as the product has them. */
function keys(service: Service) {
  return service.look<{ table: string; name: string; definition: string }>(
    `select c.relname as table, k.conname as name, pg_get_constraintdef(k.oid) as definition
     from pg_constraint k
       join pg_class c on c.oid = k.conrelid join pg_class r on r.oid = k.confrelid
     where k.contype = 'f' and c.relnamespace = 'public'::regnamespace
       and c.relname = any($1) and r.relname = any($1)`,
    [TABLES],
  );
}

/**
 * What somebody writes by hand who moves many tasks in one statement: events first, then steps, versions and tasks.
 * $1 tenant, $2 ids, $3 the status after, $4 the gate after.
 */
export const BARE_STATEMENT = `
with moved as materialized (
  select t.id, t.event_seq + 1 as seq, t.current_step_id as step_id, t.active_version_id as version_id,
    s.status, s.gate
  from bare.tasks t join bare.steps s on s.tenant_id = t.tenant_id and s.id = t.current_step_id
  where t.tenant_id = $1 and t.id = any($2::uuid[])
  order by t.id for no key update of t
),
told as (
  insert into bare.step_events (tenant_id, task_id, seq, version_id, step_id, type, from_status, to_status,
    from_gate, to_gate, run_attached_workflows, actor_id, actor_name, actor_kind, actor_role, reason, payload,
    operation_id, request_id, registry_version, at, prev_hash, hash)
  select $1, id, seq, version_id, step_id, 'bulk_transitioned', status, $3, gate, $4, false,
    'key:bare', 'Bare', 'key', 'reviewer', 'Measured.', '{}', gen_random_uuid(), 'bare', 1, now(), '', ''
  from moved
  returning task_id, seq, version_id, step_id, at
),
stepped as (
  update bare.steps s set status = $3, gate = $4, event_seq = t.seq
  from told t where s.tenant_id = $1 and s.id = t.step_id
),
versioned as (
  update bare.task_versions v set current_step_id = t.step_id
  from told t where v.tenant_id = $1 and v.id = t.version_id
)
update bare.tasks k set current_step_id = t.step_id, event_seq = t.seq, status_since = t.at, updated_at = t.at
from told t where k.tenant_id = $1 and k.id = t.task_id`;

/** The two states between which bare tasks go to and fro. */
export const BARE_MOVES = [
  { status: "changes_requested", gate: "failed" },
  { status: "in_review", gate: "evaluating" },
] as const;

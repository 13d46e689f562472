import type { GateState } from "../../src/domain/lifecycle/statuses.ts";
import { GATE_ON_STATUS } from "../../src/domain/lifecycle/gates.ts";
import { analyzeIfGrown } from "./statistics.ts";
import { type Place, type Tenant, type TestApi } from "./api.ts";

/** Tasks per statement. The embedded database takes about a second for them. */
const TASKS_MAX = 5000;

/**
 * Creates one task for each place without the service, as if each had been imported there. For tests that need more
 * tasks or rarer places than calls can create in time. The tasks satisfy all invariants. Returns their ids in order.
 */
export async function givenMany(
  { database, tenant: own }: TestApi,
  places: readonly Place[],
  tenant: Tenant = own,
): Promise<string[]> {
  const ids: string[] = [];
  for (let start = 0; start < places.length; start += TASKS_MAX) {
    const rows = places.slice(start, start + TASKS_MAX).map(({ kind, status, gate }) => ({
      kind,
      status,
      gate: gate ?? (GATE_ON_STATUS[status] satisfies GateState),
    }));
    const inserted = await database.query("owner", LOADER, [tenant.id, JSON.stringify(rows)]);
    ids.push(...inserted.map(({ id }) => String(id)));
  }
  await analyzeIfGrown(database);
  return ids;
}

/** Creates `count` tasks at one place. */
export function givenManyAt(
  api: TestApi,
  count: number,
  place: Place,
  tenant?: Tenant,
): Promise<string[]> {
  return givenMany(
    api,
    Array.from({ length: count }, () => place),
    tenant,
  );
}

const LOADER = `
with created as materialized (
  select place.position, p.kind, p.status, p.gate, $1::uuid as tenant_id, new_id() as task_id, new_id() as version_id,
    new_id() as step_id, new_id() as operation_id, statement_timestamp() as at,
    'Task ' || place.position as title,
    encode(sha256(convert_to('{}', 'UTF8')), 'hex') as content_hash
  from json_array_elements($2::json) with ordinality as place(fields, position)
    cross join lateral json_to_record(place.fields) as p(kind text, status text, gate text)
),
spelled as materialized (
  select *, json_build_object('assignee', null, 'contentHash', content_hash, 'externalId', null, 'imported', true,
    'opened', json_build_object('attempt', 1, 'fromStepId', null, 'kind', kind), 'priority', 0,
    'taxonomyCode', null, 'title', title)::text as payload
from created
),
hashed as materialized (
  select *, chain_link(null, decode(repeat('00', 32), 'hex'), step_event_canonical(tenant_id, task_id, 1, version_id,
    step_id, 'task_created', null, status, null, gate, 'loader', 'A loader', 'system', 'admin', 'Begun elsewhere',
    payload, null, false, null, operation_id, 'loader', 1, at)) as hash
  from spelled
),
versions as (
  insert into task_versions (tenant_id, id, task_id, number, content, content_hash, current_step_id, created_by,
    created_at)
  select tenant_id, version_id, task_id, 1, '{}', content_hash, step_id, 'loader', at from hashed
),
opened as (
  insert into steps (tenant_id, id, task_id, version_id, kind, attempt, status, gate, event_seq, created_at)
  select tenant_id, step_id, task_id, version_id, kind, 1, status, gate, 1, at from hashed
),
events as (
  insert into step_events (tenant_id, task_id, seq, version_id, step_id, type, to_status, to_gate,
    run_attached_workflows, actor_id, actor_name, actor_kind, actor_role, reason, payload, operation_id, request_id,
    registry_version, at, prev_hash, hash)
  select tenant_id, task_id, 1, version_id, step_id, 'task_created', status, gate, false, 'loader', 'A loader',
    'system', 'admin', 'Begun elsewhere', payload, operation_id, 'loader', 1, at,
    decode(repeat('00', 32), 'hex'), hash
  from hashed
),
tasks as (
  insert into tasks (tenant_id, id, title, priority, current_step_id, active_version_id, event_seq, event_head,
    status_since, created_by, created_at, updated_at)
  select tenant_id, task_id, title, 0, step_id, version_id, 1, hash, at, 'loader', at, at from hashed
)
select task_id as id from hashed order by position`;

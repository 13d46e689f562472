import { type SQL, sql } from "drizzle-orm";
import type { SeedMix } from "../../domain/seed/mix.ts";
import { OPEN_SEED_RUN_STATES, type SeedRunState } from "../../domain/seed/run-states.ts";
import type { UnifiedStatus } from "../../domain/status/unified.ts";
import type { Operation, OperationRecord, TenantDatabase } from "../connection/client.ts";
import { keyQuery } from "../connection/stored-operation.ts";

/** A seed run. Times that are not marked as real are simulated. */
export interface SeedRunRecord {
  id: string;
  state: SeedRunState;
  seed: number;
  tasks: number;
  anchor: string;
  days: number;
  mix: SeedMix;
  speed: number;
  wantedUntil: string;
  appliedUntil: string;
  sliceUntil: string | null;
  teamsDone: number;
  batchesDone: number;
  nextActionAt: string | null;
  actionsApplied: number;
  actionsRefused: number;
  /** Whether work on the run is in progress. */
  isLeased: boolean;
  /** In how many real seconds the next tick is due; negative if it is late. */
  tickInSeconds: number;
  createdBy: string;
  /** Real. */
  createdAt: string;
  /** Real. */
  updatedAt: string;
}

/** A SeedRunRecord, from the alias r. */
export const SEED_RUN_JSON: SQL = sql`json_build_object('id', r.id, 'state', r.state, 'seed', r.seed, 'tasks', r.tasks,
  'anchor', iso(r.anchor), 'days', r.days, 'mix', r.mix, 'speed', r.speed, 'wantedUntil', iso(r.wanted_until),
  'appliedUntil', iso(r.applied_until), 'sliceUntil', iso(r.slice_until), 'teamsDone', r.teams_done,
  'batchesDone', r.batches_done, 'nextActionAt', iso(r.next_action_at), 'actionsApplied', r.actions_applied,
  'actionsRefused', r.actions_refused, 'isLeased', coalesce(r.lease_until > now(), false),
  'tickInSeconds', round(extract(epoch from r.tick_due_at - now())),
  'createdBy', r.created_by, 'createdAt', iso(r.created_at), 'updatedAt', iso(r.updated_at))`;

const IS_OPEN = sql`r.state in ${OPEN_SEED_RUN_STATES}`;

/** What decides whether a run can start now. */
export interface SeedRunObstacles {
  isDemo: boolean;
  /** The run that is not over, if there is one. */
  open: string | null;
  /** What the tenant's simulated clock shows, if it has one. No story begins before it. */
  clock: string | null;
}

/** Returns what would keep a run from starting, and what an earlier call with the same key stored. */
export async function findSeedRunObstacles(
  database: TenantDatabase,
  call: Operation | null = null,
): Promise<SeedRunObstacles & { stored: OperationRecord | null }> {
  const { tenantId } = database;
  const [[row], [stored = null]] = await database.readAll<[SeedRunObstacles, OperationRecord]>([
    sql`
    select tenant_kind() = 'demo' as "isDemo", (select r.id from seed_runs r where r.tenant_id = ${tenantId} and ${IS_OPEN}) as open,
      (select iso(tenant_now()) from simulated_clocks c where c.tenant_id = ${tenantId}) as clock`,
    keyQuery(call),
  ]);
  return { isDemo: false, open: null, clock: null, ...row, stored };
}

/**
 * Returns a run (undefined if the tenant has none with this id), and the operation that an earlier call with the same key
 * stored.
 */
export async function findSeedRun(
  database: TenantDatabase,
  id: string,
  call: Operation | null = null,
): Promise<{ found: SeedRunRecord | undefined; stored: OperationRecord | null }> {
  const [[row], [stored = null]] = await database.readAll<
    [{ run: SeedRunRecord }, OperationRecord]
  >([
    sql`select ${SEED_RUN_JSON} as run from seed_runs r where r.tenant_id = ${database.tenantId} and r.id = ${id}`,
    keyQuery(call),
  ]);
  return { found: row?.run, stored };
}

/** Returns the newest runs, newest first. */
export async function listSeedRuns(
  database: TenantDatabase,
  { after, limit }: { after: string | null; limit: number },
): Promise<SeedRunRecord[]> {
  const rows = await database.read<{ run: SeedRunRecord }>(sql`
    select ${SEED_RUN_JSON} as run from seed_runs r
    where r.tenant_id = ${database.tenantId} and (${after}::uuid is null or r.id < ${after}::uuid)
    order by r.id desc limit ${limit}`);
  return rows.map(({ run }) => run);
}

/** How many tasks of a run exist, and how many of those that are not archived have each label. */
export interface SeedTaskCounts {
  created: number;
  archived: number;
  byUnifiedStatus: Partial<Record<UnifiedStatus, number>>;
}

/** Returns a run with the counts of its tasks; undefined if the tenant has none with this id. */
export async function countSeedRun(
  database: TenantDatabase,
  id: string,
): Promise<{ run: SeedRunRecord; counts: SeedTaskCounts } | undefined> {
  const [row] = await database.read<{ run: SeedRunRecord; counts: SeedTaskCounts }>(sql`
    with task as (
      select l.unified_status as label, t.archived_at is not null as is_archived from tasks t
        join task_labels l on l.tenant_id = t.tenant_id and l.task_id = t.id
      where t.tenant_id = ${database.tenantId} and t.seed_run_id = ${id}
    ),
    labeled as (select label, count(*) as tasks from task where not is_archived group by label)
    select ${SEED_RUN_JSON} as run, json_build_object(
      'created', (select count(*) from task),
      'archived', (select count(*) from task where is_archived),
      'byUnifiedStatus', coalesce((select json_object_agg(label, tasks) from labeled), '{}')) as counts
    from seed_runs r where r.tenant_id = ${database.tenantId} and r.id = ${id}`);
  return row;
}

import { type SQL, sql } from "drizzle-orm";
import type { SeedMix } from "../../domain/seed/mix.ts";
import { OPEN_SEED_RUN_STATES, type SeedRunState } from "../../domain/seed/run-states.ts";
import type { UnifiedStatus } from "../../domain/status/unified.ts";
import type {
  Database,
  Operation,
  OperationRecord,
  TenantDatabase,
  Written,
} from "../connection/client.ts";
import { keyQuery } from "../connection/stored-operation.ts";
import { keepOrDrop } from "../ledger/operations.ts";

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

export interface NewSeedRun extends Pick<
  SeedRunRecord,
  "id" | "seed" | "tasks" | "anchor" | "days" | "mix" | "speed" | "createdBy"
> {
  /** When the story begins. */
  begin: string;
}

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
 * Stores a new run at the beginning of its story, to which it also sets the tenant's clock. Returns no row if another run is
 * open, or the story would begin in the past.
 */
export function insertSeedRun(
  database: TenantDatabase,
  run: NewSeedRun,
  operation: Operation,
): Promise<Written<{ run: SeedRunRecord }>> {
  const { tenantId } = database;
  return database.write(operation, [
    sql`
with
created as (
  insert into seed_runs as r (tenant_id, id, state, seed, tasks, anchor, days, mix, speed, wanted_until,
    applied_until, created_by)
  select ${tenantId}::uuid, ${run.id}::uuid, 'active', ${run.seed}::integer, ${run.tasks}::integer,
    ${run.anchor}::timestamptz, ${run.days}::integer, ${JSON.stringify(run.mix)}::jsonb, ${run.speed}::numeric,
    ${run.begin}::timestamptz, ${run.begin}::timestamptz, ${run.createdBy}::text
  where not exists (select from simulated_clocks c
    where c.tenant_id = ${tenantId}::uuid and tenant_now() > ${run.begin}::timestamptz)
  -- A tenant has one open run: seed_runs_open.
  on conflict do nothing
  returning ${SEED_RUN_JSON} as run
),
${keepOrDrop({ tenantId, operation }, { from: sql`created`, result: sql`created.run` })}
select run, move_simulated_clock(${run.begin}::timestamptz, 0) from created`,
  ]);
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

/** What a call wants of an active run. */
export interface SeedRunWish {
  /** How far the story shall be told, in simulated time; its end at most. */
  until?: string | undefined;
  /** The same, in simulated seconds from how far it is wanted already. */
  bySeconds?: number | undefined;
  speed?: number | undefined;
}

/**
 * How far the speed of a run has brought its story since the last tick. A late tick counts as late by this at most, so that
 * a story does not leap ahead when a machine wakes up.
 */
const LATE_SECONDS = 30;
export const tickedUntil =
  (): SQL => sql`(coalesce(r.slice_until, r.applied_until) + r.speed::double precision
  * greatest('0'::interval, least(now() - r.ticked_at,
      r.tick_due_at - r.ticked_at + make_interval(secs => ${LATE_SECONDS}::integer))))`;

/** Wants more of an active story, or changes its speed. Returns no row if the run is not active. */
export function wishOfSeedRun(
  database: TenantDatabase,
  id: string,
  { until, bySeconds, speed, operation }: SeedRunWish & { operation: Operation },
): Promise<Written<{ run: SeedRunRecord }>> {
  const { tenantId } = database;
  const newSpeed = sql`${speed ?? null}::numeric`;
  return database.write(operation, [
    sql`
with
changed as (
  update seed_runs r set
    wanted_until = least(r.anchor, greatest(r.wanted_until, ${until ?? null}::timestamptz,
      r.wanted_until + make_interval(secs => ${bySeconds ?? null}::double precision),
      -- Before a new speed counts, the story catches up with what the old one has made of the time.
      case when ${newSpeed} is not null then ${tickedUntil()} end)),
    speed = coalesce(${newSpeed}, r.speed),
    -- A new speed counts from now on.
    ticked_at = case when ${newSpeed} is null then r.ticked_at else now() end,
    tick_due_at = case when ${newSpeed} is null then r.tick_due_at else now() end,
    updated_at = now()
  where r.tenant_id = ${tenantId}::uuid and r.id = ${id}::uuid and r.state = 'active'
  returning ${SEED_RUN_JSON} as run
),
${keepOrDrop({ tenantId, operation }, { from: sql`changed`, result: sql`changed.run` })}
select run from changed`,
  ]);
}

/** Ends the story of a run where it is, so that its tasks are archived. Returns no row if it is deleted, or there is none. */
export function beginSeedDeletion(
  database: TenantDatabase,
  id: string,
  operation: Operation,
): Promise<Written<{ run: SeedRunRecord }>> {
  const { tenantId } = database;
  return database.write(operation, [
    sql`
with
changed as (
  update seed_runs r set state = 'deleting', slice_until = null, next_action_at = null, updated_at = now(),
    tick_due_at = now(), speed = 0,
    teams_done = case when r.state = 'deleting' then r.teams_done else 0 end,
    batches_done = case when r.state = 'deleting' then r.batches_done else 0 end
  where r.tenant_id = ${tenantId}::uuid and r.id = ${id}::uuid and r.state <> 'deleted'
    -- Of a run that has ended, the deletion has to wait for the run that is open.
    and not exists (select from seed_runs o
      where o.tenant_id = r.tenant_id and o.id <> r.id and o.state in ${OPEN_SEED_RUN_STATES})
  returning ${SEED_RUN_JSON} as run
),
${keepOrDrop({ tenantId, operation }, { from: sql`changed`, result: sql`changed.run` })}
select run from changed`,
  ]);
}

/** Claims up to `max` runs that should have gone on, of all tenants, to be put on the queue again. */
export async function claimDueSeedRuns(
  database: Database,
  max: number,
): Promise<{ tenantId: string; id: string }[]> {
  return database.acrossTenants(
    sql`select tenant_id as "tenantId", id from claim_due_seed_runs(${max})`,
  );
}

import { type SQL, sql } from "drizzle-orm";
import type { Database, TenantDatabase } from "../connection/client.ts";
import { TICKED_UNTIL } from "./change-seed-runs.ts";
import { SEED_RUN_JSON, type SeedRunRecord } from "./seed-runs.ts";

/** How long work on a run can go without a sign of life before other work may take over. */
const LEASE_SECONDS = 60;
/** A message that comes early by so much finds its tick due, because clocks differ. */
const EARLY_SECONDS = 1;

const NEW_LEASE = sql`now() + make_interval(secs => ${LEASE_SECONDS}::integer)`;
/** The holder of a lease can claim again: it may have lost the answer to its first claim. */
const isFreeFor = (holder: string): SQL =>
  sql`(r.lease_until is null or r.lease_until <= now() or r.lease_holder = ${holder}::uuid)`;

/** A part of a story that the caller applies, and whether earlier work on it was interrupted. */
export interface ClaimedSlice {
  run: SeedRunRecord & { sliceUntil: string };
  isResumed: boolean;
}

/**
 * Claims the next slice of an active run: the one that was interrupted, or what is wanted and not applied. A tick that is due
 * makes more wanted: what the run's speed makes of the time since the last one. Returns null if nothing is due, or other work
 * is in progress.
 */
export async function claimSlice(
  database: TenantDatabase,
  id: string,
  holder: string,
): Promise<ClaimedSlice | null> {
  const [row] = await database.writeIdempotently<ClaimedSlice>(sql`
with
found as (
  select r.tenant_id, r.id, r.anchor, r.applied_until, r.wanted_until, r.slice_until is not null as is_resumed,
    r.slice_until is null and r.speed > 0
      and r.tick_due_at <= now() + make_interval(secs => ${EARLY_SECONDS}::integer) as is_tick,
    ${TICKED_UNTIL} as ticked_until
  from seed_runs r
  where r.tenant_id = ${database.tenantId}::uuid and r.id = ${id}::uuid and r.state = 'active'
    and ${isFreeFor(holder)}
  for no key update
),
wanted as (
  select f.*, case when f.is_tick then least(f.anchor, greatest(f.wanted_until, f.ticked_until))
    else f.wanted_until end as until
  from found f
),
claimed as (
  update seed_runs r set
    lease_holder = ${holder}::uuid, lease_until = ${NEW_LEASE},
    wanted_until = w.until, slice_until = coalesce(r.slice_until, w.until),
    ticked_at = case when w.is_resumed then r.ticked_at else now() end, updated_at = now()
  from wanted w
  where w.tenant_id = r.tenant_id and w.id = r.id and (w.is_resumed or w.is_tick or w.until > w.applied_until)
  returning ${SEED_RUN_JSON} as run, w.is_resumed
)
select run, is_resumed as "isResumed" from claimed`);
  return row ?? null;
}

/** Claims the archiving of the tasks of a run that is being deleted. Returns null if other work is in progress. */
export async function claimDeletion(
  database: TenantDatabase,
  id: string,
  holder: string,
): Promise<SeedRunRecord | null> {
  const [row] = await database.writeIdempotently<{ run: SeedRunRecord }>(sql`
    update seed_runs r set lease_holder = ${holder}, lease_until = ${NEW_LEASE}, updated_at = now()
    where r.tenant_id = ${database.tenantId} and r.id = ${id} and r.state = 'deleting'
      and ${isFreeFor(holder)}
    returning ${SEED_RUN_JSON} as run`);
  return row?.run ?? null;
}

/** How far work on a slice or a deletion has come. The counts are those of the whole run. */
export interface SeedProgress {
  teamsDone: number;
  batchesDone: number;
  nextActionAt: string | null;
  actionsApplied: number;
  actionsRefused: number;
}

interface Lease {
  id: string;
  holder: string;
}

/**
 * Stores progress of work on a run in this state, and renews the lease or gives it back. Returns false if the lease is lost,
 * or the run has another state, because it is being deleted: then its holder must stop.
 */
export function recordProgress(
  database: TenantDatabase,
  lease: Lease,
  { state, ...progress }: SeedProgress & { state: "active" | "deleting"; isLast: boolean },
): Promise<boolean> {
  return change(
    database,
    lease,
    sql`${counted(progress)}, lease_until = ${progress.isLast ? sql`now()` : NEW_LEASE}`,
    sql`r.state = ${state}`,
  );
}

/** Ends a slice: everything up to its end is applied. The next tick is due after so many real seconds. */
export function endSlice(
  database: TenantDatabase,
  lease: Lease,
  {
    until,
    tickSeconds,
    ...progress
  }: Omit<SeedProgress, "teamsDone" | "batchesDone"> & { until: string; tickSeconds: number },
): Promise<boolean> {
  return change(
    database,
    lease,
    sql`${counted({ ...progress, teamsDone: 0, batchesDone: 0 })}, lease_until = now(),
      applied_until = ${until}, slice_until = null,
      state = case when r.anchor <= ${until} then 'ended' else r.state end,
      tick_due_at = now() + make_interval(secs => ${tickSeconds})`,
    // A repeat finds it done.
    sql`(r.slice_until = ${until} or r.applied_until = ${until}) and r.state in ('active', 'ended')`,
  );
}

/** Ends a deletion: all tasks of the run are archived. */
export function endDeletion(database: TenantDatabase, lease: Lease): Promise<boolean> {
  return change(
    database,
    lease,
    sql`state = 'deleted', lease_until = now()`,
    sql`r.state in ('deleting', 'deleted')`,
  );
}

function counted(progress: SeedProgress): SQL {
  const { teamsDone, batchesDone, nextActionAt, actionsApplied, actionsRefused } = progress;
  return sql`teams_done = ${teamsDone}, batches_done = ${batchesDone}, next_action_at = ${nextActionAt}::timestamptz,
    actions_applied = ${actionsApplied}, actions_refused = ${actionsRefused}`;
}

async function change(
  database: TenantDatabase,
  { id, holder }: Lease,
  assignments: SQL,
  condition: SQL,
): Promise<boolean> {
  const rows = await database.writeIdempotently(sql`
    update seed_runs r set ${assignments}, updated_at = now()
    where r.tenant_id = ${database.tenantId} and r.id = ${id} and r.lease_holder = ${holder} and ${condition}
    returning r.id`);
  return rows.length > 0;
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

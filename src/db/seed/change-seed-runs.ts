import { type SQL, sql } from "drizzle-orm";
import { OPEN_SEED_RUN_STATES } from "../../domain/seed/run-states.ts";
import type { Operation, TenantDatabase, Written } from "../connection/client.ts";
import { keepOrDrop } from "../ledger/operations.ts";
import { SEED_RUN_JSON, type SeedRunRecord } from "./seed-runs.ts";

export interface NewSeedRun extends Pick<
  SeedRunRecord,
  "id" | "seed" | "tasks" | "anchor" | "days" | "mix" | "speed" | "createdBy"
> {
  /** When the story begins. */
  begin: string;
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
  return recordRun(
    database,
    operation,
    sql`
  insert into seed_runs as r (tenant_id, id, state, seed, tasks, anchor, days, mix, speed, wanted_until,
    applied_until, created_by)
  select ${tenantId}::uuid, ${run.id}::uuid, 'active', ${run.seed}::integer, ${run.tasks}::integer,
    ${run.anchor}::timestamptz, ${run.days}::integer, ${JSON.stringify(run.mix)}::jsonb, ${run.speed}::numeric,
    ${run.begin}::timestamptz, ${run.begin}::timestamptz, ${run.createdBy}::text
  where not exists (select from simulated_clocks c
    where c.tenant_id = ${tenantId}::uuid and tenant_now() > ${run.begin}::timestamptz)
  -- A tenant has one open run: seed_runs_open.
  on conflict do nothing
  returning ${SEED_RUN_JSON} as run`,
    sql`, move_simulated_clock(${run.begin}::timestamptz, 0)`,
  );
}

/** What a call wants of an active run. */
export interface SeedRunWish {
  /** How far the story shall be told, in simulated time; its end at most. */
  until?: string | undefined;
  /** The same, in simulated seconds from how far it is wanted already. */
  bySeconds?: number | undefined;
  speed?: number | undefined;
}

/** A late tick counts as late by this at most, so that a story does not leap ahead when a machine wakes up. */
const LATE_SECONDS = 30;

/** How far the speed of the run r has brought its story since the last tick. */
export const TICKED_UNTIL: SQL = sql`(coalesce(r.slice_until, r.applied_until) + r.speed::double precision
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
  return recordRun(
    database,
    operation,
    sql`
  update seed_runs r set
    wanted_until = least(r.anchor, greatest(r.wanted_until, ${until ?? null}::timestamptz,
      r.wanted_until + make_interval(secs => ${bySeconds ?? null}::double precision),
      -- Before a new speed counts, the story catches up with what the old one has made of the time.
      case when ${newSpeed} is not null then ${TICKED_UNTIL} end)),
    speed = coalesce(${newSpeed}, r.speed),
    -- A new speed counts from now on.
    ticked_at = case when ${newSpeed} is null then r.ticked_at else now() end,
    tick_due_at = case when ${newSpeed} is null then r.tick_due_at else now() end,
    updated_at = now()
  where r.tenant_id = ${tenantId}::uuid and r.id = ${id}::uuid and r.state = 'active'
  returning ${SEED_RUN_JSON} as run`,
  );
}

/** Ends the story of a run where it is, so that its tasks are archived. Returns no row if it is deleted, or there is none. */
export function beginSeedDeletion(
  database: TenantDatabase,
  id: string,
  operation: Operation,
): Promise<Written<{ run: SeedRunRecord }>> {
  const { tenantId } = database;
  return recordRun(
    database,
    operation,
    sql`
  update seed_runs r set state = 'deleting', slice_until = null, next_action_at = null, updated_at = now(),
    tick_due_at = now(), speed = 0,
    teams_done = case when r.state = 'deleting' then r.teams_done else 0 end,
    batches_done = case when r.state = 'deleting' then r.batches_done else 0 end
  where r.tenant_id = ${tenantId}::uuid and r.id = ${id}::uuid and r.state <> 'deleted'
    -- Of a run that has ended, the deletion has to wait for the run that is open.
    and not exists (select from seed_runs o
      where o.tenant_id = r.tenant_id and o.id <> r.id and o.state in ${OPEN_SEED_RUN_STATES})
  returning ${SEED_RUN_JSON} as run`,
  );
}

/** Stores the run that a statement returns as the result of the operation, and evaluates `also` if there is one. */
function recordRun(
  database: TenantDatabase,
  operation: Operation,
  statement: SQL,
  also = sql``,
): Promise<Written<{ run: SeedRunRecord }>> {
  const { tenantId } = database;
  return database.write(operation, [
    sql`
with
changed as (${statement}
),
${keepOrDrop({ tenantId, operation }, { from: sql`changed`, result: sql`changed.run` })}
select run ${also} from changed`,
  ]);
}

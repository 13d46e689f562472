import { sql } from "drizzle-orm";
import { STEP_KINDS, type StepKind } from "../../domain/lifecycle/statuses.ts";
import { type BucketedWindow, bucketStarts } from "../../domain/stats/window.ts";
import type { TenantDatabase } from "../connection/client.ts";
import { beginningOf, IS_MOVE, milestonesOf, OF_STEP, STANDS } from "./milestones.ts";

/** The newest events of the window that are looked at: with millions of them a caller would wait too long. */
export const EVENTS_MAX = 500_000;

/** What happened in one bucket. */
export interface ThroughputBucket {
  start: string;
  created: number;
  /** By the stage that was left for the next one; a task that is delivered completes the last. */
  completed: Record<StepKind, number>;
  approved: Record<StepKind, number>;
  delivered: number;
  rejected: number;
  duplicate: number;
  reworked: number;
  revised: number;
}

/** What happened at steps of one kind in one bucket. */
interface Counted {
  bucket: number;
  kind: StepKind;
  created: number;
  entered: number;
  approved: number;
  rejected: number;
  duplicate: number;
  reworked: number;
  revised: number;
}

/** What was done, in buckets that were looked at whole. */
export interface Throughput {
  from: string;
  to: string;
  /** Whether older buckets of the window were left out: they have more in them than is looked at. */
  truncated: boolean;
  buckets: ThroughputBucket[];
}

/** What happened in each bucket of the window; those in which nothing did are there too. */
export async function readThroughput(
  database: TenantDatabase,
  { window, taxonomyCode }: { window: BucketedWindow; taxonomyCode: string | undefined },
  { max }: { max: number } = { max: EVENTS_MAX },
): Promise<Throughput> {
  const { lengthSeconds, from } = window;
  const length = sql`make_interval(secs => ${lengthSeconds})`;
  const scope = { window, taxonomyCode };
  const [row] = await database.read<{ skipped: number; counted: Counted[] }>(sql`
with ${beginningOf(scope, { condition: sql`true`, max })},
-- The bucket in which they begin is not whole.
first as materialized (
  select case when is_cut then date_bin(${length}, at, ${from}::timestamptz) + ${length} else at end as start
  from begun
),
${milestonesOf(scope)},
happened as (
  select s.kind, e.type, case when ${IS_MOVE} then e.to_status end as moved_to,
    date_bin(${length}, e.at, ${from}::timestamptz) as start
  from milestone e ${OF_STEP}
  where e.at >= (select start from first) and case when e.from_status is null then true
    else ${IS_MOVE} and e.to_status in ('approved', 'rejected', 'duplicate') and ${STANDS} end
),
counted as (
  select h.start, h.kind,
    count(*) filter (where h.type = 'task_created')::int as created,
    count(*) filter (where h.type = 'step_advanced')::int as entered,
    count(*) filter (where h.type = 'step_reworked')::int as reworked,
    count(*) filter (where h.type = 'version_created')::int as revised,
    count(*) filter (where h.moved_to = 'approved')::int as approved,
    count(*) filter (where h.moved_to = 'rejected')::int as rejected,
    count(*) filter (where h.moved_to = 'duplicate')::int as duplicate
  from happened h group by h.start, h.kind
)
select (extract(epoch from first.start - ${from}::timestamptz) / ${lengthSeconds})::int as skipped,
  (select coalesce(json_agg(told), '[]') from (
    select *, (extract(epoch from start - ${from}::timestamptz) / ${lengthSeconds})::int as bucket from counted
  ) told) as counted
from first`);
  if (row === undefined) throw new Error("Statistics have one row, whatever there is to count");
  const buckets = bucketsOf(window, row.counted).slice(row.skipped);
  return {
    from: buckets[0]?.start ?? window.to,
    to: window.to,
    truncated: row.skipped > 0,
    buckets,
  };
}

function bucketsOf(window: BucketedWindow, rows: readonly Counted[]): ThroughputBucket[] {
  const buckets = bucketStarts(window).map(emptyBucket);
  for (const { bucket: index, kind, entered, approved, ...counts } of rows) {
    const bucket = buckets[index];
    if (bucket === undefined)
      throw new Error("What happened in the window is in one of its buckets");
    bucket.created += counts.created;
    bucket.rejected += counts.rejected;
    bucket.duplicate += counts.duplicate;
    bucket.reworked += counts.reworked;
    bucket.revised += counts.revised;
    bucket.approved[kind] += approved;
    const left = STEP_KINDS[STEP_KINDS.indexOf(kind) - 1];
    if (left !== undefined) bucket.completed[left] += entered;
    if (kind === "delivery") {
      bucket.delivered += approved;
      bucket.completed.delivery += approved;
    }
  }
  return buckets;
}

function emptyBucket(start: string): ThroughputBucket {
  return {
    start,
    created: 0,
    completed: zeroByKind(),
    approved: zeroByKind(),
    delivered: 0,
    rejected: 0,
    duplicate: 0,
    reworked: 0,
    revised: 0,
  };
}

function zeroByKind(): Record<StepKind, number> {
  // Object.fromEntries forgets which names it was given.
  return Object.fromEntries(STEP_KINDS.map((kind) => [kind, 0])) as Record<StepKind, number>;
}

import { sql } from "drizzle-orm";
import { STEP_KINDS, type StepKind } from "../../domain/lifecycle/statuses.ts";
import type { BucketedWindow, ZonedWindow } from "../../domain/stats/window.ts";
import type { TenantDatabase } from "../connection/client.ts";
import { DatabaseFault } from "../connection/faults.ts";
import { startsOf } from "./bucket-starts.ts";
import { cutoffOf, IS_MOVE, milestonesOf, NOT_REVERTED, OF_STEP } from "./milestones.ts";

/** How many events of the window are read: the newest. With millions of them, the caller would wait too long. */
export const EVENTS_MAX = 500_000;

/** The changes in one bucket. */
export interface ThroughputBucket {
  start: string;
  created: number;
  /** By the stage that a task left for the next one. A delivered task completes the last stage. */
  completed: Record<StepKind, number>;
  approved: Record<StepKind, number>;
  delivered: number;
  rejected: number;
  duplicate: number;
  reworked: number;
  revised: number;
}

/** The changes at steps of one kind in one bucket. */
interface KindCounts {
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

/** The changes in the buckets that were read completely. */
export interface Throughput {
  from: string;
  to: string;
  /** Whether older buckets of the window were left out, because it has more events than are read. */
  truncated: boolean;
  buckets: ThroughputBucket[];
}

/** Returns the changes in each bucket of the window, including empty buckets. */
export async function readThroughput(
  database: TenantDatabase,
  { window, taxonomyCode }: ThroughputScope,
  { max }: { max: number } = { max: EVENTS_MAX },
): Promise<Throughput> {
  const isZoned = "timeZone" in window;
  const scope = { window: isZoned ? window.around : window, taxonomyCode };
  const [from, to] = [
    sql`(select starts[1] from series)`,
    sql`(select starts[cardinality(starts)] from series)`,
  ];
  const condition = isZoned ? sql`at >= ${from} and at < ${to}` : sql`true`;
  const [row] = await database.read<{
    starts: string[];
    skipped: number;
    counted: KindCounts[];
  }>(sql`
with series as materialized (select ${startsOf(window)} as starts),
${cutoffOf(scope, { condition, max })},
-- The bucket of the cutoff is incomplete, so the next one is the first.
first as materialized (
  select series.starts[case when cutoff.is_cut then width_bucket(cutoff.at, series.starts) + 1 else 1 end] as start
  from cutoff, series
),
${milestonesOf(scope)},
change as (
  select s.kind, e.type, case when ${IS_MOVE} then e.to_status end as moved_to,
    width_bucket(e.at, (select starts from series)) - 1 as bucket
  from milestone e ${OF_STEP}
  where e.at >= (select start from first) and e.at < ${to} and case when e.from_status is null then true
    else ${IS_MOVE} and e.to_status in ('approved', 'rejected', 'duplicate') and ${NOT_REVERTED} end
),
counted as (
  select c.bucket, c.kind,
    count(*) filter (where c.type = 'task_created')::int as created,
    count(*) filter (where c.type = 'step_advanced')::int as entered,
    count(*) filter (where c.type = 'step_reworked')::int as reworked,
    count(*) filter (where c.type = 'version_created')::int as revised,
    count(*) filter (where c.moved_to = 'approved')::int as approved,
    count(*) filter (where c.moved_to = 'rejected')::int as rejected,
    count(*) filter (where c.moved_to = 'duplicate')::int as duplicate
  from change c group by c.bucket, c.kind
)
select (select json_agg(iso(start) order by start) from unnest(series.starts) start) as starts,
  width_bucket(first.start, series.starts) - 1 as skipped,
  (select coalesce(json_agg(counted), '[]') from counted) as counted
from first, series`);
  if (row === undefined) throw new Error("A statistics query always returns one row");
  const end = row.starts.at(-1) ?? "";
  const buckets = bucketsOf(row.starts.slice(0, -1), row.counted).slice(row.skipped);
  return { from: buckets[0]?.start ?? end, to: end, truncated: row.skipped > 0, buckets };
}

/** What to count. */
interface ThroughputScope {
  window: BucketedWindow | ZonedWindow;
  taxonomyCode: string | undefined;
}

/** Returns the same for a window in a time zone; null if Postgres does not know its name. */
export async function readZonedThroughput(
  database: TenantDatabase,
  scope: ThroughputScope & { window: ZonedWindow },
): Promise<Throughput | null> {
  try {
    return await readThroughput(database, scope);
  } catch (error) {
    if (error instanceof DatabaseFault && error.sqlState === UNKNOWN_TIME_ZONE) return null;
    throw error;
  }
}

/** invalid_parameter_value, which `at time zone` raises. */
const UNKNOWN_TIME_ZONE = "22023";

function bucketsOf(starts: readonly string[], rows: readonly KindCounts[]): ThroughputBucket[] {
  const buckets = starts.map(emptyBucket);
  for (const { bucket: index, kind, entered, approved, ...counts } of rows) {
    const bucket = buckets[index];
    if (bucket === undefined) throw new Error("Every counted event is in a bucket of the window");
    bucket.created += counts.created;
    bucket.rejected += counts.rejected;
    bucket.duplicate += counts.duplicate;
    bucket.reworked += counts.reworked;
    bucket.revised += counts.revised;
    bucket.approved[kind] += approved;
    const completedKind = STEP_KINDS[STEP_KINDS.indexOf(kind) - 1];
    if (completedKind !== undefined) bucket.completed[completedKind] += entered;
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
  // Object.fromEntries does not keep the type of the keys.
  return Object.fromEntries(STEP_KINDS.map((kind) => [kind, 0])) as Record<StepKind, number>;
}

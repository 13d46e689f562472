import { sql } from "drizzle-orm";
import type { StepKind } from "../../domain/lifecycle/statuses.ts";
import { UNIFIED_STATUSES, type UnifiedStatus } from "../../domain/status/unified.ts";
import type { TenantDatabase } from "../connection/client.ts";
import {
  IS_ENDED,
  IS_MOVE,
  isOfTaxonomy,
  milestonesOf,
  NOT_REVERTED,
  OF_STEP,
  PREVIOUS_STEP,
  STAGES,
  type StatsScope,
  windowColumns,
} from "./milestones.ts";

/** How many ends of stays are read: the newest. For each, the event that opened the step is looked up. */
export const STAY_ENDS_MAX = 200_000;

export interface StageTimes {
  from: string;
  to: string;
  truncated: boolean;
  stages: StageTime[];
}

/** How long tasks stayed at steps of one kind, for the stays that ended in the window. */
interface StageTime {
  kind: StepKind;
  stays: number;
  seconds: { mean: number; p50: number; p90: number; p99: number } | null;
  /** Tasks that are at this stage now. */
  waiting: number;
}

/** Tasks with these labels do not wait for anything. */
const ENDED_LABELS: readonly UnifiedStatus[] = ["DELIVERED", "REJECTED", "DUPLICATE"];
/** The ranks of all other labels, as `label_rank` returns them. */
const WAITING_RANKS = UNIFIED_STATUSES.flatMap((label, index) =>
  ENDED_LABELS.includes(label) ? [] : [index + 1],
);

/**
 * Returns how long tasks stayed at each stage. A stay starts with the event that opens the step. It ends with the event
 * that opens the task's next step, or before that with the one that makes it rejected, duplicate or delivered.
 */
export async function readStageTimes(
  database: TenantDatabase,
  scope: StatsScope,
): Promise<StageTimes> {
  const [row] = await database.read<StageTimes>(sql`
with ${milestonesOf(scope)},
stay_end as materialized (
  select e.* from milestone e
  where case when e.from_status is null then e.type <> 'task_created'
    else ${IS_MOVE} and e.to_status in ('approved', 'rejected', 'duplicate')
      and e.from_status not in ('rejected', 'duplicate') and ${NOT_REVERTED} end
  order by e.at desc limit ${STAY_ENDS_MAX + 1}
),
stay as (
  select s.kind, extract(epoch from e.at - p.opened_at)::float8 as seconds
  from stay_end e ${PREVIOUS_STEP} join steps s on s.id = p.step_id
  where e.from_status is null and not ${IS_ENDED}
  union all
  select s.kind, extract(epoch from e.at - p.opened_at)::float8
  from stay_end e ${OF_STEP} ${PREVIOUS_STEP}
  where e.from_status is not null and (e.to_status <> 'approved' or s.kind = 'delivery')
),
timed as (
  select kind, count(*)::int as stays, avg(seconds) as mean,
    percentile_cont(array[0.5, 0.9, 0.99]) within group (order by seconds) as parts
  from stay group by kind
),
waiting as (
  -- One range of an index per label.
  select l.step_kind as kind, sum(l.tasks)::int as tasks
  from unnest(array[${sql.raw(WAITING_RANKS.join(", "))}]) ranks(rank) cross join lateral (
    select step_kind, count(*) as tasks from task_labels
    where not archived and rank = ranks.rank and ${isOfTaxonomy(scope.taxonomyCode)} group by step_kind
  ) l group by l.step_kind
)
select ${windowColumns(scope)}, (select count(*) from stay_end) > ${STAY_ENDS_MAX} as truncated,
  (select json_agg(json_build_object('kind', stage.kind, 'stays', coalesce(t.stays, 0),
      'seconds', case when t.stays > 0 then json_build_object('mean', t.mean, 'p50', t.parts[1], 'p90', t.parts[2],
        'p99', t.parts[3]) end,
      'waiting', coalesce(w.tasks, 0)) order by stage.place)
    from ${STAGES} left join timed t on t.kind = stage.kind left join waiting w on w.kind = stage.kind) as stages`);
  if (row === undefined) throw new Error("A statistics query always returns one row");
  return row;
}

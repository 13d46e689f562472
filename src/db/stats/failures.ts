import { sql } from "drizzle-orm";
import type { StepKind } from "../../domain/lifecycle/statuses.ts";
import type { TenantDatabase } from "../connection/client.ts";
import {
  isIn,
  isOfTaxonomy,
  milestonesOf,
  NOT_REVERTED,
  OF_STEP,
  PREVIOUS_STEP,
  STAGES,
  type StatsScope,
  windowColumns,
} from "./milestones.ts";

/** How many errors are listed for each stage: the most frequent ones. */
export const ERRORS_LISTED_MAX = 5;
const ERROR_LENGTH_MAX = 200;
/** For how many crashes the worker run is looked up: the newest ones. */
export const CRASHES_EXPLAINED_MAX = 20_000;

export interface Failures {
  from: string;
  to: string;
  stages: StageFailures[];
}

/** The failures at steps of one kind. */
interface StageFailures {
  kind: StepKind;
  /** `failed`, `errored` and `revoked` count the gates that entered this state. */
  failed: number;
  errored: number;
  revoked: number;
  failedReviews: number;
  reworked: number;
  errors: { error: string | null; count: number }[];
}

/** Returns the failures in the window, by stage. */
export async function readFailures(database: TenantDatabase, scope: StatsScope): Promise<Failures> {
  const { window, taxonomyCode } = scope;
  const [row] = await database.read<Failures>(sql`
with ${milestonesOf(scope)},
closed as materialized (
  select e.at, e.task_id, e.seq, e.to_gate, s.kind from milestone e ${OF_STEP}
  where e.from_gate <> e.to_gate and e.to_gate in ('failed', 'errored', 'revoked') and e.type not in ('bulk_reverted', 'review_withdrawn')
    and ${NOT_REVERTED}
),
gates as (
  select kind, count(*) filter (where to_gate = 'failed')::int as failed,
    count(*) filter (where to_gate = 'errored')::int as errored,
    count(*) filter (where to_gate = 'revoked')::int as revoked
  from closed group by kind
),
reviewed as (
  select s.kind, count(*)::int as failed from (
    select tenant_id, task_id, step_id from reviews where outcome = 'failed' and withdrawn_seq is null
      and ${isIn(window, sql`created_at`)}
      and ${isOfTaxonomy(taxonomyCode)}
  ) e ${OF_STEP} group by s.kind
),
reworks as (
  select s.kind, count(*)::int as left_behind from milestone e ${PREVIOUS_STEP} join steps s on s.id = p.step_id
  where e.type = 'step_reworked' group by s.kind
),
crash as materialized (
  select * from closed where to_gate = 'errored' order by at desc limit ${CRASHES_EXPLAINED_MAX}
),
-- The event of a worker's report precedes the moves that it caused, in the same operation.
explained as (
  select c.kind, left(w.error, ${ERROR_LENGTH_MAX}) as error, count(*)::int as count
  from crash c
    cross join lateral (
      select operation_id from step_events where task_id = c.task_id and seq = c.seq limit 1
    ) own
    left join lateral (
      select (payload::json #>> '{run,id}')::uuid as run_id from step_events
      where task_id = c.task_id and seq between c.seq - 2 and c.seq - 1 and type = 'worker_run_changed'
        and operation_id = own.operation_id
      order by seq desc limit 1
    ) report on true
    left join lateral (select error from worker_runs where id = report.run_id limit 1) w on true
  group by 1, 2
),
errors as (
  select kind, json_agg(json_build_object('error', error, 'count', count) order by place) as listed
  from (
    select *, row_number() over (partition by kind order by count desc, error nulls last) as place from explained
  ) ranked where place <= ${ERRORS_LISTED_MAX} group by kind
)
select ${windowColumns(scope)},
  (select json_agg(json_build_object('kind', stage.kind, 'failed', coalesce(g.failed, 0),
      'errored', coalesce(g.errored, 0), 'revoked', coalesce(g.revoked, 0), 'failedReviews', coalesce(r.failed, 0),
      'reworked', coalesce(b.left_behind, 0), 'errors', coalesce(x.listed, '[]')) order by stage.place)
    from ${STAGES} left join gates g on g.kind = stage.kind left join reviewed r on r.kind = stage.kind
      left join reworks b on b.kind = stage.kind left join errors x on x.kind = stage.kind) as stages`);
  if (row === undefined) throw new Error("A statistics query always returns one row");
  return row;
}

import { sql } from "drizzle-orm";
import { STEP_KINDS, type StepKind } from "../../domain/lifecycle/statuses.ts";
import { TERMINAL_UNIFIED, UNIFIED_STATUSES } from "../../domain/status/unified.ts";
import type { TenantDatabase } from "../connection/client.ts";
import { cutoffOf, milestonesOf, type StatsScope, windowEndColumn } from "./milestones.ts";

/** How many tasks of the window are read: the newest. With a million of them, the caller would wait too long. */
export const TASKS_MAX = 300_000;

export type Outcomes = Record<"open" | (typeof TERMINAL_UNIFIED)[number], number>;

export interface Funnel {
  from: string;
  to: string;
  /** Whether more tasks were created in the window. Then only those after `from` were read. */
  truncated: boolean;
  tasks: number;
  outcomes: Outcomes;
  stages: {
    kind: StepKind;
    /** Tasks that ever reached this stage or a later one. */
    reached: number;
    /** The outcomes of the tasks that reached no later stage. */
    outcomes: Outcomes;
  }[];
}

/** Tasks with the same label that reached the same stage. `farthest` is the place of that stage, from 1. */
interface TaskGroup {
  rank: number;
  farthest: number;
  tasks: number;
}

/** Returns the outcomes of the tasks that were created in the window, and how far they ever got. */
export async function readOutcomes(
  database: TenantDatabase,
  { archived = false, ...scope }: StatsScope & { archived: boolean | undefined },
  { max }: { max: number } = { max: TASKS_MAX },
): Promise<Funnel> {
  const kinds = sql.raw(STEP_KINDS.map((kind) => `'${kind}'`).join(", "));
  const [row] = await database.read<
    Pick<Funnel, "from" | "to" | "truncated"> & { counted: TaskGroup[] }
  >(sql`
with ${cutoffOf(scope, { condition: sql`type = 'task_created' and from_status is null`, max })},
${milestonesOf(scope)},
counted as (
  select l.rank, f.farthest, count(*)::int as tasks
  from milestone e
    join task_labels l on l.task_id = e.task_id
    -- One lookup per task, in an index that serves it.
    cross join lateral (
      select max(array_position(array[${kinds}], kind)) as farthest from steps
      where tenant_id = e.tenant_id and task_id = e.task_id
    ) f
  where e.type = 'task_created' and e.from_status is null and case when (select is_cut from cutoff)
    then e.at > (select at from cutoff) else true end and ${archived ? sql`l.archived` : sql`not l.archived`}
  group by l.rank, f.farthest
)
select iso(cutoff.at) as "from", ${windowEndColumn(scope.window)}, cutoff.is_cut as truncated,
  coalesce((select json_agg(counted) from counted), '[]') as counted
from cutoff`);
  if (row === undefined) throw new Error("A statistics query always returns one row");
  const { from, to, truncated, counted } = row;
  const tasksOf = (rows: readonly TaskGroup[]) => rows.reduce((sum, { tasks }) => sum + tasks, 0);
  return {
    from,
    to,
    truncated,
    tasks: tasksOf(counted),
    outcomes: outcomesOf(counted),
    stages: STEP_KINDS.map((kind, index) => ({
      kind,
      reached: tasksOf(counted.filter(({ farthest }) => farthest > index)),
      outcomes: outcomesOf(counted.filter(({ farthest }) => farthest === index + 1)),
    })),
  };
}

function outcomesOf(rows: readonly TaskGroup[]): Outcomes {
  const outcomes: Outcomes = { open: 0, PASSED: 0, DELIVERED: 0, REJECTED: 0, DUPLICATE: 0 };
  for (const { rank, tasks } of rows) {
    const label = UNIFIED_STATUSES[rank - 1];
    outcomes[TERMINAL_UNIFIED.find((terminal) => terminal === label) ?? "open"] += tasks;
  }
  return outcomes;
}

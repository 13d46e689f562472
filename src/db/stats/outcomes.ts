import { sql } from "drizzle-orm";
import { STEP_KINDS, type StepKind } from "../../domain/lifecycle/statuses.ts";
import { TERMINAL_UNIFIED, UNIFIED_STATUSES } from "../../domain/status/unified.ts";
import type { TenantDatabase } from "../connection/client.ts";
import { beginningOf, windowEndColumn, milestonesOf, type StatsScope } from "./milestones.ts";

/** The newest tasks of the window that are looked at: with a million of them a caller would wait too long. */
export const TASKS_MAX = 300_000;

export type Outcomes = Record<"open" | (typeof TERMINAL_UNIFIED)[number], number>;

export interface Funnel {
  from: string;
  to: string;
  /** Whether more tasks were created in the window: `from` is when the newest begin that are looked at. */
  truncated: boolean;
  tasks: number;
  outcomes: Outcomes;
  stages: {
    kind: StepKind;
    /** Tasks that ever came as far as this. */
    reached: number;
    /** What has become of those that came no farther. */
    outcomes: Outcomes;
  }[];
}

/** Tasks of one label that came equally far: the place of the stage, from 1. */
interface Counted {
  rank: number;
  farthest: number;
  tasks: number;
}

/** What has become of the tasks that were created in the window, and how far they ever came. */
export async function readOutcomes(
  database: TenantDatabase,
  { archived = false, ...scope }: StatsScope & { archived: boolean | undefined },
  { max }: { max: number } = { max: TASKS_MAX },
): Promise<Funnel> {
  const kinds = sql.raw(STEP_KINDS.map((kind) => `'${kind}'`).join(", "));
  const [row] = await database.read<
    Pick<Funnel, "from" | "to" | "truncated"> & { counted: Counted[] }
  >(sql`
with ${beginningOf(scope, { condition: sql`type = 'task_created' and from_status is null`, max })},
${milestonesOf(scope)},
counted as (
  select l.rank, f.farthest, count(*)::int as tasks
  from milestone e
    join task_labels l on l.task_id = e.task_id
    -- One look for each, by the index that steps have for it.
    cross join lateral (
      select max(array_position(array[${kinds}], kind)) as farthest from steps
      where tenant_id = e.tenant_id and task_id = e.task_id
    ) f
  where e.type = 'task_created' and e.from_status is null and case when (select is_cut from begun)
    -- As many as are looked at are newer than that.
    then e.at > (select at from begun) else true end and ${archived ? sql`l.archived` : sql`not l.archived`}
  group by l.rank, f.farthest
)
select iso(begun.at) as "from", ${windowEndColumn(scope.window)}, begun.is_cut as truncated,
  coalesce((select json_agg(counted) from counted), '[]') as counted
from begun`);
  if (row === undefined) throw new Error("Statistics have one row, whatever there is to count");
  const { from, to, truncated, counted } = row;
  const tasksOf = (rows: readonly Counted[]) => rows.reduce((sum, { tasks }) => sum + tasks, 0);
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

function outcomesOf(rows: readonly Counted[]): Outcomes {
  const outcomes: Outcomes = { open: 0, PASSED: 0, DELIVERED: 0, REJECTED: 0, DUPLICATE: 0 };
  for (const { rank, tasks } of rows) {
    const label = UNIFIED_STATUSES[rank - 1];
    outcomes[TERMINAL_UNIFIED.find((terminal) => terminal === label) ?? "open"] += tasks;
  }
  return outcomes;
}

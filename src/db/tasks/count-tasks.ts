import { type SQL, sql } from "drizzle-orm";
import { ATTENTION_CODES, type AttentionCode } from "../../domain/status/attention.ts";
import { UNIFIED_STATUSES, type UnifiedStatus } from "../../domain/status/unified.ts";
import type { TenantDatabase } from "../connection/client.ts";
import { matchingTasks, type TaskFilter } from "./task-filter.ts";

/** How many tasks match, by label and by attention code. A task can have several attention codes, or none. */
export interface TaskCounts {
  total: number;
  byUnifiedStatus: Record<UnifiedStatus, number>;
  byAttention: Record<AttentionCode, number>;
}

/** A group of tasks with the same label, the same attention codes, or both. */
interface TaskGroup {
  /** The label's position in UNIFIED_STATUSES, from 1, as `label_rank` returns it; null if labels were not grouped. */
  rank: number | null;
  /** Empty if attention codes were not grouped. */
  attention: AttentionCode[];
  tasks: number;
}

/** Counts the matching tasks exactly, in one snapshot. */
export async function countTasks(
  database: TenantDatabase,
  filter: TaskFilter,
): Promise<TaskCounts> {
  const { archived, ...others } = filter;
  const isUnfiltered = Object.values(others).every((value) => value === undefined);
  const groups = await database.read<TaskGroup>(
    isUnfiltered ? countAll(archived) : countMatching(filter),
  );

  const counts: TaskCounts = {
    total: 0,
    byUnifiedStatus: zeros(UNIFIED_STATUSES),
    byAttention: zeros(ATTENTION_CODES),
  };
  for (const { rank, attention, tasks } of groups) {
    const label = rank === null ? undefined : UNIFIED_STATUSES[rank - 1];
    if (label !== undefined) {
      counts.total += tasks;
      counts.byUnifiedStatus[label] += tasks;
    }
    for (const code of attention) counts.byAttention[code] += tasks;
  }
  return counts;
}

/** Reads two indexes and no table rows: each label is a range of one, and the other holds the tasks with attention. */
function countAll(archived = false): SQL {
  const isListed = archived ? sql`archived` : sql`not archived`;
  return sql`
select rank, '[]'::json as attention,
  (select count(*) from task_labels l where ${isListed} and l.rank = ranks.rank)::int as tasks
from generate_series(1, ${UNIFIED_STATUSES.length}) ranks(rank)
union all
select null, to_json(attention), count(*)::int from task_labels
where ${isListed} and attention <> '{}' group by attention`;
}

function countMatching(filter: TaskFilter): SQL {
  return sql`
select l.rank, to_json(l.attention) as attention, count(*)::int as tasks
${matchingTasks(filter, { withLabel: true })} group by l.rank, l.attention`;
}

function zeros<Name extends string>(names: readonly Name[]): Record<Name, number> {
  // Object.fromEntries does not keep the type of the keys.
  return Object.fromEntries(names.map((name) => [name, 0])) as Record<Name, number>;
}

import { type SQL, sql } from "drizzle-orm";
import { ATTENTION_CODES, type AttentionCode } from "../../domain/status/attention.ts";
import { UNIFIED_STATUSES, type UnifiedStatus } from "../../domain/status/unified.ts";
import type { TenantDatabase } from "../connection/client.ts";
import { matchingTasks, type TaskFilter } from "./task-filter.ts";

/** How many tasks match, by what they are told to be. A task may want attention for several reasons, or for none. */
export interface TaskCounts {
  total: number;
  byUnifiedStatus: Record<UnifiedStatus, number>;
  byAttention: Record<AttentionCode, number>;
}

/** Tasks that were counted together; what they were not counted by is null or empty. */
interface Counted {
  /** The label's place in UNIFIED_STATUSES, from 1, as `label_rank` gives it. */
  rank: number | null;
  attention: AttentionCode[];
  tasks: number;
}

/** Counts all tasks that match, exactly and at one moment. */
export async function countTasks(
  database: TenantDatabase,
  filter: TaskFilter,
): Promise<TaskCounts> {
  const { archived, ...others } = filter;
  const isOfAll = Object.values(others).every((value) => value === undefined);
  const counted = await database.read<Counted>(isOfAll ? ofAll(archived) : ofMatching(filter));

  const counts: TaskCounts = {
    total: 0,
    byUnifiedStatus: zeros(UNIFIED_STATUSES),
    byAttention: zeros(ATTENTION_CODES),
  };
  for (const { rank, attention, tasks } of counted) {
    const label = rank === null ? undefined : UNIFIED_STATUSES[rank - 1];
    if (label !== undefined) {
      counts.total += tasks;
      counts.byUnifiedStatus[label] += tasks;
    }
    for (const code of attention) counts.byAttention[code] += tasks;
  }
  return counts;
}

/** Each label is a range of one index, and what wants attention is another index: no row is looked up. */
function ofAll(archived = false): SQL {
  const isListed = archived ? sql`archived` : sql`not archived`;
  return sql`
select rank, '[]'::json as attention,
  (select count(*) from task_labels l where ${isListed} and l.rank = ranks.rank)::int as tasks
from generate_series(1, ${UNIFIED_STATUSES.length}) ranks(rank)
union all
select null, to_json(attention), count(*)::int from task_labels
where ${isListed} and attention <> '{}' group by attention`;
}

function ofMatching(filter: TaskFilter): SQL {
  return sql`
select l.rank, to_json(l.attention) as attention, count(*)::int as tasks
${matchingTasks(filter, { withLabel: true })} group by l.rank, l.attention`;
}

function zeros<Name extends string>(names: readonly Name[]): Record<Name, number> {
  // Object.fromEntries forgets which names it was given.
  return Object.fromEntries(names.map((name) => [name, 0])) as Record<Name, number>;
}

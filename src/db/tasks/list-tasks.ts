import { type SQL, sql } from "drizzle-orm";
import { type Chunk, CHUNK_ROWS_MAX } from "../sql/chunks.ts";
import { allOf } from "../sql/conditions.ts";
import type { TenantDatabase } from "../connection/client.ts";
import { labelFactsOfStepsSql } from "./label-sql.ts";
import { matchingTasks, type TaskFilter } from "./task-filter.ts";
import { TASK_JOINS, TASK_MEMBERS, type TaskRecord } from "./task-json.ts";

export const TASK_SORTS = [
  "createdAt",
  "updatedAt",
  "title",
  "priority",
  "statusSince",
  "unifiedStatus",
] as const;
export type TaskSort = (typeof TASK_SORTS)[number];

/** The column of each sort and the id that breaks ties. Both are in one table, so that one index covers them. */
const SORT_COLUMNS: Record<TaskSort, { column: SQL; id: SQL; type: SQL; withLabel?: boolean }> = {
  // Ids are UUIDv7, which begin with the time of creation.
  createdAt: { column: sql`t.id`, id: sql`t.id`, type: sql`uuid` },
  updatedAt: {
    column: sql`l.updated_at`,
    id: sql`l.task_id`,
    type: sql`timestamptz`,
    withLabel: true,
  },
  // Folded, so that case does not matter.
  title: { column: sql`t.title_key`, id: sql`t.id`, type: sql`text` },
  priority: { column: sql`t.priority`, id: sql`t.id`, type: sql`smallint` },
  statusSince: {
    column: sql`l.since`,
    id: sql`l.task_id`,
    type: sql`timestamptz`,
    withLabel: true,
  },
  unifiedStatus: { column: sql`l.rank`, id: sql`l.task_id`, type: sql`smallint`, withLabel: true },
};

/** The position after which a page begins: the sort key as Postgres prints it, and the id that breaks ties. */
export interface TaskPosition {
  key: string;
  id: string;
}

export interface ListedTaskRecord {
  key: string;
  task: TaskRecord;
}

interface TaskPage {
  descending: boolean;
  after: TaskPosition | null;
  limit: number;
}

/** Returns a page of the matching tasks, without their labels, in one round trip. */
export function listTasks(
  database: TenantDatabase,
  filter: TaskFilter,
  { sort, ...page }: TaskPage & { sort: TaskSort },
): Promise<ListedTaskRecord[]> {
  const { column, id, type, withLabel = false } = SORT_COLUMNS[sort];
  return database.read<ListedTaskRecord>(sql`
with page as materialized (
  select t.id, ${column} as key ${matchingTasks(filter, { withLabel, and: isBeyond(column, type, id, page) })}
  ${inOrder(column, id, page)}
  limit ${page.limit}
)
${pageTasks(page)}`);
}

/**
 * Returns a chunk of the matching tasks after `afterId`, in id order. No task appears twice. Each chunk shows the tasks
 * as they are when it is read.
 */
export async function readTaskChunk(
  database: TenantDatabase,
  filter: TaskFilter,
  afterId: string | null,
): Promise<Chunk<TaskRecord, string>> {
  // On both tables, so that no chunk reads either of them from the beginning.
  const and = afterId !== null && sql`t.id > ${afterId}::uuid and l.task_id > ${afterId}::uuid`;
  const found = await database.read<{ task: TaskRecord }>(sql`
with page as materialized (
  select t.id ${matchingTasks(filter, { withLabel: true, and })} order by t.id limit ${CHUNK_ROWS_MAX + 1}
)
select json_build_object(${TASK_MEMBERS}) as task
-- One index lookup per row: Postgres would plan a join as a scan of the tenant's whole table.
from page cross join lateral (select * from tasks where id = page.id limit 1) t ${TASK_JOINS}
order by page.id`);
  const rows = found.slice(0, CHUNK_ROWS_MAX).map(({ task }) => task);
  const next = found.length > CHUNK_ROWS_MAX ? (rows.at(-1)?.id ?? null) : null;
  return { rows, next };
}

/** The maximum number of tasks whose labels one live sort resolves. */
export const LIVE_SORT_MAX = 5000;

/**
 * The tasks that a live sort covers on all of its pages: the newest tasks that matched when the first page was read.
 */
export interface LiveWindow {
  newest: string;
  oldest: string;
  /** Whether more tasks matched than fit into the window. */
  truncated: boolean;
}

export interface LiveTaskRecord extends ListedTaskRecord {
  window: LiveWindow;
}

/**
 * Returns a page of the matching tasks, sorted by the label that they resolve to now. Only the newest LIVE_SORT_MAX
 * tasks are sorted; the rows say whether more matched.
 */
export function listTasksLive(
  database: TenantDatabase,
  filter: TaskFilter,
  { window, ...page }: TaskPage & { window: LiveWindow | null },
): Promise<LiveTaskRecord[]> {
  const and =
    window !== null && sql`t.id between ${window.oldest}::uuid and ${window.newest}::uuid`;
  return database.read<LiveTaskRecord>(sql`
with candidates as materialized (
  select t.id, t.current_step_id ${matchingTasks(filter, { and })} order by t.id desc limit ${LIVE_SORT_MAX + 1}
),
windowed as materialized (select * from candidates order by id desc limit ${LIVE_SORT_MAX}),
bounds as materialized (${windowBounds(window)}),
labelled as materialized (
  select f.task_id as id, label_rank(label_of(f.kind, f.status, coalesce(f.held_gate, f.gate), f.review_failed, f.running_workers)) as rank
  from (${sql.raw(labelFactsOfStepsSql("array(select current_step_id from windowed)"))}) f
),
page as materialized (
  select id, rank as key from labelled
  where ${allOf(isBeyond(sql`rank`, sql`smallint`, sql`id`, page))}
  ${inOrder(sql`rank`, sql`id`, page)}
  limit ${page.limit}
)
${pageTasks(page, sql`, (select row_to_json(bounds) from bounds) as window`)}`);
}

/** The first page sets the window, and the later pages keep it. */
function windowBounds(window: LiveWindow | null): SQL {
  if (window !== null) {
    return sql`select ${window.newest}::uuid as newest, ${window.oldest}::uuid as oldest,
      ${window.truncated}::boolean as truncated`;
  }
  return sql`select (select id from windowed order by id desc limit 1) as newest,
    (select id from windowed order by id limit 1) as oldest,
    (select count(*) from candidates) > ${LIVE_SORT_MAX} as truncated`;
}

/** Selects the tasks of the CTE `page`, in its order. */
function pageTasks(page: TaskPage, more = sql``): SQL {
  return sql`select page.key::text as key, json_build_object(${TASK_MEMBERS}) as task ${more}
from page join tasks t on t.id = page.id ${TASK_JOINS}
${inOrder(sql`page.key`, sql`page.id`, page)}`;
}

/** One row comparison, so that an index finds a late page as fast as an early one. False for the first page. */
function isBeyond(column: SQL, type: SQL, id: SQL, { descending, after }: TaskPage): SQL | false {
  if (after === null) return false;
  const beyond = descending ? sql`<` : sql`>`;
  return sql`(${column}, ${id}) ${beyond} (${after.key}::${type}, ${after.id}::uuid)`;
}

function inOrder(column: SQL, id: SQL, { descending }: TaskPage): SQL {
  const direction = descending ? sql`desc` : sql`asc`;
  return sql`order by ${column} ${direction}, ${id} ${direction}`;
}

import { type SQL, sql } from "drizzle-orm";
import type { GateState, StepKind, StepStatus } from "../../domain/lifecycle/statuses.ts";
import type { AttentionCode } from "../../domain/status/attention.ts";
import type { UnifiedStatus } from "../../domain/status/unified.ts";
import { type Chunk, CHUNK_ROWS_MAX } from "../sql/chunks.ts";
import type { TenantDatabase } from "../connection/client.ts";
import { labelFactsOfStepsSql } from "./label-sql.ts";
import { listed } from "../sql/listed.ts";
import { TASK_JOINS, TASK_MEMBERS, type TaskRecord } from "./task-json.ts";

/** Which tasks are meant: those that match every field that is given. */
export interface TaskFilter {
  /** Any of these. */
  unifiedStatus?: readonly UnifiedStatus[] | undefined;
  /** Any of these. */
  attention?: readonly AttentionCode[] | undefined;
  stepKind?: StepKind | undefined;
  stepStatus?: StepStatus | undefined;
  gate?: GateState | undefined;
  taxonomyCode?: string | undefined;
  assignee?: string | undefined;
  priority?: number | undefined;
  externalId?: string | undefined;
  /** A part of the title or the external id. */
  q?: string | undefined;
  /** A model that made a prompt, a datum, a trial or an insight of the task. */
  model?: string | undefined;
  /** A bulk operation that wrote an event of the task. */
  bulkOperationId?: string | undefined;
  createdAfter?: string | undefined;
  createdBefore?: string | undefined;
  updatedAfter?: string | undefined;
  /** The status has been the same since before this moment. */
  statusBefore?: string | undefined;
  /** true: the archived tasks; otherwise those that are not. */
  archived?: boolean | undefined;
}

/**
 * The FROM and WHERE of all tasks that match; aliases t (task) and, where the filter or the caller asks of them, l (its
 * label) and s (its current step). Every task has both, so that a join nobody asks of would only cost.
 */
export function matchingTasks(filter: TaskFilter, { withLabel = false } = {}): SQL {
  const { unifiedStatus, attention, updatedAfter, statusBefore, stepKind, stepStatus, gate } =
    filter;
  const isGiven = (...values: unknown[]) => values.some((value) => value !== undefined);
  // The few that are archived are found by their labels: no index of tasks has them together.
  const label =
    withLabel ||
    filter.archived === true ||
    isGiven(unifiedStatus, attention, updatedAfter, statusBefore);
  const step = isGiven(stepKind, stepStatus, gate);
  return sql`from tasks t
    ${label ? sql`join task_labels l on l.tenant_id = t.tenant_id and l.task_id = t.id` : sql``}
    ${step ? sql`join steps s on s.tenant_id = t.tenant_id and s.id = t.current_step_id` : sql``}
    where ${sql.join([isListed(filter, label), ...conditions(filter)], sql` and `)}`;
}

/** Said of the label where there is one: the indexes of label and attention begin with it. */
function isListed({ archived = false }: TaskFilter, label: boolean): SQL {
  if (label) return archived ? sql`l.archived` : sql`not l.archived`;
  return archived ? sql`t.archived_at is not null` : sql`t.archived_at is null`;
}

function conditions(filter: TaskFilter): SQL[] {
  const { unifiedStatus, attention, model } = filter;
  const given = <Value>(value: Value | undefined, condition: (value: Value) => SQL): SQL[] =>
    value === undefined ? [] : [condition(value)];
  return [
    // By rank, since that is what the index of labels is made of.
    ...given(unifiedStatus, (labels) => {
      const ranks = labels.map((label) => sql`label_rank(${label})`);
      return sql`l.rank in (${sql.join(ranks, sql`, `)})`;
    }),
    // The first half lets the partial index serve.
    ...given(attention, (codes) => {
      return sql`l.attention <> '{}' and l.attention && array[${listed(codes)}]::text[]`;
    }),
    ...given(filter.stepKind, (kind) => sql`s.kind = ${kind}`),
    ...given(filter.stepStatus, (status) => sql`s.status = ${status}`),
    ...given(filter.gate, (gate) => sql`s.gate = ${gate}`),
    ...given(filter.taxonomyCode, (code) => sql`t.taxonomy_code = ${code}`),
    ...given(filter.assignee, (assignee) => sql`t.assignee = ${assignee}`),
    ...given(filter.priority, (priority) => sql`t.priority = ${priority}`),
    ...given(filter.externalId, (externalId) => sql`t.external_id = ${externalId}`),
    ...given(filter.q, (needle) => sql`t.id in (select search_tasks(${needle}))`),
    ...given(
      model,
      (name) => sql`t.id in (select task_id from prompts where model = ${name}
        union all select task_id from data where model = ${name}
        union all select task_id from trials where model = ${name}
        union all select task_id from insights where model = ${name})`,
    ),
    ...given(
      filter.bulkOperationId,
      (id) => sql`t.id in (select task_id from step_events where bulk_operation_id = ${id})`,
    ),
    ...given(filter.createdAfter, (time) => sql`t.created_at > ${time}::timestamptz`),
    ...given(filter.createdBefore, (time) => sql`t.created_at < ${time}::timestamptz`),
    ...given(filter.updatedAfter, (time) => sql`l.updated_at > ${time}::timestamptz`),
    ...given(filter.statusBefore, (time) => sql`l.since < ${time}::timestamptz`),
  ];
}

export const TASK_SORTS = [
  "createdAt",
  "updatedAt",
  "title",
  "priority",
  "statusSince",
  "unifiedStatus",
] as const;
export type TaskSort = (typeof TASK_SORTS)[number];

/** The column of each sort and the id that breaks its ties: both of one table, so that one index serves them. */
const SORT_COLUMNS: Record<TaskSort, { column: SQL; id: SQL; type: SQL; withLabel?: boolean }> = {
  // Ids begin with the time of creation.
  createdAt: { column: sql`t.id`, id: sql`t.id`, type: sql`uuid` },
  updatedAt: {
    column: sql`l.updated_at`,
    id: sql`l.task_id`,
    type: sql`timestamptz`,
    withLabel: true,
  },
  title: { column: sql`t.title`, id: sql`t.id`, type: sql`text` },
  priority: { column: sql`t.priority`, id: sql`t.id`, type: sql`smallint` },
  statusSince: {
    column: sql`l.since`,
    id: sql`l.task_id`,
    type: sql`timestamptz`,
    withLabel: true,
  },
  unifiedStatus: { column: sql`l.rank`, id: sql`l.task_id`, type: sql`smallint`, withLabel: true },
};

/** The place in a list after which a page begins: the sort key as Postgres spells it, and the id that breaks ties. */
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

/** A page of the tasks that match, in one round trip; the label of each is for the resolver to say. */
export function listTasks(
  database: TenantDatabase,
  filter: TaskFilter,
  { sort, ...page }: TaskPage & { sort: TaskSort },
): Promise<ListedTaskRecord[]> {
  const { column, id, type, withLabel } = SORT_COLUMNS[sort];
  return database.read<ListedTaskRecord>(sql`
with page as materialized (
  select t.id, ${column} as key ${matchingTasks(filter, { withLabel })}
  ${page.after === null ? sql`` : sql`and ${isBeyond(column, type, id, page)}`}
  ${inOrder(column, id, page)}
  limit ${page.limit}
)
${pageTasks(page)}`);
}

/**
 * A chunk of all tasks that match, in the order of their ids: no task comes twice. Each chunk sees the tasks as they
 * are when it is read.
 */
export async function readTaskChunk(
  database: TenantDatabase,
  filter: TaskFilter,
  afterId: string | null,
): Promise<Chunk<TaskRecord, string>> {
  // Said of both tables, so that neither is read from its beginning for every chunk.
  const isBeyond =
    afterId === null ? sql`true` : sql`t.id > ${afterId}::uuid and l.task_id > ${afterId}::uuid`;
  const found = await database.read<{ task: TaskRecord }>(sql`
with page as materialized (
  select t.id ${matchingTasks(filter, { withLabel: true })} and ${isBeyond} order by t.id limit ${CHUNK_ROWS_MAX + 1}
)
select json_build_object(${TASK_MEMBERS}) as task
-- One look for each: a join would be planned as a scan of the tenant's whole table.
from page cross join lateral (select * from tasks where id = page.id limit 1) t ${TASK_JOINS}
order by page.id`);
  const rows = found.slice(0, CHUNK_ROWS_MAX).map(({ task }) => task);
  const next = found.length > CHUNK_ROWS_MAX ? (rows.at(-1)?.id ?? null) : null;
  return { rows, next };
}

/** Labels of at most so many tasks are resolved for one live sort. */
export const LIVE_SORT_MAX = 5000;

/** The tasks among which a live sort goes on from page to page: the newest that matched at the first one. */
export interface LiveWindow {
  newest: string;
  oldest: string;
  /** Whether more tasks matched than the window holds. */
  truncated: boolean;
}

export interface LiveTaskRecord extends ListedTaskRecord {
  window: LiveWindow;
}

/**
 * A page of the newest tasks that match, sorted by the label that the resolver gives them at this moment. At most
 * LIVE_SORT_MAX are looked at; the rows say whether more matched.
 */
export function listTasksLive(
  database: TenantDatabase,
  filter: TaskFilter,
  { window, ...page }: TaskPage & { window: LiveWindow | null },
): Promise<LiveTaskRecord[]> {
  const pinned =
    window === null
      ? sql``
      : sql`and t.id between ${window.oldest}::uuid and ${window.newest}::uuid`;
  return database.read<LiveTaskRecord>(sql`
with candidates as materialized (
  select t.id, t.current_step_id ${matchingTasks(filter)} ${pinned} order by t.id desc limit ${LIVE_SORT_MAX + 1}
),
windowed as materialized (select * from candidates order by id desc limit ${LIVE_SORT_MAX}),
bounds as materialized (${windowBounds(window)}),
labelled as materialized (
  select f.task_id as id, label_rank(label_of(f.kind, f.status, f.gate, f.review_failed, f.running_workers)) as rank
  from (${sql.raw(labelFactsOfStepsSql("array(select current_step_id from windowed)"))}) f
),
page as materialized (
  select id, rank as key from labelled
  ${page.after === null ? sql`` : sql`where ${isBeyond(sql`rank`, sql`smallint`, sql`id`, page)}`}
  ${inOrder(sql`rank`, sql`id`, page)}
  limit ${page.limit}
)
${pageTasks(page, sql`, (select row_to_json(bounds) from bounds) as window`)}`);
}

/** The first page chooses the window, and every later one keeps it. */
function windowBounds(window: LiveWindow | null): SQL {
  if (window !== null) {
    return sql`select ${window.newest}::uuid as newest, ${window.oldest}::uuid as oldest,
      ${window.truncated}::boolean as truncated`;
  }
  return sql`select (select id from windowed order by id desc limit 1) as newest,
    (select id from windowed order by id limit 1) as oldest,
    (select count(*) from candidates) > ${LIVE_SORT_MAX} as truncated`;
}

/** The tasks of the CTE `page`, in its order. */
function pageTasks(page: TaskPage, more = sql``): SQL {
  return sql`select page.key::text as key, json_build_object(${TASK_MEMBERS}) as task ${more}
from page join tasks t on t.id = page.id ${TASK_JOINS}
${inOrder(sql`page.key`, sql`page.id`, page)}`;
}

/** One comparison of rows, so that an index serves any depth alike. */
function isBeyond(column: SQL, type: SQL, id: SQL, { descending, after }: TaskPage): SQL {
  const beyond = descending ? sql`<` : sql`>`;
  return sql`(${column}, ${id}) ${beyond} (${after?.key ?? null}::${type}, ${after?.id ?? null}::uuid)`;
}

function inOrder(column: SQL, id: SQL, { descending }: TaskPage): SQL {
  const direction = descending ? sql`desc` : sql`asc`;
  return sql`order by ${column} ${direction}, ${id} ${direction}`;
}

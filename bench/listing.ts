import { LISTED_TENANT } from "./populations.ts";
import type { Service } from "./service.ts";

// Requests for pages of the list of tasks, at any depth.

/** The number of tasks on a page. */
export const PAGE = 50;

/** The measured sort orders: the query string, and the SQL that finds the position at a depth of the list. */
const SORTS = {
  label: {
    query: "sort=unifiedStatus&sortSource=materialized",
    name: "unifiedStatus",
    positionSql: `select l.rank::text as key, l.task_id as id
      from task_labels l join tasks t on t.tenant_id = l.tenant_id and t.id = l.task_id
      where l.tenant_id = $1 and t.archived_at is null order by l.rank, l.task_id offset $2 limit 1`,
  },
  key: {
    query: "sort=createdAt",
    name: "createdAt",
    positionSql: `select id::text as key, id from tasks
      where tenant_id = $1 and archived_at is null order by id offset $2 limit 1`,
  },
} as const;
type Sort = keyof typeof SORTS;

/** Returns the number of tasks in an unfiltered list, which has no archived tasks. */
async function listedTasks(service: Service): Promise<number> {
  const [row] = await service.query<{ count: string }>(
    "select count(*) from tasks where tenant_id = $1 and archived_at is null",
    [LISTED_TENANT],
  );
  return Number(row?.count);
}

/** Returns the path of the page that begins after the given fraction of the list; 0 is the first page. */
export async function pageAt(service: Service, sort: Sort, depth: number): Promise<string> {
  const { query, name, positionSql } = SORTS[sort];
  const path = `/v1/tasks?${query}&limit=${PAGE}`;
  if (depth === 0) return path;
  const offset = Math.floor((await listedTasks(service)) * depth);
  const [position] = await service.query<{ key: string; id: string }>(positionSql, [
    LISTED_TENANT,
    offset,
  ]);
  if (position === undefined) throw new Error("The list is too short");
  return `${path}&cursor=${await service.cursor(LISTED_TENANT, name, position)}`;
}

/** Returns a function that requests the page and throws if it has fewer than `rows` tasks. */
export function pageReader(
  service: Service,
  path: string,
  rows: number = PAGE,
): () => Promise<void> {
  return async () => {
    const { body } = await service.call<{ data: unknown[] }>(path, { tenant: LISTED_TENANT });
    if (body.data.length < rows) throw new Error(`${path} has ${body.data.length} rows`);
  };
}

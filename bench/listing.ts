import { GRID_TENANT } from "./populations.ts";
import type { Service } from "./service.ts";

// Pages of the list of tasks, from any place in it.

export const PAGE = 50;

/** The sorts that are measured: their query, and how the place so deep in the list is found. */
export const SORTS = {
  label: {
    query: "sort=unifiedStatus&sortSource=materialized",
    name: "unifiedStatus",
    place: `select l.rank::text as key, l.task_id as id
      from task_labels l join tasks t on t.tenant_id = l.tenant_id and t.id = l.task_id
      where l.tenant_id = $1 and t.archived_at is null order by l.rank, l.task_id offset $2 limit 1`,
  },
  key: {
    query: "sort=createdAt",
    name: "createdAt",
    place: `select id::text as key, id from tasks
      where tenant_id = $1 and archived_at is null order by id offset $2 limit 1`,
  },
} as const;
export type Sort = keyof typeof SORTS;

/** How many tasks a list of all has: those that are put away are in none. */
export async function listedTasks(service: Service): Promise<number> {
  const [row] = await service.look<{ count: string }>(
    "select count(*) from tasks where tenant_id = $1 and archived_at is null",
    [GRID_TENANT],
  );
  return Number(row?.count);
}

/** The path of the page that begins after a part of the list: 0 is the first one. */
export async function pageAt(service: Service, sort: Sort, depth: number): Promise<string> {
  const { query, name, place } = SORTS[sort];
  const path = `/v1/tasks?${query}&limit=${PAGE}`;
  if (depth === 0) return path;
  const offset = Math.floor((await listedTasks(service)) * depth);
  const [position] = await service.look<{ key: string; id: string }>(place, [GRID_TENANT, offset]);
  if (position === undefined) throw new Error("The list is not so long");
  return `${path}&cursor=${await service.cursor(GRID_TENANT, name, position)}`;
}

/** Gives back what reads the page, and makes sure that it is a whole one. */
export function reading(service: Service, path: string, rows: number = PAGE): () => Promise<void> {
  return async () => {
    const { body } = await service.call<{ data: unknown[] }>(path, { tenant: GRID_TENANT });
    if (body.data.length < rows) throw new Error(`${path} has ${body.data.length} rows`);
  };
}

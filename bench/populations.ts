import { ARCHETYPES } from "./load/archetypes.ts";
import type { Population } from "./load/load-database.ts";

// The tenants of a benchmark database. Those that are moved have tasks of one kind, so that there are enough of them
// at every scale; one move takes them there, another back.

const LIVELY = ARCHETYPES.filter(({ name }) => name === "is being judged");

/** Tasks of every kind: what is listed, sorted and searched. */
export const GRID_TENANT = "01900000-0000-7000-8000-000000000001";
/** Tasks under review, for what is moved. */
export const MOVED_TENANT = "01900000-0000-7000-8000-000000000002";
/** As many tasks in each, for writers that differ in one thing. Histories of the second one are not whole. */
export const CHAINED_TENANT = "01900000-0000-7000-8000-000000000003";
export const UNCHAINED_TENANT = "01900000-0000-7000-8000-000000000004";

export const MOVED_TASKS = 10_000;
const CHAINED_TASKS = 1_000;

/** What the large database is filled with, in which so many tasks are listed. */
export const populationsOf = (tasks: number): Population[] => [
  ...smallPopulationsOf(tasks),
  { tenantId: MOVED_TENANT, tasks: MOVED_TASKS, archetypes: LIVELY },
  { tenantId: CHAINED_TENANT, tasks: CHAINED_TASKS, archetypes: LIVELY },
  { tenantId: UNCHAINED_TENANT, tasks: CHAINED_TASKS, archetypes: LIVELY },
];

/** What a database is filled with that the large one is measured against: there nothing is moved. */
export const smallPopulationsOf = (tasks: number): Population[] => [
  { tenantId: GRID_TENANT, tasks },
];

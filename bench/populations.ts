import { ARCHETYPES } from "./load/archetypes.ts";
import type { Population } from "./load/load-database.ts";

// The tenants of a benchmark database. Tenants whose tasks are moved have tasks in review only, so that there are enough
// of them at every scale, and they can be moved back and forth.

const IN_REVIEW_ARCHETYPES = ARCHETYPES.filter(({ name }) => name === "is in review");

/** Tasks of every archetype, for lists, sorts and searches. */
export const LISTED_TENANT = "01900000-0000-7000-8000-000000000001";
/** Tasks in review, for moves. */
export const MOVED_TENANT = "01900000-0000-7000-8000-000000000002";
/** Two tenants of equal size, for writers with and without the hash chain. The second tenant's chains are broken. */
export const CHAINED_TENANT = "01900000-0000-7000-8000-000000000003";
export const UNCHAINED_TENANT = "01900000-0000-7000-8000-000000000004";

export const MOVED_TASKS = 10_000;
const CHAINED_TASKS = 1_000;

/** Returns the tenants of the large database, with `tasks` tasks in the listed one. */
export const largePopulations = (tasks: number): Population[] => [
  ...smallPopulations(tasks),
  { tenantId: MOVED_TENANT, tasks: MOVED_TASKS, archetypes: IN_REVIEW_ARCHETYPES },
  { tenantId: CHAINED_TENANT, tasks: CHAINED_TASKS, archetypes: IN_REVIEW_ARCHETYPES },
  { tenantId: UNCHAINED_TENANT, tasks: CHAINED_TASKS, archetypes: IN_REVIEW_ARCHETYPES },
];

/** Returns the tenants of a database that is only a baseline for the large one. No tasks are moved in it. */
export const smallPopulations = (tasks: number): Population[] => [
  { tenantId: LISTED_TENANT, tasks },
];

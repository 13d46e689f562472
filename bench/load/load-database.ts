import { Client } from "pg";
import { ARCHETYPES, type Archetype } from "./archetypes.ts";
import { LOAD_SCHEMA, multiply, storeTemplates } from "./multiply.ts";

/** A tenant to fill with tasks. */
export interface Population {
  tenantId: string;
  tasks: number;
  /** Default: all archetypes. */
  archetypes?: readonly Archetype[];
}

const DAY_MS = 86_400_000;
/** The age of the newest task. It is long enough that every history ends before now. */
const NEWEST_MS = 3 * DAY_MS;
/** The time between the creation of the oldest and of the newest task. */
const LENGTH_MS = 180 * DAY_MS;

const BATCH_TASKS = 2_000;
const CONNECTIONS = 2;

/**
 * Fills an empty, migrated database with tasks. For speed, it runs as the superuser with triggers off
 * (`session_replication_role`), creates the indexes with unordered entries at the end, and lets `rebuild_labels()`
 * compute the labels. The result satisfies every invariant, because the domain decided the rows, and the product's own
 * functions made their canonical texts and hashes.
 */
export async function loadDatabase(
  superuserUrl: string,
  populations: readonly Population[],
  onProgress: (tasks: number) => void = () => {},
): Promise<void> {
  await withClient(superuserUrl, async (client) => {
    const unordered = await dropUnorderedIndexes(client);
    let done = 0;
    for (const population of populations) {
      await loadPopulation(superuserUrl, population, (tasks) => onProgress(done + tasks));
      done += population.tasks;
    }
    for (const definition of unordered) await client.query(definition);
    await client.query("select rebuild_labels()");
    await client.query(`drop schema ${LOAD_SCHEMA} cascade`);
    await client.query("vacuum (analyze)");
  });
}

async function loadPopulation(
  superuserUrl: string,
  { tenantId, tasks, archetypes = ARCHETYPES }: Population,
  onProgress: (tasks: number) => void,
): Promise<void> {
  const schedule = await withClient(superuserUrl, (client) => storeTemplates(client, archetypes));
  const beginMs = Date.now() - NEWEST_MS - LENGTH_MS;
  const multiplication = { tenantId, tasks, schedule, beginMs, lengthMs: LENGTH_MS };
  let next = 1;
  let done = 0;
  const work = () =>
    withClient(superuserUrl, async (client) => {
      await client.query(SETTINGS);
      while (next <= tasks) {
        const first = next;
        const last = Math.min(tasks, first + BATCH_TASKS - 1);
        next = last + 1;
        await multiply(client, multiplication, [first, last]);
        done += last - first + 1;
        onProgress(done);
      }
    });
  await Promise.all(Array.from({ length: CONNECTIONS }, work));
}

const SETTINGS = `
  set session_replication_role = replica;
  set synchronous_commit = off;
  set work_mem = '256MB'`;

/** Drops the indexes of `tasks` whose order differs from the order of insertion. Returns their definitions. */
async function dropUnorderedIndexes(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string; definition: string }>(
    `select indexname as name, indexdef as definition from pg_indexes
     where indexname in ('tasks_search', 'tasks_search_cjk', 'tasks_title', 'tasks_priority')`,
  );
  for (const { name } of rows) await client.query(`drop index ${name}`);
  return rows.map(({ definition }) => definition);
}

async function withClient<Result>(
  url: string,
  work: (client: Client) => Promise<Result>,
): Promise<Result> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

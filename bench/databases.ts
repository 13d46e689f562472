import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { Client } from "pg";
import { showProgress } from "../scripts/import/progress.ts";
import { migrateDatabase } from "../scripts/stack/migrate.ts";
import type { Cluster } from "../scripts/stack/postgres.ts";
import { APPLICATION_ROLE, createRoles, OWNER_ROLE, urlForRole } from "../scripts/stack/roles.ts";
import { inventTenant, storeTenant, type Tenant } from "../scripts/stack/tenants.ts";
import { ARCHETYPES } from "./load/archetypes.ts";
import { loadDatabase, type Population } from "./load/load-database.ts";

/** A loaded database, and how to connect to it. */
export interface BenchDatabase {
  name: string;
  databaseUrl: string;
  superuserUrl: string;
  /** The tenants by id, with keys created for this run. */
  tenants: ReadonlyMap<string, Tenant>;
}

const PASSWORDS = { owner: "owner-of-benchmarks", application: "application-of-benchmarks" };

/** Opens the database with this name. Creates and loads it first unless an earlier run has done so. */
export async function openBenchDatabase(
  cluster: Cluster,
  name: string,
  populations: readonly Population[],
): Promise<BenchDatabase> {
  const fingerprint = await fingerprintOf(populations);
  const superuserUrl = cluster.superuserUrl(name);
  const ownerUrl = urlForRole(superuserUrl, OWNER_ROLE, PASSWORDS.owner);
  const isLoaded = (await commentOn(cluster, name)) === fingerprint;
  if (!isLoaded)
    await query(cluster.superuserUrl(), `drop database if exists ${name} with (force)`);
  await createRoles({ adminUrl: cluster.superuserUrl(), database: name, passwords: PASSWORDS });
  // A database loaded by an earlier release is migrated and vacuumed, as it would be in production.
  await migrateDatabase(ownerUrl);
  if (isLoaded) await query(superuserUrl, "vacuum (analyze)");

  const tenants = new Map<string, Tenant>();
  for (const { tenantId } of populations) {
    const tenant = inventTenant("Benchmark", { id: tenantId });
    await storeTenant(ownerUrl, tenant);
    tenants.set(tenantId, tenant);
  }
  if (!isLoaded) {
    await load(name, superuserUrl, populations);
    // Set the comment last, so that the next run repeats an interrupted load.
    await query(superuserUrl, `comment on database ${name} is '${fingerprint}'`);
  }
  const databaseUrl = urlForRole(superuserUrl, APPLICATION_ROLE, PASSWORDS.application);
  return { name, databaseUrl, superuserUrl, tenants };
}

async function load(
  name: string,
  superuserUrl: string,
  populations: readonly Population[],
): Promise<void> {
  const total = populations.reduce((sum, { tasks }) => sum + tasks, 0);
  const startedAt = performance.now();
  const progress = showProgress(`Loading ${name}`, total);
  try {
    await loadDatabase(superuserUrl, populations, (tasks) => progress.update(tasks));
  } finally {
    progress.end();
  }
  const seconds = (performance.now() - startedAt) / 1000;
  console.log(`  ${name}: ${total} tasks, indexes and labels in ${seconds.toFixed(0)} s`);
}

/** Returns a hash of everything that determines the contents of a database: the loader, its templates and the tenants. */
async function fingerprintOf(populations: readonly Population[]): Promise<string> {
  const hash = createHash("sha256").update(JSON.stringify([ARCHETYPES, populations]));
  const folder = join(import.meta.dirname, "load");
  for (const file of (await readdir(folder)).toSorted()) {
    hash.update(await readFile(join(folder, file)));
  }
  return hash.digest("hex");
}

async function commentOn(cluster: Cluster, name: string): Promise<string | null> {
  const rows = await query<{ comment: string | null }>(
    cluster.superuserUrl(),
    `select shobj_description(oid, 'pg_database') as comment from pg_database where datname = '${name}'`,
  );
  return rows[0]?.comment ?? null;
}

/** Runs one statement on a new connection and returns its rows. */
export async function query<Row extends object>(
  url: string,
  text: string,
  values: readonly unknown[] = [],
): Promise<Row[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(text, [...values])).rows;
  } finally {
    await client.end();
  }
}

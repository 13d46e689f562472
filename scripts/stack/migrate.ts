import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type MigrationMeta, readMigrationFiles } from "drizzle-orm/migrator";
import { Client } from "pg";
import { fillTaskKeys } from "./fill-task-keys.ts";
import { relabelTasks } from "./relabel-tasks.ts";

const MIGRATIONS_FOLDER = join(import.meta.dirname, "..", "..", "drizzle");

/**
 * Applies all missing migrations and creates the prepared functions of this release, as the owner. Does nothing if the
 * database is up to date. Each migration commits by itself, so that the locks of one do not last through the next.
 */
export async function migrateDatabase(ownerUrl: string): Promise<void> {
  if (!existsSync(join(MIGRATIONS_FOLDER, "meta", "_journal.json"))) return;
  const client = new Client({ connectionString: ownerUrl });
  await client.connect();
  try {
    const applied = await lastApplied(client);
    const migrations = readMigrationFiles({ migrationsFolder: MIGRATIONS_FOLDER });
    for (const migration of migrations) {
      if (migration.folderMillis > applied) await applyMigration(client, migration);
    }
    await rebuildLabels(client);
    await client.query(await readFile(join(MIGRATIONS_FOLDER, "prepared.sql"), "utf8"));
    await fillTaskKeys(client);
  } catch (error) {
    throw new Error(`A migration failed: ${String(error)}`, { cause: error });
  } finally {
    await client.end();
  }
}

/** Returns the time of the newest applied migration, in milliseconds since 1970. The table is the one of drizzle-orm. */
async function lastApplied(client: Client): Promise<number> {
  await client.query(`create schema if not exists drizzle;
    create table if not exists drizzle.__drizzle_migrations (id serial primary key, hash text not null, created_at bigint)`);
  const { rows } = await client.query<{ last: string | null }>(
    "select max(created_at) as last from drizzle.__drizzle_migrations",
  );
  return Number(rows[0]?.last ?? 0);
}

/** The last statement of a migration that changes how labels are computed. */
const REBUILD = /select rebuild_labels\(\);\s*$/;
/** What the recorded hash of a migration begins with until labels are rebuilt. */
const UNLABELED = "unlabeled ";

/** Applies a migration in one transaction, except the rebuild of labels, which `rebuildLabels` does afterwards. */
async function applyMigration(client: Client, migration: MigrationMeta): Promise<void> {
  const { sql: statements, hash, folderMillis } = migration;
  const isRebuilding = REBUILD.test(statements.at(-1) ?? "");
  await client.query("begin");
  for (const statement of isRebuilding ? statements.slice(0, -1) : statements) {
    await client.query(statement);
  }
  await client.query(
    "insert into drizzle.__drizzle_migrations (hash, created_at) values ($1, $2)",
    [isRebuilding ? `${UNLABELED}${hash}` : hash, folderMillis],
  );
  await client.query("commit");
}

/**
 * Rebuilds labels once, after all migrations that change them, in chunks: in the transaction of a migration, moves would
 * wait for the whole rebuild. The next run continues one that was cut off.
 */
async function rebuildLabels(client: Client): Promise<void> {
  const { rows } = await client.query(
    "select from drizzle.__drizzle_migrations where starts_with(hash, $1)",
    [UNLABELED],
  );
  if (rows.length === 0) return;
  await relabelTasks(client);
  await client.query(
    "update drizzle.__drizzle_migrations set hash = substr(hash, length($1) + 1) where starts_with(hash, $1)",
    [UNLABELED],
  );
}

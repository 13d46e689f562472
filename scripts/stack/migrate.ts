import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { drizzle } from "drizzle-orm/node-postgres";
import { migrate } from "drizzle-orm/node-postgres/migrator";
import { Client } from "pg";

const MIGRATIONS_FOLDER = join(import.meta.dirname, "..", "..", "drizzle");

/**
 * Brings the database to the newest migration and prepares the statements of this release, as the owner. Does nothing
 * where nothing is missing.
 */
export async function migrateDatabase(ownerUrl: string): Promise<void> {
  if (!existsSync(join(MIGRATIONS_FOLDER, "meta", "_journal.json"))) return;
  const client = new Client({ connectionString: ownerUrl });
  await client.connect();
  try {
    await migrate(drizzle(client), { migrationsFolder: MIGRATIONS_FOLDER });
    await client.query(await readFile(join(MIGRATIONS_FOLDER, "prepared.sql"), "utf8"));
  } catch (error) {
    // Drizzle's own message is the whole statement; what Postgres said about it is the cause.
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    throw new Error(`A migration failed: ${String(cause)}`, { cause: error });
  } finally {
    await client.end();
  }
}

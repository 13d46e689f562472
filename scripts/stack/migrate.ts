import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { drizzle } from "drizzle-orm/node-postgres";
import { migrate } from "drizzle-orm/node-postgres/migrator";
import { Client } from "pg";

const MIGRATIONS_FOLDER = join(import.meta.dirname, "..", "..", "drizzle");

/**
 * Applies all missing migrations and creates the prepared functions of this release, as the owner. Does nothing if the
 * database is up to date.
 */
export async function migrateDatabase(ownerUrl: string): Promise<void> {
  if (!existsSync(join(MIGRATIONS_FOLDER, "meta", "_journal.json"))) return;
  const client = new Client({ connectionString: ownerUrl });
  await client.connect();
  try {
    await migrate(drizzle(client), { migrationsFolder: MIGRATIONS_FOLDER });
    await client.query(await readFile(join(MIGRATIONS_FOLDER, "prepared.sql"), "utf8"));
  } catch (error) {
    // Drizzle's message repeats the whole statement. The cause has Postgres's own message.
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    throw new Error(`A migration failed: ${String(cause)}`, { cause: error });
  } finally {
    await client.end();
  }
}

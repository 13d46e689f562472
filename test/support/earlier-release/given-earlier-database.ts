import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { drizzle } from "drizzle-orm/node-postgres";
import { migrate } from "drizzle-orm/node-postgres/migrator";
import { Client } from "pg";
import { z } from "zod";
import {
  APPLICATION_ROLE,
  createRoles,
  OWNER_ROLE,
  urlForRole,
} from "../../../scripts/stack/roles.ts";
import { freshDatabase } from "../database.ts";
import rows from "./rows.json" with { type: "json" };

const MIGRATIONS = join(import.meta.dirname, "..", "..", "..", "drizzle");
/** The last migration of the release that wrote the rows. */
const LAST_MIGRATION = "0019_people";

/** A database as an earlier release left it. */
export interface EarlierDatabase {
  ownerUrl: string;
  superuserUrl: string;
  /** For the service, with the endpoint that it reaches the database through. */
  databaseUrl: string;
  fetchEndpoint: string;
  drop: () => Promise<void>;
}

/** Creates a database with the migrations and the rows of the earlier release (README.md). */
export async function givenEarlierDatabase(): Promise<EarlierDatabase> {
  const server = await freshDatabase();
  const name = `earlier_${server.name}`;
  const passwordOf = (url: string) => decodeURIComponent(new URL(url).password);
  const passwords = {
    owner: passwordOf(server.migrationDatabaseUrl),
    application: passwordOf(server.databaseUrl),
  };
  await createRoles({ adminUrl: server.superuserUrl, database: name, passwords });
  const superuserUrl = Object.assign(new URL(server.superuserUrl), { pathname: `/${name}` }).href;
  const ownerUrl = urlForRole(superuserUrl, OWNER_ROLE, passwords.owner);
  await migrateToEarlier(ownerUrl);
  await withClient(superuserUrl, loadRows);
  return {
    ownerUrl,
    superuserUrl,
    databaseUrl: urlForRole(superuserUrl, APPLICATION_ROLE, passwords.application),
    fetchEndpoint: server.fetchEndpoint,
    drop: () =>
      withClient(server.superuserUrl, async (client) => {
        await client.query(`drop database ${client.escapeIdentifier(name)} with (force)`);
      }).then(() => server.drop()),
  };
}

const journal = z.looseObject({ entries: z.array(z.looseObject({ tag: z.string() })) });

/** Applies the migrations up to the last one of the release. */
async function migrateToEarlier(ownerUrl: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "migrations-"));
  try {
    await cp(MIGRATIONS, folder, { recursive: true });
    const path = join(folder, "meta", "_journal.json");
    const { entries, ...rest } = journal.parse(JSON.parse(await readFile(path, "utf8")));
    const last = entries.findIndex(({ tag }) => tag === LAST_MIGRATION);
    await writeFile(path, JSON.stringify({ ...rest, entries: entries.slice(0, last + 1) }));
    await withClient(ownerUrl, (client) => migrate(drizzle(client), { migrationsFolder: folder }));
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function loadRows(client: Client): Promise<void> {
  // Rows of one tenant refer to each other in circles, and the guards would reject what is not written by an event.
  await client.query("set session_replication_role = replica");
  for (const [table, given] of Object.entries(rows)) {
    await client.query(
      `insert into ${client.escapeIdentifier(table)} overriding system value
       select * from json_populate_recordset(null::${client.escapeIdentifier(table)}, $1)`,
      [JSON.stringify(given)],
    );
  }
  await client.query("select setval('feed_id', (select max(feed_id) from step_events))");
  await client.query("set session_replication_role = origin");
  await client.query("select rebuild_labels()");
}

async function withClient(url: string, use: (client: Client) => Promise<void>): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await use(client);
  } finally {
    await client.end();
  }
}

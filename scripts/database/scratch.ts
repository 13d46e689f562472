import { Client } from "pg";
import { migrateDatabase } from "../stack/migrate.ts";
import { type PostgresVersion, startTemporaryCluster } from "../stack/postgres.ts";
import { createRoles, OWNER_ROLE, urlForRole } from "../stack/roles.ts";

const DATABASE = "scratch";
const PASSWORDS = { owner: "owner", application: "application" };

/** Calls `work` as the owner of a migrated, empty database, on a Postgres that ends with the call. */
export async function withScratchDatabase<Result>(
  work: (client: Client) => Promise<Result>,
  { version }: { version?: PostgresVersion } = {},
): Promise<Result> {
  const cluster = await startTemporaryCluster({ durable: false, version });
  try {
    const adminUrl = cluster.superuserUrl();
    await createRoles({ adminUrl, database: DATABASE, passwords: PASSWORDS });
    const ownerUrl = urlForRole(cluster.superuserUrl(DATABASE), OWNER_ROLE, PASSWORDS.owner);
    await migrateDatabase(ownerUrl);
    const client = new Client({ connectionString: ownerUrl });
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  } finally {
    await cluster.stop();
  }
}

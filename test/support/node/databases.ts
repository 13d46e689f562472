import { Client } from "pg";
import { migrateDatabase } from "../../../scripts/stack/migrate.ts";
import { startNeonProxy, type NeonProxy } from "../../../scripts/stack/neon-proxy.ts";
import { startTemporaryCluster, type Cluster } from "../../../scripts/stack/postgres.ts";
import {
  APPLICATION_ROLE,
  createRoles,
  OWNER_ROLE,
  urlForRole,
} from "../../../scripts/stack/roles.ts";
import type { DatabaseAddresses } from "../stack.ts";

const PASSWORDS = { owner: "owner-of-tests", application: "application-of-tests" };
const TEMPLATE = "migrated";

/** One PostgreSQL server and one proxy for the whole run. Each test file gets a copy of the migrated database. */
export class TestDatabases {
  #stack: Promise<{ cluster: Cluster; proxy: NeonProxy; admin: Client }> | null = null;
  #created = 0;

  async create(): Promise<DatabaseAddresses> {
    this.#stack ??= start();
    const { cluster, proxy, admin } = await this.#stack;
    this.#created += 1;
    const name = `test_${this.#created}`;
    // One client runs the statements one after another: concurrent copies of a template would collide. The default
    // strategy writes every page of the template to the log.
    await admin.query(
      `create database ${name} template ${TEMPLATE} owner ${OWNER_ROLE} strategy file_copy`,
    );
    await admin.query(`grant connect on database ${name} to ${APPLICATION_ROLE}`);
    // A copy does not have the grants of its template.
    await admin.query(`revoke temporary on database ${name} from public`);
    const superuserUrl = cluster.superuserUrl(name);
    return {
      name,
      databaseUrl: urlForRole(superuserUrl, APPLICATION_ROLE, PASSWORDS.application),
      migrationDatabaseUrl: urlForRole(superuserUrl, OWNER_ROLE, PASSWORDS.owner),
      superuserUrl,
      proxyUrl: proxy.url,
      fetchEndpoint: proxy.fetchEndpoint,
    };
  }

  async drop(name: string): Promise<void> {
    if (!this.#stack) return;
    const { proxy, admin } = await this.#stack;
    await proxy.releaseDatabase(name);
    await admin.query(`drop database if exists ${admin.escapeIdentifier(name)} with (force)`);
  }

  async stop(): Promise<void> {
    if (!this.#stack) return;
    const { cluster, proxy, admin } = await this.#stack;
    await admin.end();
    await proxy.stop();
    await cluster.stop();
  }
}

async function start() {
  const cluster = await startTemporaryCluster({ durable: false, connectionsMax: 300 });
  await createRoles({
    adminUrl: cluster.superuserUrl(),
    database: TEMPLATE,
    passwords: PASSWORDS,
  });
  await migrateDatabase(urlForRole(cluster.superuserUrl(TEMPLATE), OWNER_ROLE, PASSWORDS.owner));
  const admin = new Client({ connectionString: cluster.superuserUrl() });
  await admin.connect();
  const proxy = await startNeonProxy({
    target: { host: "127.0.0.1", port: cluster.port },
    connectionsMax: 24,
  });
  return { cluster, proxy, admin };
}

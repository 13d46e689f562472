import { startNeonProxy, type NeonProxy } from "./neon-proxy.ts";
import { startCluster, type Cluster } from "./postgres.ts";
import { APPLICATION_ROLE, createRoles, OWNER_ROLE, urlForRole } from "./roles.ts";

/** The database that the Worker uses, and how it reaches it. */
export interface Backend {
  databaseUrl: string;
  migrationDatabaseUrl: string;
  /** Null where the driver speaks to Neon itself. */
  proxy: NeonProxy | null;
  stop: () => Promise<void>;
}

const DATABASE = "stepledger";

/** Our own PostgreSQL, with its files under the given directory. */
export async function startEmbeddedBackend(
  home: string,
  passwords: { owner: string; application: string },
): Promise<Backend> {
  const cluster = await startCluster({ home, durable: true, connectionsMax: 120 });
  if (cluster.home !== home) {
    console.log(
      `PostgreSQL does not run as root and cannot enter here: its files are in ${cluster.home}`,
    );
  }
  try {
    await createRoles({ adminUrl: cluster.superuserUrl(), database: DATABASE, passwords });
    const server = cluster.superuserUrl(DATABASE);
    const proxy = await startNeonProxy({
      target: { host: "127.0.0.1", port: cluster.port },
      connectionsMax: 40,
    });
    return {
      databaseUrl: urlForRole(server, APPLICATION_ROLE, passwords.application),
      migrationDatabaseUrl: urlForRole(server, OWNER_ROLE, passwords.owner),
      proxy,
      stop: () => stopBoth(proxy, cluster),
    };
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}

async function stopBoth(proxy: NeonProxy, cluster: Cluster): Promise<void> {
  await proxy.stop();
  await cluster.stop();
}

/** A database that is there already: at Neon, or a PostgreSQL that our endpoint stands before. */
export async function startGivenBackend(
  databaseUrl: string,
  migrationDatabaseUrl: string,
): Promise<Backend> {
  const url = new URL(databaseUrl);
  const isNeon = url.hostname.endsWith(".neon.tech");
  const proxy = isNeon
    ? null
    : await startNeonProxy({
        target: {
          host: url.hostname,
          port: Number(url.port || "5432"),
          ssl: !["", "disable"].includes(url.searchParams.get("sslmode") ?? ""),
        },
        connectionsMax: 20,
      });
  return { databaseUrl, migrationDatabaseUrl, proxy, stop: async () => proxy?.stop() };
}

import { keepAlive } from "./keep-alive.ts";
import { startNeonProxy, type NeonProxy } from "./neon-proxy.ts";
import { startCluster } from "./postgres.ts";
import { APPLICATION_ROLE, createRoles, OWNER_ROLE, urlForRole } from "./roles.ts";

/** The database of a local stack, and how the Worker connects to it. */
export interface Backend {
  databaseUrl: string;
  migrationDatabaseUrl: string;
  /** Null if the driver talks to Neon directly. */
  proxy: NeonProxy | null;
  /** Whether only this stack uses the database. */
  isOwn: boolean;
  /** Resolves to an error if the server has ended and cannot be restarted. */
  failed: Promise<Error>;
  stop: () => Promise<void>;
}

const DATABASE = "stepledger";

/** Starts the embedded PostgreSQL with its files under `home`. */
export async function startEmbeddedBackend(
  home: string,
  passwords: { owner: string; application: string },
): Promise<Backend> {
  const cluster = await startCluster({ home, durable: true, connectionsMax: 120 });
  if (cluster.home !== home) {
    console.log(
      `PostgreSQL cannot run as root, and its user cannot read this directory. Its files are in ${cluster.home}`,
    );
  }
  try {
    await createRoles({ adminUrl: cluster.superuserUrl(), database: DATABASE, passwords });
    const server = cluster.superuserUrl(DATABASE);
    const proxy = await startNeonProxy({
      target: { host: "127.0.0.1", port: cluster.port },
      connectionsMax: 40,
    });
    const stopping = new AbortController();
    const { ended, restart } = cluster;
    return {
      databaseUrl: urlForRole(server, APPLICATION_ROLE, passwords.application),
      migrationDatabaseUrl: urlForRole(server, OWNER_ROLE, passwords.owner),
      proxy,
      isOwn: true,
      failed: keepAlive({ name: "PostgreSQL", ended, restart, stopping: stopping.signal }),
      stop: async () => {
        stopping.abort();
        await proxy.stop();
        await cluster.stop();
      },
    };
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}

/** Uses an existing database: at Neon, or on any PostgreSQL through the local Neon endpoint. */
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
  return {
    databaseUrl,
    migrationDatabaseUrl,
    proxy,
    isOwn: false,
    failed: new Promise(() => {}),
    stop: async () => proxy?.stop(),
  };
}

import { Client } from "pg";
import { STATEMENT_MS_MAX } from "../../src/db/connection/transaction.ts";

export const OWNER_ROLE = "stepledger_owner";
export const APPLICATION_ROLE = "stepledger_app";

export interface RolesOptions {
  /** A DSN of a superuser, or of a role that may create roles and databases. */
  adminUrl: string;
  database: string;
  passwords: { owner: string; application: string };
}

/**
 * Creates the two roles, the database and the extension that the migrations require. Safe to run again. The roles are
 * created with SQL on purpose: roles created in Neon's console bypass row security.
 */
export async function createRoles(options: RolesOptions): Promise<void> {
  const { adminUrl, database, passwords } = options;
  await withClient(adminUrl, async (client) => {
    await ensureRole(client, OWNER_ROLE, passwords.owner);
    await ensureRole(client, APPLICATION_ROLE, passwords.application);
    // A call of a prepared function is a single statement, so it cannot set its own limit.
    await client.query(
      `alter role ${APPLICATION_ROLE} set statement_timeout = ${STATEMENT_MS_MAX}`,
    );
    // Only a member of a role can make it the owner of an object. A superuser needs no membership.
    const { rows: self } = await client.query<{ rolsuper: boolean }>(
      "select rolsuper from pg_roles where rolname = current_user",
    );
    if (self[0]?.rolsuper !== true) await client.query(`grant ${OWNER_ROLE} to current_user`);
    const { rowCount } = await client.query("select from pg_database where datname = $1", [
      database,
    ]);
    if (rowCount === 0) {
      await client.query(
        `create database ${client.escapeIdentifier(database)} owner ${OWNER_ROLE}`,
      );
    }
  });

  const url = new URL(adminUrl);
  url.pathname = `/${encodeURIComponent(database)}`;
  await withClient(url.href, async (client) => {
    const name = client.escapeIdentifier(database);
    await client.query(`alter database ${name} owner to ${OWNER_ROLE}`);
    await client.query(`alter schema public owner to ${OWNER_ROLE}`);
    await client.query("revoke create on schema public from public");
    await client.query(`grant usage on schema public to ${APPLICATION_ROLE}`);
    await client.query(`grant connect on database ${name} to ${APPLICATION_ROLE}`);
    // A temporary table can have the name of any other, so the application gets none (SECURITY.md).
    await client.query(`revoke temporary on database ${name} from public`);
    await client.query("create extension if not exists pg_trgm schema public");
  });
}

/** Returns the DSN of a role on the server and database of another DSN. */
export function urlForRole(serverUrl: string, role: string, password: string): string {
  const url = new URL(serverUrl);
  url.username = role;
  url.password = encodeURIComponent(password);
  return url.href;
}

async function ensureRole(client: Client, role: string, password: string): Promise<void> {
  const { rowCount } = await client.query("select from pg_roles where rolname = $1", [role]);
  const verb = rowCount === 0 ? "create" : "alter";
  await client.query(
    `${verb} role ${role} login nobypassrls nocreatedb nocreaterole password ${client.escapeLiteral(password)}`,
  );
}

async function withClient(url: string, work: (client: Client) => Promise<void>): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}

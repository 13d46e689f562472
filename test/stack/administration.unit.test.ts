import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { drizzle } from "drizzle-orm/node-postgres";
import { migrate } from "drizzle-orm/node-postgres/migrator";
import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { migrateDatabase } from "../../scripts/stack/migrate.ts";
import { removeHome, startCluster, type Cluster } from "../../scripts/stack/postgres.ts";
import { createRoles, OWNER_ROLE, urlForRole } from "../../scripts/stack/roles.ts";
import {
  findTenants,
  inventTenant,
  mintAdminKey,
  storeTenant,
} from "../../scripts/stack/tenants.ts";
import { verifyDatabase } from "../../scripts/verify/verify-database.ts";

const MIGRATIONS = join(import.meta.dirname, "..", "..", "drizzle");
const passwords = { owner: "owner", application: "application" };

let home: string;
let cluster: Cluster;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "stepledger-test-"));
  cluster = await startCluster({ home, durable: false });
});
afterAll(async () => {
  await cluster.stop();
  await removeHome(home);
});

/** Creates an empty database with its roles, and returns the owner's URL. */
async function givenDatabase(name: string): Promise<string> {
  await createRoles({ adminUrl: cluster.superuserUrl(), database: name, passwords });
  return urlForRole(cluster.superuserUrl(name), OWNER_ROLE, passwords.owner);
}

async function asOwner<Row extends object>(url: string, ...statements: string[]): Promise<Row[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    let rows: Row[] = [];
    for (const statement of statements) ({ rows } = await client.query<Row>(statement));
    return rows;
  } finally {
    await client.end();
  }
}

/** Applies the migrations that came before the history of administration. */
async function migrateToBefore(ownerUrl: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "stepledger-migrations-"));
  const client = new Client({ connectionString: ownerUrl });
  await client.connect();
  try {
    await cp(MIGRATIONS, folder, { recursive: true });
    const path = join(folder, "meta", "_journal.json");
    // drizzle-kit writes this file.
    const journal = JSON.parse(await readFile(path, "utf8")) as { entries: { tag: string }[] };
    const first = journal.entries.findIndex(({ tag }) => tag.endsWith("_administration"));
    expect(first).toBeGreaterThan(0);
    await writeFile(path, JSON.stringify({ ...journal, entries: journal.entries.slice(0, first) }));
    await migrate(drizzle(client), { migrationsFolder: folder });
  } finally {
    await client.end();
    await rm(folder, { recursive: true });
  }
}

test("the history of administration begins with the state of every row that existed before it", async () => {
  const url = await givenDatabase("upgraded");
  await migrateToBefore(url);
  const tenant = "00000000-0000-7000-8000-000000000001";
  await asOwner(
    url,
    `insert into tenants (id, name) values ('${tenant}', 'Old'), (new_id(), 'Other')`,
    `insert into api_keys (tenant_id, id, name, role, digest, last_four, created_by, revoked_at, revoked_by)
     select '${tenant}', new_id(), 'Key ' || n, 'admin', sha256(n::text::bytea), '0000', 'setup',
       case when n = 1 then now() end, case when n = 1 then 'somebody' end from generate_series(1, 3) n`,
    `insert into pipelines (tenant_id, name, endpoint, secret)
     values ('${tenant}', 'payment', 'https://pay.example.com', sha256('x'))`,
    `insert into webhooks (tenant_id, id, name, url, events, secret, position_txid, position_feed_id, heard_nothing_of)
     values ('${tenant}', new_id(), 'hook', 'https://hooks.example.com', array['bulk.finished'], sha256('x'), '0', 0,
       pg_current_snapshot())`,
  );
  await migrateDatabase(url);
  const events = await asOwner(
    url,
    `select seq, type, subject_kind as kind, actor_kind as actor from admin_events
     where tenant_id = '${tenant}' order by seq`,
  );
  const kinds = ["tenant", "key", "key", "key", "pipeline", "webhook"];
  expect(events).toEqual(
    kinds.map((kind, index) => ({ seq: index + 1, type: "state_imported", kind, actor: "system" })),
  );
  const { isWhole, chains } = await verifyDatabase(url);
  expect({ isWhole, chains: chains.chains }).toEqual({ isWhole: true, chains: 2 });
});

test("an operator at the database can create an admin key, and the tenant's history says so", async () => {
  const url = await givenDatabase("rescued");
  await migrateDatabase(url);
  const tenant = inventTenant("Locked out");
  await storeTenant(url, tenant, ["viewer"]);
  await storeTenant(url, tenant, ["viewer"]);
  await storeTenant(url, inventTenant("Twins"), ["admin"]);
  await storeTenant(url, inventTenant("Twins"), ["admin"]);

  expect(await findTenants(url, "Locked out")).toEqual([tenant.id]);
  expect(await findTenants(url, tenant.id.toUpperCase())).toEqual([tenant.id]);
  expect(await findTenants(url, "Twins")).toHaveLength(2);
  expect(await findTenants(url, "Nobody")).toEqual([]);
  const key = await mintAdminKey(url, tenant.id, null);
  expect(key).toMatch(new RegExp(`^slg_${tenant.id.replaceAll("-", "")}_[A-Za-z0-9_-]{43}$`));

  const events = await asOwner(
    url,
    `select type, actor_id as actor, actor_kind as kind, payload::jsonb #>> '{after,role}' as role
     from admin_events where tenant_id = '${tenant.id}' order by seq`,
  );
  const operator = { actor: "operator", kind: "system" };
  expect(events).toEqual([
    { type: "tenant_created", ...operator, role: null },
    { type: "key_created", ...operator, role: "viewer" },
    { type: "key_created", ...operator, role: "admin" },
  ]);
  const stored = await asOwner(
    url,
    `select role, digest = sha256('${key}') as matches from api_keys
     where tenant_id = '${tenant.id}' and role = 'admin'`,
  );
  expect(stored).toEqual([{ role: "admin", matches: true }]);
  expect((await verifyDatabase(url)).isWhole).toBe(true);
});

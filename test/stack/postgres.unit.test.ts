import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { PREPARED_NAMES } from "../../src/db/connection/prepared-names.ts";
import { migrateDatabase } from "../../scripts/stack/migrate.ts";
import { removeHome, startCluster, type Cluster } from "../../scripts/stack/postgres.ts";
import {
  APPLICATION_ROLE,
  createRoles,
  OWNER_ROLE,
  urlForRole,
} from "../../scripts/stack/roles.ts";
import { inventTenant, storeTenant } from "../../scripts/stack/tenants.ts";

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

const passwords = { owner: "o/w:n@er", application: "a pplication" };
const urlOf = (role: string, password: string) =>
  urlForRole(cluster.superuserUrl("stepledger"), role, password);

async function rowsOf(url: string, text: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  // A server that is killed also fails the query.
  client.on("error", () => {});
  await client.connect();
  try {
    const { rows } = await client.query<Record<string, unknown>>(text);
    return rows;
  } finally {
    await client.end();
  }
}

test("roles, migrations and tenants can be created twice", async () => {
  const tenant = inventTenant("Twice");
  for (let time = 1; time <= 2; time += 1) {
    await createRoles({ adminUrl: cluster.superuserUrl(), database: "stepledger", passwords });
    await migrateDatabase(urlOf(OWNER_ROLE, passwords.owner));
    await storeTenant(urlOf(OWNER_ROLE, passwords.owner), tenant);
  }
  const keys = await rowsOf(
    cluster.superuserUrl("stepledger"),
    "select role, encode(digest, 'hex') as digest, last_four from api_keys order by role",
  );
  expect(keys).toHaveLength(5);
  expect(JSON.stringify(keys)).not.toContain(tenant.keys.admin);
});

test("neither role bypasses row security, and the application's role owns nothing", async () => {
  const roles = await rowsOf(
    cluster.superuserUrl("stepledger"),
    `select rolname, rolsuper or rolbypassrls or rolcreaterole or rolcreatedb as above,
       exists (select from pg_class where relowner = r.oid) as owns
     from pg_roles r where rolname like 'stepledger%' order by rolname`,
  );
  expect(roles).toEqual([
    { rolname: APPLICATION_ROLE, above: false, owns: false },
    { rolname: OWNER_ROLE, above: false, owns: true },
  ]);
  const asApplication = rowsOf(
    urlOf(APPLICATION_ROLE, passwords.application),
    "create table mine ()",
  );
  await expect(asApplication).rejects.toMatchObject({ code: "42501" });
});

test("prepared functions belong to the owner and run with the application's rights", async () => {
  const functions = await rowsOf(
    cluster.superuserUrl("stepledger"),
    `select p.proname as name, p.proowner::regrole::text as owner, p.prosecdef as "isDefiner",
       has_function_privilege('${APPLICATION_ROLE}', p.oid, 'execute') as "isCallable",
       has_function_privilege('public', p.oid, 'execute') as "isPublic"
     from pg_proc p where pronamespace = 'prepared'::regnamespace order by proname`,
  );
  const rights = { owner: OWNER_ROLE, isDefiner: false, isCallable: true, isPublic: false };
  const names = Object.values(PREPARED_NAMES).toSorted();
  expect(functions).toEqual(names.map((name) => ({ name, ...rights })));
});

test("the application's role has a statement timeout", async () => {
  const url = urlOf(APPLICATION_ROLE, passwords.application);
  expect(await rowsOf(url, "show statement_timeout")).toEqual([{ statement_timeout: "10s" }]);
});

test("a key contains its tenant and 43 random characters", () => {
  const { id, keys } = inventTenant("Named");
  const all = Object.values(keys);
  expect(new Set(all).size).toBe(5);
  for (const key of all) expect(key).toMatch(/^slg_[0-9a-f]{32}_[A-Za-z0-9_-]{43}$/);
  expect(keys.viewer.slice(4, 36)).toBe(id.replaceAll("-", ""));
});

test("a restart keeps the data, and a durable server uses fsync", async () => {
  await rowsOf(cluster.superuserUrl(), "create table kept as select 42 as answer");
  expect(await rowsOf(cluster.superuserUrl(), "show fsync")).toEqual([{ fsync: "off" }]);
  await cluster.stop();
  cluster = await startCluster({ home, durable: true });
  expect(await rowsOf(cluster.superuserUrl(), "select answer from kept")).toEqual([{ answer: 42 }]);
  expect(await rowsOf(cluster.superuserUrl(), "show fsync")).toEqual([{ fsync: "on" }]);
});

/** The id of the server's process, from its own lock file. */
async function serverPid(): Promise<number> {
  const [pid] = (await readFile(join(cluster.home, "data", "postmaster.pid"), "utf8")).split("\n");
  return Number(pid);
}

test("a killed server is restarted on its port, although its sessions are still at work", async () => {
  const { port } = cluster;
  const sleeping = rowsOf(cluster.superuserUrl(), "select pg_sleep(2), 'a session' as name").catch(
    () => "lost",
  );
  const sessions =
    "select 1 from pg_stat_activity where query like '%a session%' and pid <> pg_backend_pid()";
  await expect.poll(() => rowsOf(cluster.superuserUrl(), sessions)).toHaveLength(1);
  process.kill(await serverPid(), "SIGKILL");
  expect(await cluster.ended()).toBe("signal SIGKILL");
  await cluster.restart();
  expect(cluster.port).toBe(port);
  expect(await rowsOf(cluster.superuserUrl(), "select answer from kept")).toEqual([{ answer: 42 }]);
  await sleeping;
});

test("a start ends the server that a killed process left, and no other process with its id", async () => {
  const left = cluster;
  cluster = await startCluster({ home, durable: true });
  expect(await left.ended()).toBe("exit code 0");
  expect(await rowsOf(cluster.superuserUrl(), "select answer from kept")).toEqual([{ answer: 42 }]);

  process.kill(await serverPid(), "SIGKILL");
  await cluster.ended();
  const path = join(cluster.home, "data", "postmaster.pid");
  // As after a restart of the machine: this test's own process has the server's id.
  await writeFile(path, (await readFile(path, "utf8")).replace(/^\d+/, String(process.pid)));
  cluster = await startCluster({ home, durable: true });
  expect(await rowsOf(cluster.superuserUrl(), "select answer from kept")).toEqual([{ answer: 42 }]);
});

test("a server that does not start reports the output of Postgres", async () => {
  const broken = await mkdtemp(join(tmpdir(), "stepledger-test-"));
  const first = await startCluster({ home: broken, durable: false });
  await first.stop();
  await writeFile(join(broken, "data", "PG_VERSION"), "9.6\n");
  await expect(startCluster({ home: broken, durable: false })).rejects.toThrow(
    /PostgreSQL did not start[^]*not compatible/,
  );
  await rm(broken, { recursive: true, force: true });
});

import { join } from "node:path";
import { uuidv7 } from "uuidv7";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { countSecrets, sealSecrets } from "../../scripts/seal/seal-secrets.ts";
import { PROJECT_DIRECTORY } from "../../scripts/stack/stack.ts";
import { inventTenant, storeTenant } from "../../scripts/stack/tenants.ts";
import { newSecret, secretText } from "../../src/outbound/secrets.ts";
import { freshDatabase, type TestDatabase } from "../support/database.ts";
import { runProgram } from "../support/node/programs.ts";
import { parsedSealingKeys, sealingKeys, testSealer } from "../support/sealing.ts";
import { storedSecrets } from "../support/secrets.ts";

/** More than one chunk of the script. */
const HOOKS = 450;
const OLD = sealingKeys("old");
const BOTH = sealingKeys("new", "old");

let database: TestDatabase;
const tenant = inventTenant("Sealed");

beforeAll(async () => {
  database = await freshDatabase();
  await storeTenant(database.migrationDatabaseUrl, tenant);
});
beforeEach(async () => {
  await database.query("owner", "delete from signing_secrets");
  await database.query("owner", "delete from webhooks");
});

const hookName = (index: number) => `hook-${String(index).padStart(4, "0")}`;

/** Stores webhooks with a plain secret each, and returns the secrets by name. */
async function givenPlain(count: number): Promise<Map<string, string>> {
  const secrets = new Map<string, string>();
  for (let index = 0; index < count; index += 1) {
    secrets.set(hookName(index), secretText(newSecret()));
  }
  await database.query(
    "owner",
    `insert into webhooks (tenant_id, id, name, url, events, secret, position_txid, position_feed_id, heard_nothing_of)
    select $1, new_id(), key, 'https://hooks.example.com/', array['bulk.finished'], decode(substr(value, 7), 'base64'),
      pg_snapshot_xmin(pg_current_snapshot()), 0, pg_current_snapshot()
    from json_each_text($2::json)`,
    [tenant.id, JSON.stringify(Object.fromEntries(secrets))],
  );
  return secrets;
}

/** Stores a webhook whose secret is sealed with the first of these keys. */
async function givenSealed(name: string, keys: string): Promise<string> {
  const secret = newSecret();
  const id = uuidv7();
  const sealed = await testSealer(keys).seal(
    { tenantId: tenant.id, kind: "webhook", name, id },
    secret,
  );
  await givenPlainless(name);
  await database.query(
    "owner",
    "insert into signing_secrets (tenant_id, id, kind, name, sealed) values ($1, $2, 'webhook', $3, $4)",
    [tenant.id, id, name, sealed],
  );
  return secretText(secret);
}

const givenPlainless = (name: string) =>
  database.query(
    "owner",
    `insert into webhooks (tenant_id, id, name, url, events, position_txid, position_feed_id, heard_nothing_of)
    values ($1, new_id(), $2, 'https://hooks.example.com/', array['bulk.finished'],
      pg_snapshot_xmin(pg_current_snapshot()), 0, pg_current_snapshot())`,
    [tenant.id, name],
  );

const QUIET = () => ({ update: () => {}, note: () => {}, end: () => {} });
const seal = (keys: string) =>
  sealSecrets(database.migrationDatabaseUrl, parsedSealingKeys(keys), QUIET);
const counts = () => countSecrets(database.migrationDatabaseUrl);
const run = (keys: string, ...args: string[]) =>
  runProgram([process.execPath, join(PROJECT_DIRECTORY, "scripts", "seal.ts"), ...args], {
    MIGRATION_DATABASE_URL: database.migrationDatabaseUrl,
    SEALING_KEYS: keys,
  });

/** Opens the secret of a webhook with keys of which each must be able to open it. */
const opened = async (name: string, keys: string) =>
  (await storedSecrets(database, { kind: "webhook", name }, keys))[0]?.secret;

describe("npm run seal", () => {
  test("seals plain secrets, and empties their columns", async () => {
    const secrets = await givenPlain(HOOKS);
    expect(await counts()).toEqual([{ keyId: null, secrets: HOOKS }]);
    await seal(OLD);
    expect(await counts()).toEqual([{ keyId: "old", secrets: HOOKS }]);
    const [left] = await database.query(
      "owner",
      "select count(*) as plain from webhooks where secret is not null or previous_secret is not null",
    );
    expect(left).toEqual({ plain: "0" });
    for (const index of [0, 199, 200, HOOKS - 1]) {
      expect(await opened(hookName(index), OLD)).toBe(secrets.get(hookName(index)));
    }
  });

  test("seals with the new key what an old key has sealed, so that the old key can go", async () => {
    const secrets = await givenPlain(HOOKS);
    await seal(OLD);
    await seal(BOTH);
    expect(await counts()).toEqual([{ keyId: "new", secrets: HOOKS }]);
    for (const [name, secret] of [...secrets].slice(0, 5)) {
      expect(await opened(name, sealingKeys("new"))).toBe(secret);
    }
  });

  test("continues after an interruption, and changes nothing when it is done", async () => {
    const secrets = await givenPlain(HOOKS);
    let updates = 0;
    const interrupted = sealSecrets(database.migrationDatabaseUrl, parsedSealingKeys(OLD), () => ({
      ...QUIET(),
      update: () => {
        updates += 1;
        if (updates === 2) throw new Error("Interrupted");
      },
    }));
    await expect(interrupted).rejects.toThrow("Interrupted");
    expect(await counts()).toEqual([
      { keyId: null, secrets: 50 },
      { keyId: "old", secrets: 400 },
    ]);
    await seal(OLD);
    const sealed = await database.query("owner", "select * from signing_secrets order by id");
    expect(sealed).toHaveLength(HOOKS);
    await seal(OLD);
    expect(await database.query("owner", "select * from signing_secrets order by id")).toEqual(
      sealed,
    );
    expect(await opened(hookName(449), OLD)).toBe(secrets.get(hookName(449)));
  });

  test("erases secrets that have expired", async () => {
    await givenSealed("hook", OLD);
    await database.query("owner", "update signing_secrets set signs_until = now()");
    await seal(BOTH);
    expect(await counts()).toEqual([]);
  });

  test("names what it cannot open, leaves it, and goes on", async () => {
    await givenSealed("lost", sealingKeys("lost"));
    const kept = await givenSealed("kept", OLD);
    const { unopened } = await seal(BOTH);
    expect(unopened).toMatchObject([{ name: "lost", keyId: "lost", fault: "unknown_key" }]);
    expect(await opened("kept", sealingKeys("new"))).toBe(kept);
  });
});

describe("the command", () => {
  test("only counts with --check, and fails until every secret is under the first key", async () => {
    await givenSealed("hook", OLD);
    await givenPlain(2);
    const before = await run(BOTH, "--check");
    expect(before.code).toBe(1);
    expect(before.stdout.trim().split("\n")).toEqual([
      "Key new: 0 secrets (seals)",
      "Key old: 1 secrets (still in use)",
      "Plain: 2 secrets",
    ]);
    expect((await run(BOTH)).code).toBe(0);
    const after = await run(BOTH, "--check");
    expect(after.code).toBe(0);
    expect(after.stdout).toContain("Key old: 0 secrets (can be removed)");
  });

  test("prints neither keys nor secrets", async () => {
    const secret = await givenSealed("hook", OLD);
    await givenSealed("lost", sealingKeys("lost"));
    const { stdout, stderr } = await run(BOTH);
    expect(stderr).toContain("Not opened (unknown_key, key lost): webhook lost");
    const output = stdout + stderr;
    for (const hidden of [
      secret.slice(6),
      ...BOTH.split(/[,:]/).filter((part) => part.length > 10),
    ]) {
      expect(output).not.toContain(hidden);
    }
  });

  test("discards the secrets of a lost key, and lists what must be rotated", async () => {
    await givenSealed("lost", sealingKeys("lost"));
    await givenSealed("kept", OLD);
    const { stdout, code } = await run(OLD, "--discard", "lost");
    expect(stdout).toContain(`Tenant ${tenant.id}: rotate the secret of the webhook lost`);
    expect(code).toBe(0);
    expect(await counts()).toEqual([{ keyId: "old", secrets: 1 }]);
  });

  test("does not discard what a present key opens", async () => {
    await givenSealed("hook", OLD);
    expect((await run(BOTH, "--discard", "old")).code).toBe(2);
    expect(await counts()).toEqual([{ keyId: "old", secrets: 1 }]);
  });

  test.each([["--help"], ["--check", "--discard", "k1"], ["k1"]])(
    "explains itself at %s",
    async (...args) => {
      const { code, stderr } = await run(OLD, ...args);
      expect(code).toBe(2);
      expect(stderr).toContain("Usage: npm run seal");
    },
  );

  test("names SEALING_KEYS if it is not valid", async () => {
    const { code, stderr } = await run("k1:c2hvcnQ=");
    expect(code).toBe(2);
    expect(stderr).toContain("SEALING_KEYS");
    expect(stderr).not.toContain("c2hvcnQ");
  });
});

import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readSecrets } from "../../scripts/stack/secrets.ts";
import { inventTenant } from "../../scripts/stack/tenants.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "stepledger-secrets-"));
});
afterEach(() => rm(directory, { recursive: true }));

test("a new stack has two customers and a demo, and every start finds the same secrets", async () => {
  const secrets = await readSecrets(directory);
  expect(secrets.tenants.map(({ name, kind }) => [name, kind])).toEqual([
    ["Demo", "customer"],
    ["Second demo", "customer"],
    ["Simulated team", "demo"],
  ]);
  expect(await readSecrets(directory)).toEqual(secrets);
  const { mode } = await stat(join(directory, "secrets.json"));
  expect(mode & 0o777).toBe(0o600);
});

test("the secrets of an earlier release stay, and get what they lack", async () => {
  const signingSecret = "an old secret";
  const { kind: _kind, ...tenant } = inventTenant("Demo", { signingSecret });
  const earlier = {
    passwords: { owner: "o", application: "a" },
    signingSecret,
    tenants: [tenant],
  };
  await writeFile(join(directory, "secrets.json"), JSON.stringify(earlier));
  const { tenants, sealingKeys, ...rest } = await readSecrets(directory);
  expect(rest).toEqual({ passwords: earlier.passwords, signingSecret });
  expect(tenants[0]).toEqual(tenant);
  expect(tenants[1]).toMatchObject({ name: "Simulated team", kind: "demo" });
  expect(sealingKeys).toMatch(/^dev:/);
  const stored = JSON.parse(await readFile(join(directory, "secrets.json"), "utf8")) as unknown;
  expect(stored).toEqual({ ...rest, tenants, sealingKeys });
});

import { mkdir, mkdtemp, readdir, rm, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createTemporaryHome } from "../../scripts/stack/temporary-home.ts";
import { startCluster } from "../../scripts/stack/postgres.ts";

/** Stands in for the directory in memory. */
let memory: string;
const homes: string[] = [];

beforeEach(async () => {
  memory = await mkdtemp(join(tmpdir(), "stepledger-memory-"));
});
afterEach(async () => {
  for (const home of [memory, ...homes.splice(0)]) await rm(home, { recursive: true, force: true });
});

const create = async (parent: string): Promise<string> => {
  const home = await createTemporaryHome(parent);
  homes.push(home);
  return home;
};
const HOUR_SECONDS = 60 * 60;
const age = (path: string) => {
  const then = Date.now() / 1000 - HOUR_SECONDS - 60;
  return utimes(path, then, then);
};

describe("The directory of a temporary server", () => {
  test("is under the directory for temporary files if the system has none in memory", async () => {
    expect(dirname(await create(join(memory, "missing")))).toBe(tmpdir());
  });

  test("replaces those that killed processes left behind in memory, and no others", async () => {
    const old = join(memory, "stepledger-postgres-old");
    const foreign = join(memory, "another-program");
    const young = join(memory, "stepledger-postgres-young");
    for (const path of [old, foreign, young]) await mkdir(path);
    await age(old);
    await age(foreign);
    const served = join(memory, "stepledger-postgres-served");
    const cluster = await startCluster({ home: served, durable: false });
    await age(cluster.home);
    const home = await create(memory);
    const left = await readdir(memory);
    await cluster.stop();
    expect(left).not.toContain("stepledger-postgres-old");
    expect(dirname(home)).toBe(memory);
    for (const path of [foreign, young, served, home])
      expect(left.map((name) => join(memory, name))).toContain(path);
  });
});

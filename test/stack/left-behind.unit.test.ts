import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ProcessRecords } from "../../scripts/stack/process-records.ts";
import { exitOf, startOf } from "../../scripts/stack/processes.ts";

let directory: string;
const children: ChildProcess[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "stepledger-left-"));
});
afterEach(async () => {
  for (const child of children.splice(0)) {
    child.kill("SIGKILL");
    await exitOf(child);
  }
  await rm(directory, { recursive: true, force: true });
});

/** Starts a program whose id is known, and returns it once it has printed something. */
async function givenProcess(...command: [string, ...string[]]): Promise<Started> {
  const [program, ...args] = command;
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
  children.push(child);
  const [printed] = (await once(child.stdout, "data")) as [Buffer];
  return { child, pid: child.pid ?? 0, printed: printed.toString().trim() };
}
interface Started {
  child: ChildProcess;
  pid: number;
  printed: string;
}

/** Locks a directory, prints what came of it, and keeps the lock until it is killed. */
const HOLDER = `
  import { takeLock } from ${JSON.stringify(new URL("../../scripts/stack/lock.ts", import.meta.url))};
  try {
    await takeLock(process.argv[1]);
    console.log("taken");
    setInterval(() => {}, 1_000);
  } catch (error) {
    console.log("holder" in error ? "held by " + error.holder : error);
  }`;
const givenHolder = () =>
  givenProcess(process.execPath, "--input-type=module", "--eval", HOLDER, directory);
const lockFile = () => join(directory, "lock");

describe("The lock of a stack's directory", () => {
  test("is held by one process, which the next one names", async () => {
    const first = await givenHolder();
    expect(first.printed).toBe("taken");
    expect((await givenHolder()).printed).toBe(`held by ${first.pid}`);
    expect(JSON.parse(await readFile(lockFile(), "utf8"))).toMatchObject({ pid: first.pid });
  });

  test("is taken over from a process that was killed, by exactly one of several", async () => {
    const { child, printed } = await givenHolder();
    expect(printed).toBe("taken");
    child.kill("SIGKILL");
    await exitOf(child);
    const next = await Promise.all(Array.from({ length: 5 }, () => givenHolder()));
    const [holder, ...others] = next.toSorted((one) => (one.printed === "taken" ? -1 : 1));
    expect(holder?.printed).toBe("taken");
    for (const other of others) expect(other.printed).toBe(`held by ${holder?.pid}`);
    expect(await readdir(directory)).toEqual(["lock"]);
  });

  test.each([
    ["another process has got its id", { pid: process.pid, start: "1" }],
    ["it is not readable", "{"],
  ])("is taken over if %s", async (_, content) => {
    await writeFile(lockFile(), JSON.stringify(content));
    expect((await givenHolder()).printed).toBe("taken");
  });
});

describe("The processes that a killed stack left", () => {
  const SLEEP = ["sh", "-c", "echo up; exec sleep 1000"] as const;
  const records = () => new ProcessRecords(join(directory, "processes"));

  test("are ended, even those that ignore SIGTERM, and are forgotten", async () => {
    const polite = await givenProcess(...SLEEP);
    const stubborn = await givenProcess(
      "sh",
      "-c",
      "trap '' TERM; echo up; while :; do sleep 1; done",
    );
    for (const { pid } of [polite, stubborn]) await records().record(pid);
    expect(new Set(await records().endAll())).toEqual(new Set([polite.pid, stubborn.pid]));
    expect(await exitOf(polite.child)).toBe("signal SIGTERM");
    expect(await exitOf(stubborn.child)).toBe("signal SIGKILL");
    expect(await readdir(records().directory)).toEqual([]);
    expect(await records().endAll()).toEqual([]);
  });

  test("are not confused with a process that has got the id of one", async () => {
    const stranger = await givenProcess(...SLEEP);
    const other = await givenProcess(...SLEEP);
    await mkdir(records().directory, { recursive: true });
    await writeFile(join(records().directory, String(stranger.pid)), "1\n");
    await records().record(other.pid);
    expect(await records().endAll()).toEqual([other.pid]);
    expect(await startOf(stranger.pid)).not.toBeNull();
    expect(await readdir(records().directory)).toEqual([]);
  });

  test("include workerd, which its launcher records before it runs", async () => {
    const { MINIFLARE_WORKERD_PATH: launcher = "", ...environment } =
      await records().workerdEnvironment();
    const child = spawn(launcher, ["-c", "echo up; exec sleep 1000"], {
      // Any program will do.
      env: { ...process.env, ...environment, STEPLEDGER_WORKERD: "/bin/sh" },
      stdio: ["ignore", "pipe", "inherit"],
    });
    children.push(child);
    await once(child.stdout, "data");
    expect(await records().alive()).toEqual([child.pid]);
    expect(await records().endAll()).toEqual([child.pid]);
    await exitOf(child);
    expect(await records().alive()).toEqual([]);
  });
});

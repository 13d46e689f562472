import { rmSync } from "node:fs";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { commandLine, isAlive } from "./processes.ts";

const lockPath = (directory: string) => join(directory, "lock");

/**
 * Locks a directory for this process until `releaseLock` or the end of the process. Two databases on the same files would
 * destroy them.
 * @throws if a living process whose command line matches `holders` has the lock.
 */
export async function takeLock(directory: string, holders: RegExp): Promise<void> {
  const path = lockPath(directory);
  const holder = Number(await readFile(path, "utf8").catch(() => ""));
  if (holder > 1 && isAlive(holder) && holders.test(await commandLine(holder))) {
    throw new Error(`Another stack is already running here (process ${holder}). Stop it first.`);
  }
  await rm(path, { force: true });
  await writeFile(path, String(process.pid), { flag: "wx" });
  process.once("exit", () => rmSync(path, { force: true }));
}

export function releaseLock(directory: string): Promise<void> {
  return rm(lockPath(directory), { force: true });
}

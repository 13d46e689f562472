import { rmSync } from "node:fs";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { commandLine, isAlive } from "./processes.ts";

const lockPath = (directory: string) => join(directory, "lock");

/**
 * Keeps a directory for this process, until it is released or the process ends: two databases on the same files would
 * destroy them.
 * @throws when a program that looks like `holders` has it.
 */
export async function takeLock(directory: string, holders: RegExp): Promise<void> {
  const path = lockPath(directory);
  const holder = Number(await readFile(path, "utf8").catch(() => ""));
  if (holder > 1 && isAlive(holder) && holders.test(await commandLine(holder))) {
    throw new Error(`Another one runs here already (process ${holder}): stop it first`);
  }
  await rm(path, { force: true });
  await writeFile(path, String(process.pid), { flag: "wx" });
  process.once("exit", () => rmSync(path, { force: true }));
}

export function releaseLock(directory: string): Promise<void> {
  return rm(lockPath(directory), { force: true });
}

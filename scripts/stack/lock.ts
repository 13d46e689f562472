import { readFileSync, rmSync } from "node:fs";
import { link, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { startOf } from "./processes.ts";

/** The directory is locked by a process that is still running. */
export class LockHeld extends Error {
  override name = "LockHeld";
  readonly holder: number;

  constructor(holder: number) {
    super(`Process ${holder} is already running here. Stop it first.`);
    this.holder = holder;
  }
}

/** The content of a lock. The start distinguishes its process from a later one with the same id. */
const content = z.strictObject({ pid: z.int(), start: z.string() });

const lockPath = (directory: string) => join(directory, "lock");

/**
 * Locks a directory for this process until `releaseLock` or the end of the process. Two databases on the same files would
 * destroy them. The lock of a process that was killed is taken over.
 * @throws LockHeld if a running process has the lock.
 */
export async function takeLock(directory: string): Promise<void> {
  const path = lockPath(directory);
  const start = (await startOf(process.pid)) ?? "";
  const own = JSON.stringify({ pid: process.pid, start } satisfies z.output<typeof content>);
  const draft = `${path}.${process.pid}`;
  await writeFile(draft, own);
  try {
    // A link is created with its content, and only if there is no lock.
    while (!(await isLinked(draft, path))) {
      const held = await readFile(path, "utf8").catch(() => null);
      if (held === null) continue;
      const holder = await livingHolder(held);
      if (holder !== null) throw new LockHeld(holder);
      await discard(path, held);
    }
  } finally {
    await rm(draft, { force: true });
  }
  process.once("exit", () => {
    if (isOwn(path, own)) rmSync(path, { force: true });
  });
}

/** Releases the lock of this process. */
export function releaseLock(directory: string): Promise<void> {
  return rm(lockPath(directory), { force: true });
}

async function isLinked(existing: string, path: string): Promise<boolean> {
  try {
    await link(existing, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

async function livingHolder(held: string): Promise<number | null> {
  const parsed = content.safeParse(jsonOf(held));
  if (!parsed.success) return null;
  const { pid, start } = parsed.data;
  return (await startOf(pid)) === start ? pid : null;
}

/** Removes a lock with this content. Another process may have replaced it since it was read: then puts it back. */
async function discard(path: string, held: string): Promise<void> {
  const aside = `${path}.${process.pid}.old`;
  try {
    await rename(path, aside);
  } catch {
    // Another process has discarded it.
    return;
  }
  if ((await readFile(aside, "utf8")) !== held) await isLinked(aside, path);
  await rm(aside, { force: true });
}

function isOwn(path: string, own: string): boolean {
  try {
    return readFileSync(path, "utf8") === own;
  } catch {
    return false;
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

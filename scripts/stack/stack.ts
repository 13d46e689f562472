import { existsSync, readFileSync } from "node:fs";
import { chmod, rename, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { StackOptions } from "./options.ts";
import type { ProcessRecords } from "./process-records.ts";
import type { Tenant } from "./tenants.ts";

export const PROJECT_DIRECTORY = join(import.meta.dirname, "..", "..");
/** The directory of everything that a local stack writes. STACK_DIRECTORY in the environment chooses another one. */
export const STACK_DIRECTORY = resolve(PROJECT_DIRECTORY, process.env["STACK_DIRECTORY"] ?? ".dev");

/** The content of `.dev/stack.json`: what other programs need to know about a running stack. */
export interface StackFile {
  baseUrl: string;
  proxyUrl: string | null;
  databaseUrl: string;
  migrationDatabaseUrl: string;
  /** SEALING_KEYS of the Worker. */
  sealingKeys: string;
  tenants: Tenant[];
}

/** Starts the Worker on a migrated database. */
export type StartWorker = (input: WorkerInput) => Promise<RunningWorker>;

export interface WorkerInput {
  options: StackOptions;
  directory: string;
  variables: Record<string, string>;
  /** Where the Worker's processes are recorded. */
  processes: ProcessRecords;
}

export interface RunningWorker {
  stop: (isInterrupted: boolean) => Promise<void>;
  /** Resolves when the Worker exits on its own, to a text that says how. */
  ended: Promise<string>;
  /** The cron triggers of wrangler.toml. */
  crons: readonly string[];
  /** Runs the job of a cron trigger. */
  scheduled: (cron: string) => Promise<void>;
}

/** The path of a stack's file. */
export const stackFileIn = (directory: string) => join(directory, "stack.json");

/** Reads `.dev/stack.json`. Returns null if no stack is running. */
export function readStackFile(): StackFile | null {
  const path = stackFileIn(STACK_DIRECTORY);
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as StackFile) : null;
}

/** Writes a file that only its owner can read, atomically: a reader sees either the old content or the new. */
export async function writePrivately(path: string, content: string): Promise<void> {
  const draft = `${path}.${process.pid}`;
  await writeFile(draft, content, { mode: 0o600 });
  await chmod(draft, 0o600);
  await rename(draft, path);
}

import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { commandLine, isAlive, startOf } from "./processes.ts";

/**
 * The processes that a stack has started, one file for each: its name is the process id, its content the start. If the
 * stack is killed, its processes go on. The next start ends them before it touches their ports and their files. Only a
 * process that holds the stack's lock may use this.
 */
export class ProcessRecords {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
  }

  /** Returns the variables with which miniflare runs workerd through `workerd.sh`, which records it. */
  async workerdEnvironment(): Promise<Record<string, string>> {
    // Windows has no `sh`.
    if (process.platform === "win32") return {};
    await mkdir(this.directory, { recursive: true });
    return {
      MINIFLARE_WORKERD_PATH: LAUNCHER,
      STEPLEDGER_WORKERD: workerdPath(),
      STEPLEDGER_PROCESSES: this.directory,
    };
  }

  /** Records a process that is running. */
  async record(pid: number): Promise<void> {
    await mkdir(this.directory, { recursive: true });
    await writeFile(join(this.directory, String(pid)), `${await startOf(pid)}\n`);
  }

  /**
   * Ends every recorded process that is still running, and returns their ids.
   * @throws if one of them cannot be ended.
   */
  async endAll(): Promise<number[]> {
    const ended: number[] = [];
    // wrangler goes first, because it would start workerd again. workerd has nothing to finish.
    for (const { isWorkerd, signals } of [
      { isWorkerd: false, signals: ["SIGTERM", "SIGKILL"] as const },
      { isWorkerd: true, signals: ["SIGKILL"] as const },
    ]) {
      for (const pid of await this.#running(isWorkerd)) {
        await endPid(pid, signals);
        await this.#forget(pid);
        ended.push(pid);
      }
    }
    return ended;
  }

  /** The ids of recorded processes. Forgets those that have ended. */
  async alive(): Promise<number[]> {
    const pids = await this.#recorded();
    const ended = pids.filter((pid) => !isAlive(pid));
    for (const pid of ended) await this.#forget(pid);
    return pids.filter((pid) => !ended.includes(pid));
  }

  async #running(isWorkerd: boolean): Promise<number[]> {
    const running: number[] = [];
    for (const pid of await this.#recorded()) {
      const start = await startOf(pid);
      const recorded = await readFile(join(this.directory, String(pid)), "utf8").catch(() => "");
      if (start === null || start !== recorded.trim()) await this.#forget(pid);
      else if (/workerd( |$)/.test(await commandLine(pid)) === isWorkerd) running.push(pid);
    }
    return running;
  }

  async #recorded(): Promise<number[]> {
    const names = await readdir(this.directory).catch(() => []);
    return names.filter((name) => /^\d+$/.test(name)).map(Number);
  }

  async #forget(pid: number): Promise<void> {
    await rm(join(this.directory, String(pid)), { force: true });
  }
}

const LAUNCHER = join(import.meta.dirname, "workerd.sh");

/** The path of the workerd that miniflare would run. */
function workerdPath(): string {
  const chosen = process.env["MINIFLARE_WORKERD_PATH"];
  if (chosen !== undefined && chosen !== LAUNCHER) return chosen;
  const miniflare = createRequire(createRequire(import.meta.url).resolve("miniflare"));
  // Its default export is the path of its program for this platform.
  return (miniflare("workerd") as { default: string }).default;
}

/** How long a process may take to end after each signal. */
const PATIENCE_MILLISECONDS = 4_000;

async function endPid(pid: number, signals: readonly NodeJS.Signals[]): Promise<void> {
  const start = await startOf(pid);
  for (const signal of signals) {
    if ((await startOf(pid)) !== start || start === null) return;
    process.kill(pid, signal);
    const deadline = Date.now() + PATIENCE_MILLISECONDS;
    while (Date.now() < deadline) {
      if ((await startOf(pid)) !== start) return;
      await setTimeout(20);
    }
  }
  throw new Error(`Process ${pid}, which a killed stack left running, does not end`);
}

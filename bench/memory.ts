import { existsSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";

// The memory of the Workers that this process started, as Linux reports it.

export const canMeasureMemory = existsSync("/proc/self/status");

/** Resident memory in mebibytes. */
export interface Resident {
  now: number;
  /** The highest since the last reset. */
  peak: number;
}

/** The resident memory of one process. */
export class ProcessMemory {
  readonly #pid: number;

  constructor(pid: number) {
    this.#pid = pid;
  }

  async read(): Promise<Resident> {
    const status = await readFile(`/proc/${this.#pid}/status`, "utf8");
    return { now: mebibytes(status, "VmRSS"), peak: mebibytes(status, "VmHWM") };
  }

  async resetPeak(): Promise<void> {
    await writeFile(`/proc/${this.#pid}/clear_refs`, "5");
  }
}

function mebibytes(status: string, field: string): number {
  const [, kibibytes] = new RegExp(`^${field}:\\s*(\\d+) kB$`, "m").exec(status) ?? [];
  if (kibibytes === undefined) throw new Error(`The process reports no ${field}`);
  return Number(kibibytes) / 1024;
}

/** Returns the ids of the workerd processes that are children of this one. */
export async function workerdPids(): Promise<number[]> {
  const pids: number[] = [];
  for (const task of await readdir("/proc/self/task")) {
    const children = await readFile(`/proc/self/task/${task}/children`, "utf8");
    for (const pid of children.split(" ").filter(Boolean)) {
      const name = await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "");
      if (name.trim() === "workerd") pids.push(Number(pid));
    }
  }
  return pids;
}

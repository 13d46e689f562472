import { execFile, type ChildProcess } from "node:child_process";
import { promisify } from "node:util";

/** Whether a process of this id lives. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** What a process was started with; "" when there is none. Ids are used again: check before trusting one. */
export async function commandLine(pid: number): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)("ps", ["-o", "args=", "-p", String(pid)]);
    return stdout.trim();
  } catch {
    return "";
  }
}

/** Ends a process that we started: with each signal in turn, until one of them has worked. */
export async function endProcess(
  child: ChildProcess,
  signals: readonly { signal: NodeJS.Signals; patienceMilliseconds: number }[],
): Promise<void> {
  for (const { signal, patienceMilliseconds } of signals) {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await exitsWithin(child, patienceMilliseconds);
  }
}

/** Waits for the end of a process, or for the given time at the longest. */
export function exitsWithin(child: ChildProcess, milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) {
      resolve();
      return;
    }
    const timer = setTimeout(resolve, milliseconds);
    child.once("exit", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

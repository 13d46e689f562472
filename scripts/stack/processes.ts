import { execFile, type ChildProcess } from "node:child_process";
import { promisify } from "node:util";

/** Whether a process with this id exists. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Returns the command line of a process, or "" if there is none. Ids are reused, so check it before trusting one. */
export async function commandLine(pid: number): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)("ps", ["-o", "args=", "-p", String(pid)]);
    return stdout.trim();
  } catch {
    return "";
  }
}

/** Ends a child process: sends each signal in turn until the process has exited. */
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

/** Waits until a process exits, or until the given time has passed. */
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

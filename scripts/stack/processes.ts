import { execFile, type ChildProcess } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";

/** Whether a process with this id exists. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // The process exists, but belongs to someone else.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Returns the command line of a process, or "" if there is none. Ids are reused, so check it before trusting one. */
export async function commandLine(pid: number): Promise<string> {
  return (await ps(pid, "args=")) ?? "";
}

/**
 * Returns when a process started, as text to compare: it differs from that of every other process that had this id
 * before or gets it later. Null if there is no such process, or if it has ended and only waits for its parent.
 */
export async function startOf(pid: number): Promise<string | null> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => null);
  if (stat !== null) {
    // The second field is the program's name, which may contain spaces and parentheses (proc_pid_stat(5)).
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const [state, threads, start = null] = [fields[0], fields[17], fields[19]];
    // The other threads of a zombie may still hold its ports.
    return state === "Z" && Number(threads) <= 1 ? null : start;
  }
  // On Linux, /proc has every process.
  if (process.platform === "linux") return null;
  const line = await ps(pid, "stat=,lstart=");
  // Windows has no `ps`.
  if (line === null) return isAlive(pid) ? "unknown" : null;
  return line === "" || line.startsWith("Z") ? null : line.replace(/^\S+\s+/, "");
}

/** Returns "" if there is no such process, and null if this system has no `ps`. */
async function ps(pid: number, columns: string): Promise<string | null> {
  try {
    const env = { ...process.env, LC_ALL: "C", TZ: "UTC" };
    const { stdout } = await promisify(execFile)("ps", ["-o", columns, "-p", String(pid)], { env });
    return stdout.trim();
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT" ? null : "";
  }
}

/** Ends a child process: sends each signal in turn until the process has exited. */
export async function endProcess(
  child: ChildProcess,
  signals: readonly { signal: NodeJS.Signals; patienceMilliseconds: number }[],
): Promise<void> {
  for (const { signal, patienceMilliseconds } of signals) {
    if (hasExited(child)) return;
    child.kill(signal);
    await exitsWithin(child, patienceMilliseconds);
  }
}

/** Waits until a process exits, or until the given time has passed. */
export function exitsWithin(child: ChildProcess, milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    void exitOf(child).then(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** Resolves when a process exits, to a text that says how: "signal SIGKILL" or "exit code 1". */
export function exitOf(child: ChildProcess): Promise<string> {
  const how = () =>
    child.signalCode === null ? `exit code ${child.exitCode}` : `signal ${child.signalCode}`;
  if (hasExited(child)) return Promise.resolve(how());
  return new Promise((resolve) => child.once("exit", () => resolve(how())));
}

function hasExited({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

import { mkdtemp, readdir, readFile, realpath, rm, stat, statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { commandLine } from "./processes.ts";

const PREFIX = "stepledger-postgres-";
/** A run of all tests fills about 3 GiB. */
const ROOM_BYTES_MIN = 8 * 1024 ** 3;
/** A home without a server that is this old was left behind by a killed process. */
const LEFT_BEHIND_MILLISECONDS = 60 * 60 * 1000;

/**
 * Creates an empty directory for the files of a temporary server: in memory if the system has such a directory and
 * enough room, because a copy of a database is hundreds of files, and a file system on disk creates each slowly.
 * Otherwise under the system's directory for temporary files.
 */
export async function createTemporaryHome(memory = "/dev/shm"): Promise<string> {
  const parent = (await hasRoom(memory)) ? memory : tmpdir();
  // What a killed process leaves behind would occupy memory until the next start of the machine.
  if (parent === memory) await removeLeftBehind(memory);
  return mkdtemp(join(parent, PREFIX));
}

async function hasRoom(directory: string): Promise<boolean> {
  if (process.availableMemory() < ROOM_BYTES_MIN) return false;
  return statfs(directory).then(
    ({ bavail, bsize }) => bavail * bsize >= ROOM_BYTES_MIN,
    () => false,
  );
}

async function removeLeftBehind(parent: string): Promise<void> {
  const names = await readdir(parent);
  for (const name of names.filter((one) => one.startsWith(PREFIX))) {
    const home = join(parent, name);
    // A server whose user cannot enter the parent has its files elsewhere, behind a link.
    const real = await realpath(home).catch(() => home);
    const age = await stat(real).then(
      ({ mtimeMs }) => Date.now() - mtimeMs,
      () => 0,
    );
    if (age < LEFT_BEHIND_MILLISECONDS || (await hasServer(real))) continue;
    for (const path of [real, home]) await rm(path, { recursive: true, force: true });
  }
}

async function hasServer(home: string): Promise<boolean> {
  const lock = await readFile(join(home, "data", "postmaster.pid"), "utf8").catch(() => "");
  const pid = Number(lock.split("\n")[0]);
  return Number.isInteger(pid) && pid > 1 && (await commandLine(pid)).includes(home);
}

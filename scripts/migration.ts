import { spawn } from "node:child_process";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readDefinitionFiles } from "./database/definition-files.ts";
import { findDrift, migrationStatements, renderDrift } from "./database/drift.ts";
import { withScratchDatabase } from "./database/scratch.ts";

/**
 * `npm run migration -- NAME` writes the next migration: first the changes of tables that drizzle-kit finds in
 * src/db/schema, then the functions, triggers and views whose files differ from what the migrations create.
 */
const MIGRATIONS = join(import.meta.dirname, "..", "drizzle");
const BREAKPOINT = "\n--> statement-breakpoint\n";

const [name] = process.argv.slice(2);
if (name === undefined || !/^[a-z][a-z0-9_]*$/.test(name)) {
  console.error("Usage: npm run migration -- NAME, in lower case and with underscores");
  process.exit(2);
}

const files = await readDefinitionFiles();
const drift = await withScratchDatabase((client) => findDrift(client, files));
const faults = drift.filter(({ migration }) => migration === null);
if (faults.length > 0) {
  console.error(`No migration can end this, so nothing was written:\n\n${renderDrift(faults)}`);
  process.exit(1);
}

const statements = migrationStatements(drift);
const tables = await generate(["--name", name]);
const path =
  tables ?? (statements.length > 0 ? await generate(["--custom", "--name", name]) : null);
if (path === null) {
  console.log("The migrations create all of it already: nothing to write.");
  process.exit();
}
const parts = [
  ...(tables === null ? [] : [(await readFile(path, "utf8")).trimEnd()]),
  ...statements,
];
await writeFile(path, `${parts.join(BREAKPOINT)}\n`);

const left = await withScratchDatabase((client) => findDrift(client, files)).then(
  renderDrift,
  String,
);
if (left !== "") {
  console.error(`The migration needs an edit by hand (drizzle/README.md):\n\n${left}`);
  process.exit(1);
}
console.log("Read it, and say at its top why it is needed.");

/** Has drizzle-kit write a migration and its snapshot. Returns null if it found nothing to write. */
async function generate(flags: readonly string[]): Promise<string | null> {
  const before = new Set(await readdir(MIGRATIONS));
  await new Promise<void>((resolve, reject) => {
    spawn("drizzle-kit", ["generate", ...flags], {
      stdio: "inherit",
      shell: process.platform === "win32",
    })
      .once("error", reject)
      .once("close", (code) =>
        code === 0 ? resolve() : reject(new Error(`drizzle-kit ended with code ${code}`)),
      );
  });
  const [added] = (await readdir(MIGRATIONS)).filter(
    (entry) => entry.endsWith(".sql") && !before.has(entry),
  );
  return added === undefined ? null : join(MIGRATIONS, added);
}

import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GUARDS } from "./guards/list.ts";

/**
 * `npm run guards` removes each guard of guards/list.ts from a copy of the project, one after the other, and expects the
 * test of the guard to fail. With names, it does so only for those. Exits with 1 if a test passes without its guard.
 */
const names = process.argv.slice(2);
const unknown = names.filter((name) => !GUARDS.some((guard) => guard.name === name));
if (unknown.length > 0) {
  console.error(`There is no guard ${unknown.join(", ")}. See docs/guards.md.`);
  process.exit(2);
}

const project = join(import.meta.dirname, "..");
const copy = await mkdtemp(join(tmpdir(), "guards-"));
try {
  await cp(project, copy, {
    recursive: true,
    verbatimSymlinks: true,
    filter: (path) => path !== join(project, ".git"),
  });
  const trying = spawn(process.execPath, ["scripts/guards/try-guards.ts", ...names], {
    cwd: copy,
    stdio: "inherit",
  });
  await once(trying, "exit");
  process.exitCode = trying.exitCode ?? 1;
} finally {
  await rm(copy, { recursive: true });
}

import { relative } from "node:path";
import { exitCodeOf } from "./import/command.ts";
import { parseDemoCommand } from "./demo/options.ts";
import { runDemo } from "./demo/run-demo.ts";
import { chooseTenant } from "./import/connection.ts";
import { UsageError } from "./import/usage-error.ts";
import { readStackFile } from "./stack/stack.ts";

/** `npm run demo [-- FILE]`: shows the main job of the service, from an import to a verified history. */
process.exitCode = await exitCodeOf(async () => {
  const { file, tenant } = parseDemoCommand(process.argv.slice(2));
  const stack = readStackFile();
  if (stack === null) {
    throw new UsageError("No local stack is running. Start one with `npm run dev`.");
  }
  return runDemo({
    file: relative(process.cwd(), file),
    tenant: chooseTenant(stack, tenant),
    baseUrl: stack.baseUrl,
    ownerUrl: stack.migrationDatabaseUrl,
  });
});

import { relative } from "node:path";
import { exitCodeOf } from "./import/command.ts";
import { parseDemoCommand } from "./demo/options.ts";
import { runDemo } from "./demo/run-demo.ts";
import { chooseTenant } from "./import/connection.ts";
import { UsageFault } from "./import/usage-fault.ts";
import { readStackFile } from "./stack/stack.ts";

/** `npm run demo [-- FILE]`: the main job of the service, from an import to a proven history. */
process.exitCode = await exitCodeOf(async () => {
  const { file, tenant } = parseDemoCommand(process.argv.slice(2));
  const stack = readStackFile();
  if (stack === null) {
    throw new UsageFault("No stack is running here: start one with `npm run dev`.");
  }
  return runDemo({
    file: relative(process.cwd(), file),
    tenant: chooseTenant(stack, tenant),
    baseUrl: stack.baseUrl,
    ownerUrl: stack.migrationDatabaseUrl,
  });
});

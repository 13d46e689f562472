import { exitCodeOf } from "./import/command.ts";
import { runSeed } from "./seed/run-seed.ts";
import { readStackFile } from "./stack/stack.ts";

/** `npm run seed`: tells the story of a simulated team in a demo tenant, and prints it as a chart. */
process.exitCode = await exitCodeOf(() =>
  runSeed(process.argv.slice(2), {
    key: process.env["STEPLEDGER_KEY"] ?? null,
    stack: readStackFile(),
  }),
);

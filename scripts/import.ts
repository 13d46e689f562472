import { exitCodeOf } from "./import/command.ts";
import { runImport } from "./import/run-import.ts";
import { readStackFile } from "./stack/stack.ts";

/** `npm run import -- FILE`: creates tasks, data and evaluations from the records of a file, using only the public API. */
process.exitCode = await exitCodeOf(() =>
  runImport(process.argv.slice(2), {
    key: process.env["STEPLEDGER_KEY"] ?? null,
    stack: readStackFile(),
  }),
);

import { exitCodeOf } from "./import/command.ts";
import { runImport } from "./import/run-import.ts";
import { readStackFile } from "./stack/stack.ts";

/** `npm run import -- FILE`: makes tasks, data and evaluations of the records of a file, through the public API alone. */
process.exitCode = await exitCodeOf(() =>
  runImport(process.argv.slice(2), {
    key: process.env["STEPLEDGER_KEY"] ?? null,
    stack: readStackFile(),
  }),
);

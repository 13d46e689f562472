import { createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import type { Stepledger } from "../../client/index.ts";
import { parseArgs } from "node:util";
import { type Command, COMMON_OPTIONS, parseOrThrow, requireOne } from "../command.ts";
import { EXIT, UsageError } from "../exit-codes.ts";
import { jsonLine, plain } from "../render.ts";

type Export = (input: { query: Readonly<Record<string, string | string[]>> }) => Promise<Response>;

export const exportItems: Command = {
  name: "export",
  summary: "download all items that match as a file",
  usage: `export WHAT [options]

  WHAT               tasks, events, trials, prompts, data, insights, evals or admin-events
  --where NAME=VALUE the filter of the list, such as unifiedStatus=PASSED; can be repeated
  --format FORMAT    csv or ndjson (default csv)
  --excel            CSV that Excel opens where lists are separated by semicolons
  --output FILE      the file to create; by default it is named after what it holds and the day
  --json             print the result as a line of JSON`,
  run: async (args, { terminal, connect }) => {
    const { values, positionals } = parseOrThrow(() =>
      parseArgs({
        args,
        allowPositionals: true,
        options: {
          ...COMMON_OPTIONS,
          where: { type: "string", multiple: true, default: [] },
          format: { type: "string", default: "csv" },
          excel: { type: "boolean", default: false },
          output: { type: "string" },
        },
      }),
    );
    const what = requireOne(positionals, "WHAT");
    const { format, excel } = values;
    if (format !== "csv" && format !== "ndjson") throw new UsageError("--format is csv or ndjson.");
    if (excel && format !== "csv") throw new UsageError("--excel requires the format csv.");
    const query = { ...filterOf(values.where), ...(excel && { dialect: "excel" }) };
    const download = operationOf(await connect(), what, format);
    const response = await download({ query });
    const path = values.output ?? fileNameOf(response, what, format);
    await save(response, path);
    terminal.write(values.json ? jsonLine({ file: path }) : plain(path));
    return EXIT.done;
  },
};

/** The operation that exports these items. The service's exports are all named alike. */
function operationOf(stepledger: Stepledger, what: string, format: string): Export {
  const name = [what, format]
    .join("-")
    .replaceAll(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase());
  const operations: Readonly<Partial<Record<string, unknown>>> = stepledger;
  const operation = operations[`export${name}`];
  if (typeof operation !== "function")
    throw new UsageError(`Nothing called "${what}" can be exported.`);
  // The operations of this name all take a filter and answer with a file.
  return operation as Export;
}

function filterOf(conditions: readonly string[]): Record<string, string | string[]> {
  const pairs = conditions.map((condition): [name: string, value: string] => {
    const [name = "", ...value] = condition.split("=");
    if (name === "" || value.length === 0) {
      throw new UsageError(`--where takes NAME=VALUE, not "${condition}".`);
    }
    return [name, value.join("=")];
  });
  return Object.fromEntries(
    [...Map.groupBy(pairs, ([name]) => name)].map(([name, all]) => [
      name,
      all.length === 1 ? (all[0]?.[1] ?? "") : all.map(([, value]) => value),
    ]),
  );
}

/** The name that the service gives the file, if it is a plain one. */
function fileNameOf({ headers }: Response, what: string, format: string): string {
  const [, name] = /filename="([\w-][\w.-]*)"/.exec(headers.get("content-disposition") ?? "") ?? [];
  return name ?? `${what}.${format}`;
}

/**
 * Writes the file as it arrives, and never over another one. Nothing is left of a file whose connection broke.
 * @throws UsageError if it cannot be written.
 */
async function save({ body }: Response, path: string): Promise<void> {
  const file = createWriteStream(path, { flags: "wx" });
  try {
    await pipeline(body === null ? [] : chunksOf(body), file);
  } catch (error) {
    const isTaken = error instanceof Error && "code" in error && error.code === "EEXIST";
    if (isTaken) throw new UsageError(`${path} exists already.`, { cause: error });
    await rm(path, { force: true });
    throw new UsageError(`Cannot write all of ${path}, so nothing is left of it.`, {
      cause: error,
    });
  }
}

async function* chunksOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  const reader = body.getReader();
  for (;;) {
    const chunk = await reader.read();
    if (chunk.done) return;
    yield chunk.value;
  }
}

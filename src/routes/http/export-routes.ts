import * as z from "zod";
import type { Chunk } from "../../db/sql/chunks.ts";
import type { Role } from "../../domain/actor.ts";
import { notFound, refuse } from "../../domain/refusals.ts";
import { type Call, reply, takeTurn } from "./call.ts";
import { defineContract, type Nothing } from "./contract.ts";
import { createHandler, type Route } from "./create-handler.ts";
import { type Cell, CSV_DIALECTS, type CsvDialect, csvLine, csvStart } from "./csv.ts";
import { byteStream, NoLongerAdmitted } from "./streaming.ts";

/** An export: how it is read in chunks, and the CSV columns of an item. */
interface Export<Query extends z.ZodObject, Item, Place, Params extends z.ZodObject> {
  /** The name of the items in the operation id, the file name and, without a path, the path. */
  plural: string;
  /** Where the list of these items is. */
  path?: `/${string}`;
  /** The role that may export; `viewer` by default. */
  role?: Exclude<Role, "service">;
  tags: readonly [string, ...string[]];
  description: string;
  query: Query;
  /** The parameters of the path, if the items belong to one thing. The format then extends the path: `/items.csv`. */
  params?: Params;
  /** Returns the chunk after a place, or null if there is no such thing as the path names. */
  read: (
    call: Call,
    query: z.output<Query>,
    after: Place | null,
    params: z.output<Params>,
  ) => Promise<Chunk<Item, Place> | null>;
  /** The CSV columns by heading. */
  columns: Readonly<Record<string, (item: Item) => Cell>>;
}

/** The parameters that an export has besides its filter. */
const csvOptions = {
  dialect: z.enum(CSV_DIALECTS).default("standard").openapi({
    description:
      "How the CSV is written. `standard` is UTF-8 with commas (RFC 4180). `excel` is what Excel opens by a double-click where lists are separated by semicolons: a byte order mark, semicolons between cells, and a decimal comma in numbers.",
  }),
};

interface Format<Item> {
  name: "csv" | "ndjson";
  mediaType: string;
  shape: string;
  options: z.ZodRawShape;
  /** Returns how to write the file, from the options in the query. */
  writerOf: (query: { dialect?: CsvDialect }) => Writer<Item>;
}

interface Writer<Item> {
  heading: string;
  lineOf: (item: Item) => string;
}

/** Returns the routes of an export, one for each format. */
export function exportRoutesOf<
  Query extends z.ZodObject,
  Item,
  Place,
  Params extends z.ZodObject = Nothing,
>(exported: Export<Query, Item, Place, Params>): Route[] {
  const columns = Object.entries(exported.columns);
  const csv: Format<Item> = {
    name: "csv",
    mediaType: "text/csv; charset=utf-8",
    shape:
      "The file is CSV (RFC 4180) with a header row. Text that a spreadsheet would read as a formula is prefixed with an apostrophe.",
    options: csvOptions,
    writerOf: ({ dialect = "standard" }) => ({
      heading: `${csvStart(dialect)}${csvLine(
        columns.map(([heading]) => heading),
        dialect,
      )}`,
      lineOf: (item) =>
        csvLine(
          columns.map(([, cellOf]) => cellOf(item)),
          dialect,
        ),
    }),
  };
  const ndjson: Format<Item> = {
    name: "ndjson",
    mediaType: "application/x-ndjson",
    shape: "The file has one JSON object per line, in the same shape as in other responses.",
    options: {},
    writerOf: () => ({ heading: "", lineOf: (item) => `${JSON.stringify(item)}\n` }),
  };
  return [exportRoute(exported, csv), exportRoute(exported, ndjson)];
}

function exportRoute<Query extends z.ZodObject, Item, Place, Params extends z.ZodObject>(
  {
    plural,
    path = `/${plural}`,
    role = "viewer",
    tags,
    description,
    query,
    params,
    read,
  }: Export<Query, Item, Place, Params>,
  { name, mediaType, shape, options, writerOf }: Format<Item>,
): Route {
  const contract = defineContract({
    operationId: `export${capitalized(plural)}${capitalized(name)}`,
    method: "GET",
    path: params === undefined ? `${path}/export.${name}` : `${path}.${name}`,
    summary: `Export ${wordsOf(plural).join(" ")} as ${name === "csv" ? "CSV" : "JSON Lines"}`,
    description: `${description} ${shape} The file is named after what it holds and the day (UTC), such as \`${fileName(plural, name, new Date("2026-11-30"))}\`. It is streamed. If an error occurs while it is being sent, the connection is closed early, so a response that ends normally is complete.`,
    tags,
    role,
    service: role === "viewer",
    ...(params !== undefined && { params, errors: ["not_found"] as const }),
    query: query.extend(options),
    response: {
      status: 200,
      description: "The file.",
      schema: byteStream,
      mediaType,
      headers: ["Content-Disposition"],
    },
  });
  return createHandler(contract, async (call, input) => {
    const { dialect, ...rest } = input.query as { dialect?: CsvDialect };
    // The compiler cannot see that the rest is the filter.
    const filter = rest as z.output<Query>;
    const { heading, lineOf } = writerOf(dialect === undefined ? {} : { dialect });
    // The first read comes before the response starts, so that a database error gets an error response.
    const readLines = (after: Place | null) =>
      takeTurn(call, "parts", async () => {
        const chunk = await read(call, filter, after, input.params);
        return chunk && { text: chunk.rows.map(lineOf).join(""), next: chunk.next };
      });
    const first = await readLines(null);
    if (first === null) return refuse(notFound());
    const lines = async function* () {
      yield heading;
      for (let chunk: typeof first | null = first; ; chunk = await readLines(chunk.next)) {
        if (chunk === null) throw new Error("What is being exported no longer exists");
        yield chunk.text;
        if (chunk.next === null) return;
        // Breaks the connection, so that the client does not take the part for the whole.
        if ((await call.checkCaller()) !== null)
          throw new NoLongerAdmitted("The caller is no longer admitted");
      }
    };
    const headers = {
      "content-disposition": `attachment; filename="${fileName(plural, name, call.now)}"`,
    };
    return reply(lines(), { headers });
  });
}

/** Returns the name of the file, such as `admin-events-2026-11-30.csv`. It contains no text that a caller chose. */
const fileName = (plural: string, extension: string, now: Date): string =>
  `${[...wordsOf(plural), now.toISOString().slice(0, 10)].join("-")}.${extension}`;

/** "adminEvents" as "admin", "events". */
const wordsOf = (plural: string): string[] =>
  plural.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`).split(" ");

const capitalized = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);

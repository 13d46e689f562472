import type * as z from "zod";
import type { Chunk } from "../../db/sql/chunks.ts";
import type { Role } from "../../domain/actor.ts";
import { type Call, reply, takeTurn } from "./call.ts";
import { defineContract } from "./contract.ts";
import { createHandler, type Route } from "./create-handler.ts";
import { type Cell, csvLine } from "./csv.ts";
import { byteStream, NoLongerAdmitted } from "./streaming.ts";

/** An export: how it is read in chunks, and the CSV columns of an item. */
interface Export<Query extends z.ZodObject, Item, Place> {
  /** The name of the items in the operation id and, without a path, in the path. */
  plural: string;
  /** Where the list of these items is. */
  path?: `/${string}`;
  /** The role that may export; `viewer` by default. */
  role?: Exclude<Role, "service">;
  tags: readonly [string, ...string[]];
  description: string;
  query: Query;
  read: (call: Call, query: z.output<Query>, after: Place | null) => Promise<Chunk<Item, Place>>;
  /** The CSV columns by heading. */
  columns: Readonly<Record<string, (item: Item) => Cell>>;
}

interface Format<Item> {
  name: "csv" | "ndjson";
  mediaType: string;
  shape: string;
  heading: string;
  lineOf: (item: Item) => string;
}

/** Returns the routes of an export, one for each format. */
export function exportRoutesOf<Query extends z.ZodObject, Item, Place>(
  exported: Export<Query, Item, Place>,
): Route[] {
  const columns = Object.entries(exported.columns);
  const csv: Format<Item> = {
    name: "csv",
    mediaType: "text/csv; charset=utf-8",
    shape:
      "The file is CSV (RFC 4180) with a header row. Text that a spreadsheet would read as a formula is prefixed with an apostrophe.",
    heading: csvLine(columns.map(([heading]) => heading)),
    lineOf: (item) => csvLine(columns.map(([, cellOf]) => cellOf(item))),
  };
  const ndjson: Format<Item> = {
    name: "ndjson",
    mediaType: "application/x-ndjson",
    shape: "The file has one JSON object per line, in the same shape as in other responses.",
    heading: "",
    lineOf: (item) => `${JSON.stringify(item)}\n`,
  };
  return [exportRoute(exported, csv), exportRoute(exported, ndjson)];
}

function exportRoute<Query extends z.ZodObject, Item, Place>(
  {
    plural,
    path = `/${plural}`,
    role = "viewer",
    tags,
    description,
    query,
    read,
  }: Export<Query, Item, Place>,
  { name, mediaType, shape, heading, lineOf }: Format<Item>,
): Route {
  const contract = defineContract({
    operationId: `export${capitalized(plural)}${capitalized(name)}`,
    method: "GET",
    path: `${path}/export.${name}`,
    summary: `Export ${wordsOf(plural)} as ${name === "csv" ? "CSV" : "JSON Lines"}`,
    description: `${description} ${shape} The file is streamed. If an error occurs while it is being sent, the connection is closed early, so a response that ends normally is complete.`,
    tags,
    role,
    service: role === "viewer",
    query,
    response: {
      status: 200,
      description: "The file.",
      schema: byteStream,
      mediaType,
      headers: ["Content-Disposition"],
    },
  });
  return createHandler(contract, async (call, input) => {
    // The first read comes before the response starts, so that a database error gets an error response.
    const readLines = (after: Place | null) =>
      takeTurn(call, "parts", async () => {
        const { rows, next } = await read(call, input.query, after);
        return { text: rows.map(lineOf).join(""), next };
      });
    const first = await readLines(null);
    const lines = async function* () {
      yield heading;
      for (let chunk = first; ; chunk = await readLines(chunk.next)) {
        yield chunk.text;
        if (chunk.next === null) return;
        // Breaks the connection, so that the client does not take the part for the whole.
        if ((await call.checkCaller()) !== null)
          throw new NoLongerAdmitted("The caller is no longer admitted");
      }
    };
    const headers = { "content-disposition": `attachment; filename="export.${name}"` };
    return reply(lines(), { headers });
  });
}

/** "adminEvents" as "admin events". */
const wordsOf = (plural: string): string =>
  plural.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

const capitalized = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);

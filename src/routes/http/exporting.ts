import type * as z from "zod";
import type { Chunk } from "../../db/sql/chunks.ts";
import { type Call, reply } from "./call.ts";
import { defineContract } from "./contract.ts";
import { createHandler, type Route } from "./create-handler.ts";
import { type Cell, csvLine } from "./csv.ts";
import { byteStream } from "./streamed.ts";

/** What is exported: how it is read, chunk by chunk, and how an item of it is shown. */
interface Exported<Query extends z.ZodObject, Item, Place> {
  /** In the plural, as paths and operation ids name it. */
  plural: string;
  tags: readonly [string, ...string[]];
  description: string;
  query: Query;
  read: (call: Call, query: z.output<Query>, after: Place | null) => Promise<Chunk<Item, Place>>;
  /** The columns of the CSV, by their headings. */
  columns: Readonly<Record<string, (item: Item) => Cell>>;
}

interface Format<Item> {
  name: "csv" | "ndjson";
  mediaType: string;
  shape: string;
  heading: string;
  lineOf: (item: Item) => string;
}

/** Makes the routes of an export, one for each format. */
export function exportRoutesOf<Query extends z.ZodObject, Item, Place>(
  exported: Exported<Query, Item, Place>,
): Route[] {
  const columns = Object.entries(exported.columns);
  const csv: Format<Item> = {
    name: "csv",
    mediaType: "text/csv; charset=utf-8",
    shape:
      "As CSV (RFC 4180) under a line of headings. Text that a spreadsheet would take for a formula stands behind an apostrophe.",
    heading: csvLine(columns.map(([heading]) => heading)),
    lineOf: (item) => csvLine(columns.map(([, cellOf]) => cellOf(item))),
  };
  const ndjson: Format<Item> = {
    name: "ndjson",
    mediaType: "application/x-ndjson",
    shape: "One JSON object a line, in the shape of all other answers.",
    heading: "",
    lineOf: (item) => `${JSON.stringify(item)}\n`,
  };
  return [exportRoute(exported, csv), exportRoute(exported, ndjson)];
}

function exportRoute<Query extends z.ZodObject, Item, Place>(
  { plural, tags, description, query, read }: Exported<Query, Item, Place>,
  { name, mediaType, shape, heading, lineOf }: Format<Item>,
): Route {
  const contract = defineContract({
    operationId: `export${capitalised(plural)}${capitalised(name)}`,
    method: "GET",
    path: `/${plural}/export.${name}`,
    summary: `Export ${plural} as ${name === "csv" ? "CSV" : "JSON lines"}`,
    description: `${description} ${shape} It is sent while it is read; where that fails the connection breaks, so what ends as it should is whole.`,
    tags,
    role: "viewer",
    query,
    response: {
      status: 200,
      description: "A file.",
      schema: byteStream,
      mediaType,
      headers: ["Content-Disposition"],
    },
  });
  return createHandler(contract, async (call, input) => {
    // Before the answer begins, so that a database that is away can still be told.
    const first = await read(call, input.query, null);
    const lines = async function* () {
      yield heading;
      for (let chunk = first; ; chunk = await read(call, input.query, chunk.next)) {
        yield chunk.rows.map(lineOf).join("");
        if (chunk.next === null) return;
      }
    };
    const headers = { "content-disposition": `attachment; filename="export.${name}"` };
    return reply(lines(), { headers });
  });
}

const capitalised = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);

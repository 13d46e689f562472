import { readFile } from "node:fs/promises";
import { join } from "node:path";

const project = join(import.meta.dirname, "../../..");

/** A column of the database that holds a time, as `table.column`, with its default. */
export interface TimeColumn {
  table: string;
  column: string;
  default: string | null;
}

/** Returns every column of a table that holds a time, from the snapshot of the catalog. */
export async function timeColumns(): Promise<TimeColumn[]> {
  const { common } = JSON.parse(await readFile(join(project, "drizzle/catalog.json"), "utf8")) as {
    common: Record<string, { type?: string; default?: string }>;
  };
  return Object.entries(common).flatMap(([name, { type, default: value = null }]) => {
    const [, table, column] = /^column public\.(\w+)\.(\w+)$/.exec(name) ?? [];
    const isTime = type?.startsWith("timestamp") === true || type === "date";
    // A view has the times of its tables.
    const isOfTable = `table public.${table}` in common;
    return table !== undefined && column !== undefined && isTime && isOfTable
      ? [{ table, column, default: value }]
      : [];
  });
}

/** Returns the cells of both lists of docs/demo.md: the columns by table, or null for all columns of the table. */
export async function documentedTimes(): Promise<
  Record<"simulated" | "real", Map<string, readonly string[] | null>>
> {
  const page = await readFile(join(project, "docs/demo.md"), "utf8");
  const list = (title: string) => {
    const [, rows = ""] = page.split(new RegExp(`^\\| table +\\| ${title} .*\\n\\|.*\\n`, "m"));
    const [table = ""] = rows.split("\n\n");
    return new Map(
      table.split("\n").map((row) => {
        const [, name = "", cell = ""] = row.split("|");
        const columns = cell.trim() === "all" ? null : [...cell.matchAll(/`(\w+)`/g)];
        return [name.replaceAll(/[` ]/g, ""), columns?.map(([, column = ""]) => column) ?? null];
      }),
    );
  };
  return { simulated: list("simulated"), real: list("real") };
}

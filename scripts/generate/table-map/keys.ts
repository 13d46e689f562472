import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { is } from "drizzle-orm";
import { getTableConfig, PgTable } from "drizzle-orm/pg-core";
import { toSnakeCase } from "drizzle-orm/casing";
import * as schema from "../../../src/db/schema/index.ts";

/** A foreign key between two tables. */
export interface TableKey {
  from: string;
  to: string;
  /** The column that makes the reference; the others of a composite key repeat where it belongs. */
  column: string;
  /** Checked at the end of the transaction: these keys tie pointers to the events that moved them. */
  isDeferred: boolean;
}

const TABLES = Object.values(schema).flatMap((entry: unknown) =>
  is(entry, PgTable) ? [getTableConfig(entry)] : [],
);

export const TABLE_NAMES: readonly string[] = TABLES.map(({ name }) => name);

/** Every foreign key: those of the schema, and those that only migrations can express. */
export function tableKeys(): TableKey[] {
  const declared = TABLES.flatMap(({ name, foreignKeys }) =>
    foreignKeys.map((key): TableKey => {
      const { columns, foreignTable } = key.reference();
      const names = columns.map((column) => toSnakeCase(column.name));
      return {
        from: name,
        to: getTableConfig(foreignTable).name,
        column: referringColumn(names),
        isDeferred: false,
      };
    }),
  );
  return [...declared, ...handWrittenKeys()];
}

const MIGRATIONS = join(import.meta.dirname, "../../../drizzle");
const HAND_WRITTEN_KEY =
  /alter table (\w+) add constraint (\w+)\s+foreign key \(([^)]*)\)\s+references (\w+) \([^)]*\)( deferrable)?/g;

function handWrittenKeys(): TableKey[] {
  const files = readdirSync(MIGRATIONS).filter((file) => /^\d{4}_.*\.sql$/.test(file));
  const text = files
    .toSorted()
    .map((file) => readFileSync(join(MIGRATIONS, file), "utf8"))
    .join("\n");
  return [...text.matchAll(HAND_WRITTEN_KEY)].flatMap(
    ([, from = "", name = "", columns = "", to = "", deferrable]) =>
      text.includes(`drop constraint ${name};`)
        ? []
        : [
            {
              from,
              to,
              column: referringColumn(columns.split(",").map((column) => column.trim())),
              isDeferred: deferrable !== undefined,
            },
          ],
  );
}

/** Columns that a composite key repeats so that the referenced row is of the same tenant and task. */
const REPEATED = ["tenant_id", "id", "task_id"];

function referringColumn(columns: readonly string[]): string {
  const column =
    columns.find((name) => name === "event_seq") ??
    columns.find((name) => !REPEATED.includes(name)) ??
    columns.at(-1);
  if (column === undefined) throw new Error("A foreign key has a column");
  return column;
}

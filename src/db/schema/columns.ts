import { sql, type SQL } from "drizzle-orm";
import { type AnyPgColumn, check, customType, timestamp, uuid } from "drizzle-orm/pg-core";

/** The first column of every tenant table and of each of its keys. */
export const tenantId = () => uuid().notNull();
/** A UUIDv7 that the application generates. Inserts stay local in the index, and ids sort by time. */
export const id = () => uuid().notNull();
export const createdAt = () => moment().notNull().defaultNow();
/** When something in the life of a task was written. The writers' clock is simulated in some demos (docs/demo.md). */
export const writtenAt = () =>
  moment()
    .notNull()
    .default(sql`writer_clock()`);
/** A time as text: event hashes cover microseconds, which a JavaScript Date cannot hold. */
export const moment = () => timestamp({ withTimezone: true, mode: "string" });

export const bytea = customType<{ data: Uint8Array; driverData: string }>({
  dataType: () => "bytea",
  toDriver: (bytes) =>
    `\\x${[...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`,
});
/** Text that sorts by code point, so that its indexes are the same on every machine. */
export const textInCodePointOrder = customType<{ data: string }>({
  dataType: () => 'text collate "C"',
});
export const xid8 = customType<{ data: string }>({ dataType: () => "xid8" });
export const pgSnapshot = customType<{ data: string }>({ dataType: () => "pg_snapshot" });

/**
 * Returns a CHECK that allows the values of a domain tuple, so that code and schema agree. The values are one array
 * literal, because every statement that writes parses each node of a check again.
 */
export function oneOf(name: string, column: AnyPgColumn, values: readonly string[]) {
  return check(name, sql`${column} = any (${arrayLiteral(values)})`);
}

function arrayLiteral(values: readonly string[]): SQL {
  const elements = values.map((value) => JSON.stringify(value)).join(",");
  return sql.raw(`'{${elements.replaceAll("'", "''")}}'::text[]`);
}

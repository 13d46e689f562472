import { sql, type SQL } from "drizzle-orm";
import { type AnyPgColumn, check, customType, timestamp, uuid } from "drizzle-orm/pg-core";

/** Every table of a tenant begins with it, and so does each of its keys. */
export const tenantId = () => uuid().notNull();
/** UUIDv7 made by the application: inserts stay local in the index, ids sort by time. */
export const id = () => uuid().notNull();
export const createdAt = () => moment().notNull().defaultNow();
/** Microseconds matter (the hash covers them), and a JavaScript Date has none: times stay text. */
export const moment = () => timestamp({ withTimezone: true, mode: "string" });

export const bytea = customType<{ data: Uint8Array; driverData: string }>({
  dataType: () => "bytea",
  toDriver: (bytes) =>
    `\\x${[...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`,
});
export const xid8 = customType<{ data: string }>({ dataType: () => "xid8" });
export const pgSnapshot = customType<{ data: string }>({ dataType: () => "pg_snapshot" });

/**
 * A CHECK made from a tuple of the domain, so that the two cannot part. The list is one literal, since Postgres reads
 * every part of a check anew for each statement.
 */
export function oneOf(name: string, column: AnyPgColumn, values: readonly string[]) {
  return check(name, sql`${column} = any (${arrayLiteral(values)})`);
}

function arrayLiteral(values: readonly string[]): SQL {
  const elements = values.map((value) => JSON.stringify(value)).join(",");
  return sql.raw(`'{${elements.replaceAll("'", "''")}}'::text[]`);
}

import { type SQL, sql } from "drizzle-orm";

/** Whether the datum of alias d is an artifact: it is stored, or lies elsewhere. What was only declared is nothing yet. */
export const IS_ARTIFACT: SQL = sql`(d.stored_at is not null or d.uri is not null)`;

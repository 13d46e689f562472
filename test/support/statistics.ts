import type { TestDatabase } from "./database.ts";

/**
 * Collects statistics if the history has grown to twice its size, as autovacuum does in production. Without them,
 * Postgres plans for a large history as if it were a few rows.
 */
export async function analyzeIfGrown(database: TestDatabase): Promise<void> {
  await database.query(
    "owner",
    `do $$ begin
      if (select pg_relation_size(oid) > 2 * greatest(relpages, ${PAGES_MIN}) * 8192
          from pg_class where oid = 'step_events'::regclass)
      then analyze; end if;
    end $$`,
  );
}

/** A history of fewer pages, which is about 30 events, is small whatever its plan. */
const PAGES_MIN = 2;

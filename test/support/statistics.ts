import type { TestDatabase } from "./database.ts";

/**
 * Collects statistics if the history has grown to twice its size, as autovacuum does in production. Without them,
 * Postgres plans for a large history as if it were a few rows. The catalogs of the system are left out: they would take
 * most of the time.
 */
export async function analyzeIfGrown(database: TestDatabase): Promise<void> {
  await database.query(
    "owner",
    `do $$ begin
      if (select pg_relation_size(oid) > 2 * greatest(relpages, ${PAGES_MIN}) * 8192
          from pg_class where oid = 'step_events'::regclass)
      then
        execute (select 'analyze ' || string_agg(oid::regclass::text, ', ') from pg_class
          where relnamespace = 'public'::regnamespace and relkind = 'r' and pg_relation_size(oid) > 0);
      end if;
    end $$`,
  );
}

/** A history of fewer pages, which is about 30 events, is small whatever its plan. */
const PAGES_MIN = 2;

import { sql } from "drizzle-orm";
import type { AnalyticsEvent, AnalyticsEventName } from "../../domain/analytics.ts";
import type { TenantDatabase } from "../connection/client.ts";
import { allOf, type FilterOf, matches } from "../sql/conditions.ts";

/** A product event, as it is stored. */
export interface AnalyticsEventRecord extends AnalyticsEvent {
  id: string;
  bulkOperationId: string | null;
  /** When the bulk operation that it reports was reverted; null if it was not. */
  revertedAt: string | null;
  at: string;
}

const ANALYTICS_FILTERS = {
  name: (name: AnalyticsEventName) => sql`name = ${name}`,
};

export type AnalyticsFilter = FilterOf<typeof ANALYTICS_FILTERS>;

/** Returns a page of the matching product events, newest first. */
export function listAnalyticsEvents(
  database: TenantDatabase,
  filter: AnalyticsFilter,
  { after, limit }: { after: string | null; limit: number },
): Promise<AnalyticsEventRecord[]> {
  return database.read(sql`
    select id, name, bulk_operation_id as "bulkOperationId", properties, iso(reverted_at) as "revertedAt",
      iso(at) as at
    from analytics_events
    where ${allOf(matches(ANALYTICS_FILTERS, filter), after !== null && sql`id < ${after}::uuid`)}
    order by id desc limit ${limit}`);
}

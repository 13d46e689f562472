import { sql } from "drizzle-orm";
import type { AnalyticsEvent, AnalyticsEventName } from "../../domain/analytics.ts";
import type { TenantDatabase } from "../connection/client.ts";

/** A product event as it is kept. */
export interface AnalyticsEventRecord extends AnalyticsEvent {
  id: string;
  bulkOperationId: string | null;
  /** When what it tells of was taken back. */
  revertedAt: string | null;
  at: string;
}

/** Product events, newest first. */
export function listAnalyticsEvents(
  database: TenantDatabase,
  page: { name: AnalyticsEventName | undefined; after: string | null; limit: number },
): Promise<AnalyticsEventRecord[]> {
  const { name, after, limit } = page;
  return database.read(sql`
    select id, name, bulk_operation_id as "bulkOperationId", properties, iso(reverted_at) as "revertedAt",
      iso(at) as at
    from analytics_events
    where ${name === undefined ? sql`true` : sql`name = ${name}`}
      and ${after === null ? sql`true` : sql`id < ${after}::uuid`}
    order by id desc limit ${limit}`);
}

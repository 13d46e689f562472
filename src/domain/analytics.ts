/** Product events: what is worth counting outside the product. */
export const ANALYTICS_EVENTS = ["admin_bulk_status_terminal"] as const;
export type AnalyticsEventName = (typeof ANALYTICS_EVENTS)[number];

/** A product event: its name, and what it counts. */
export interface AnalyticsEvent {
  name: AnalyticsEventName;
  properties: Record<string, string | number | boolean>;
}

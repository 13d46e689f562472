/** The product events that can be counted outside Stepledger. */
export const ANALYTICS_EVENTS = ["admin_bulk_status_terminal"] as const;
export type AnalyticsEventName = (typeof ANALYTICS_EVENTS)[number];

/** A product event with its properties. */
export interface AnalyticsEvent {
  name: AnalyticsEventName;
  properties: Record<string, string | number | boolean>;
}

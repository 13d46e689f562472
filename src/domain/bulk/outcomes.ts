/** What becomes of each task of a bulk operation; one that is `pending` has not been tried. */
export const BULK_OUTCOMES = ["pending", "changed", "refused", "stale", "failed"] as const;
export type BulkOutcome = (typeof BULK_OUTCOMES)[number];

/** What a row is told whose change the database would not take. */
export const DATABASE_REFUSED = "database_refused";

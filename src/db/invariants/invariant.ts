/** A query that must never return a row, not even during concurrent writes and faults. */
export interface Invariant {
  /** In kebab case; what `npm run verify` prints. */
  name: string;
  /** What a returned row means. */
  description: string;
  /** Runs as the owner, over all tenants. Each row identifies what is wrong. */
  sql: string;
}

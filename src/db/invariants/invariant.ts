/** A promise about the tables, as a query that returns no row, ever, also in the middle of chaos. */
export interface Invariant {
  /** In kebab case; what `npm run verify` prints. */
  name: string;
  /** What a row would mean. */
  description: string;
  /** Read with the owner's right, over every tenant; each row names what is wrong. */
  sql: string;
}

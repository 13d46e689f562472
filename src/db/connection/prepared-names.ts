// Generated from the prepared statements in src/db by `npm run generate`. Do not edit.

/** The names of the database functions that hold the prepared statements of this release. */
export const PREPARED_NAMES = {
  load_task: "load_task_c874b1eb",
  record_plain_moves: "record_plain_moves_50344dee",
  record_moves: "record_moves_1c9dea28",
} as const;

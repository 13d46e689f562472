// Generated from the prepared statements in src/db by `npm run generate`. Do not edit.

/** The names of the database functions that hold the prepared statements of this release. */
export const PREPARED_NAMES = {
  load_task: "load_task_c861a4ec",
  record_plain_moves: "record_plain_moves_6b25bef9",
  record_moves: "record_moves_4ca359c1",
} as const;

// Generated from the prepared statements in src/db by `npm run generate`. Do not edit.

/** The names of the database functions that hold the prepared statements of this release. */
export const PREPARED_NAMES = {
  load_task: "load_task_721b2b06",
  record_plain_moves: "record_plain_moves_cb8620c2",
  record_moves: "record_moves_0430e45c",
} as const;

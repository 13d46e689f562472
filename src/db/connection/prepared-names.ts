// Generated from the prepared statements in src/db by `npm run generate`. Do not edit.

/** The names of the database functions that hold the prepared statements of this release. */
export const PREPARED_NAMES = {
  load_task: "load_task_a12174a8",
  record_plain_moves: "record_plain_moves_50d63588",
  record_moves: "record_moves_5625bf6d",
} as const;

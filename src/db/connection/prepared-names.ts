// Generated from the prepared statements in src/db by `npm run generate`. Do not edit.

/** The names of the database functions that hold the prepared statements of this release. */
export const PREPARED_NAMES = {
  load_task: "load_task_f6a439c0",
  begin_dispatch: "begin_dispatch_617417cc",
  record_creation: "record_creation_4d7d8c06",
  record_plain_moves: "record_plain_moves_9526f267",
  record_moves: "record_moves_4b0877d5",
} as const;

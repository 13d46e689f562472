// Generated from the prepared statements in src/db by `npm run generate`. Do not edit.

/** The names of the database functions that hold the prepared statements of this release. */
export const PREPARED_NAMES = {
  load_task: "load_task_f6a439c0",
  begin_dispatch: "begin_dispatch_6d04d33e",
  record_creation: "record_creation_0c754483",
  record_plain_moves: "record_plain_moves_89237769",
  record_moves: "record_moves_9a82e952",
} as const;

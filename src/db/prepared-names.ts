// Made from the statements in this folder by `npm run generate`. Do not edit.

/** The functions in which the database bears this release's prepared statements. */
export const PREPARED_NAMES = {
  load_task: "load_task_6aafe3ab",
  record_plain_moves: "record_plain_moves_a3b4a800",
  record_moves: "record_moves_ca21e3e3",
} as const;

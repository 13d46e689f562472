// Made from the statements in this folder by `npm run generate`. Do not edit.

/** The functions in which the database bears this release's prepared statements. */
export const PREPARED_NAMES = {
  load_task: "load_task_7c6471a9",
  record_plain_moves: "record_plain_moves_a893fd1d",
  record_moves: "record_moves_74f21698",
} as const;

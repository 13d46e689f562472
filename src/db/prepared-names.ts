// Made from the statements in this folder by `npm run generate`. Do not edit.

/** The functions in which the database bears this release's prepared statements. */
export const PREPARED_NAMES = {
  load_task: "load_task_0ed8c5b9",
  record_plain_moves: "record_plain_moves_bef45b4f",
  record_moves: "record_moves_35a63292",
} as const;

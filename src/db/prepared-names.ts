// Made from the statements in this folder by `npm run generate`. Do not edit.

/** The functions in which the database bears this release's prepared statements. */
export const PREPARED_NAMES = {
  load_task: "load_task_7f959dee",
  record_plain_moves: "record_plain_moves_f7768eaf",
  record_moves: "record_moves_577162b6",
} as const;

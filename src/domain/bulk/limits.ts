/** Tasks of one plan, and therefore of one operation. */
export const PLANNED_TASKS_MAX = 50_000;

/** Tasks that one call changes before it answers. A consumer works through larger operations. */
export const EXECUTED_TASKS_MAX = 1000;

/** Tasks of one chunk of a larger operation: as many as one statement moves efficiently. */
export const CHUNK_TASKS_MAX = 1000;

/** Decisions that a preview shows, in addition to all refusals. */
export const PREVIEWED_ITEMS_MAX = 1000;

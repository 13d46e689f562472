/**
 * The states of a seed run: its story is being told, has been told to its end, its tasks are being archived, or they are.
 */
export const SEED_RUN_STATES = ["active", "ended", "deleting", "deleted"] as const;
export type SeedRunState = (typeof SEED_RUN_STATES)[number];

/** A tenant has at most one run in one of these states. */
export const OPEN_SEED_RUN_STATES = [
  "active",
  "deleting",
] as const satisfies readonly SeedRunState[];

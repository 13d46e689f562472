import { STEP_KINDS, STEP_STATUSES } from "../../src/domain/lifecycle/statuses.ts";
import { kindHasStatus } from "../../src/domain/lifecycle/transitions.ts";
import type { Place } from "./api.ts";

/** Every status that a step of each kind can have. */
export const PLACES: readonly Place[] = STEP_KINDS.flatMap((kind) =>
  STEP_STATUSES.filter((status) => kindHasStatus(kind, status)).map((status) => ({ kind, status })),
);

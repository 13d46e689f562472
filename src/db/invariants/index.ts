import { ADMINISTRATION_INVARIANTS } from "./administration.ts";
import { BULK_INVARIANTS } from "./bulk.ts";
import { CHAIN_INVARIANTS } from "./chains.ts";
import { DATA_INVARIANTS } from "./data.ts";
import { DECISION_INVARIANTS } from "./decisions.ts";
import { DISPATCH_INVARIANTS } from "./dispatches.ts";
import { DUPLICATE_INVARIANTS } from "./duplicates.ts";
import { EVAL_INVARIANTS } from "./evals.ts";
import { HISTORY_INVARIANTS } from "./history.ts";
import { HOLD_INVARIANTS } from "./holds.ts";
import type { Invariant } from "./invariant.ts";
import { LABEL_INVARIANTS } from "./labels.ts";
import { LEGALITY_INVARIANTS } from "./legality.ts";
import { OWNERSHIP_INVARIANTS } from "./ownership.ts";
import { POINTER_INVARIANTS } from "./pointers.ts";
import { PROVEN_INVARIANTS } from "./proven.ts";
import { REVIEW_INVARIANTS } from "./reviews.ts";
import { RUN_INVARIANTS } from "./runs.ts";
import { SIMULATED_CLOCK_INVARIANTS } from "./simulated-clocks.ts";
import { TASK_KEY_INVARIANTS } from "./task-keys.ts";
import { WEBHOOK_INVARIANTS } from "./webhooks.ts";

export type { Invariant } from "./invariant.ts";

/** All invariants of the database. */
export const INVARIANTS: readonly Invariant[] = [
  ...POINTER_INVARIANTS,
  ...HISTORY_INVARIANTS,
  ...LEGALITY_INVARIANTS,
  ...DECISION_INVARIANTS,
  ...PROVEN_INVARIANTS,
  ...TASK_KEY_INVARIANTS,
  ...DUPLICATE_INVARIANTS,
  ...OWNERSHIP_INVARIANTS,
  ...CHAIN_INVARIANTS,
  ...BULK_INVARIANTS,
  ...DISPATCH_INVARIANTS,
  ...REVIEW_INVARIANTS,
  ...HOLD_INVARIANTS,
  ...RUN_INVARIANTS,
  ...EVAL_INVARIANTS,
  ...DATA_INVARIANTS,
  ...WEBHOOK_INVARIANTS,
  ...ADMINISTRATION_INVARIANTS,
  ...SIMULATED_CLOCK_INVARIANTS,
  ...LABEL_INVARIANTS,
];

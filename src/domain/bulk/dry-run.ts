import { apply } from "../lifecycle/apply.ts";
import type { Decision } from "../lifecycle/decision.ts";
import type { TaskSnapshot } from "../lifecycle/snapshot.ts";

/** Placeholder time for a dry run. Labels never depend on it. */
const DRY_RUN_TIME = "";

/** Returns the snapshot that a decision would lead to. */
export function dryRun(snapshot: TaskSnapshot, decision: Decision): TaskSnapshot {
  return apply(snapshot, decision, DRY_RUN_TIME);
}

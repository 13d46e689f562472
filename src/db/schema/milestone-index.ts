import type { GateState, StepStatus } from "../../domain/lifecycle/statuses.ts";

/** Statuses whose arrival is counted: a step was approved, or somebody or something said no. */
const COUNTED_STATUSES = [
  "approved",
  "changes_requested",
  "rejected",
  "duplicate",
  "failed",
] as const satisfies readonly StepStatus[];
/** Gates whose arrival is counted. */
const COUNTED_GATES = ["failed", "errored", "revoked"] as const satisfies readonly GateState[];

const listed = (values: readonly string[]) => values.map((value) => `'${value}'`).join(", ");

/**
 * Which events statistics are made of: half of them all. The index of milestones holds these and no others, so that a
 * statement which says the very same of its events reads that index, a range of time and nothing else.
 */
export const MILESTONE = `from_status is null
  or (from_status <> to_status and to_status in (${listed(COUNTED_STATUSES)}))
  or (from_gate <> to_gate and to_gate in (${listed(COUNTED_GATES)}))`;

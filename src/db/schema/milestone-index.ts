import type { GateState, StepStatus } from "../../domain/lifecycle/statuses.ts";

/** Statistics count the events that bring a step into one of these statuses: approved, turned down or failed. */
const COUNTED_STATUSES = [
  "approved",
  "changes_requested",
  "rejected",
  "duplicate",
  "failed",
] as const satisfies readonly StepStatus[];
/** Statistics count the events that bring a gate into one of these states. */
const COUNTED_GATES = ["failed", "errored", "revoked"] as const satisfies readonly GateState[];

const listed = (values: readonly string[]) => values.map((value) => `'${value}'`).join(", ");

/**
 * The condition for milestones, the events that statistics count: about half of all events. It is the predicate of the
 * partial index step_events_milestones. A query that repeats it verbatim reads only a time range of that index.
 */
export const MILESTONE = `from_status is null
  or (from_status <> to_status and to_status in (${listed(COUNTED_STATUSES)}))
  or (from_gate <> to_gate and to_gate in (${listed(COUNTED_GATES)}))`;

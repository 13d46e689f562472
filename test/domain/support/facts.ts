import {
  GATE_STATES,
  STATUS_RELEVANT_WORKER_TYPES,
  STEP_KINDS,
  STEP_STATUSES,
  type WorkerType,
} from "../../../src/domain/lifecycle/statuses.ts";
import type { LabelFacts } from "../../../src/domain/status/resolve.ts";

/** Every set of the running workers that a label depends on. */
const WORKER_SETS = STATUS_RELEVANT_WORKER_TYPES.reduce<WorkerType[][]>(
  (sets, type) => [...sets, ...sets.map((set) => [...set, type])],
  [[]],
);

/** Every gate of a step that is not held, and every gate that a held step would have. */
const GATES: readonly Pick<LabelFacts, "gate" | "heldGate">[] = [
  ...GATE_STATES.map((gate) => ({ gate, heldGate: null })),
  ...GATE_STATES.map((heldGate) => ({ gate: "blocked" as const, heldGate })),
];

/** Every combination of the facts that a label depends on, whether or not a task can reach it. */
export const EVERY_FACTS: readonly LabelFacts[] = STEP_KINDS.flatMap((kind) =>
  STEP_STATUSES.flatMap((status) =>
    GATES.flatMap((gates) =>
      [false, true].flatMap((reviewFailed) =>
        WORKER_SETS.map((runningWorkers) => ({
          kind,
          status,
          ...gates,
          reviewFailed,
          runningWorkers,
          idle: false,
        })),
      ),
    ),
  ),
);

import { nextKind } from "../lifecycle/transitions.ts";
import type { GateState, StepKind, StepStatus } from "../lifecycle/statuses.ts";
import { STEP_KINDS } from "../lifecycle/statuses.ts";
import { OPEN_GATES } from "../lifecycle/gates.ts";

export const ATTENTION_CODES = ["errored", "blocked", "revoked", "cancelled", "ready"] as const;
export type AttentionCode = (typeof ATTENTION_CODES)[number];

/** A condition that is null always holds. Also compiled to SQL, like the resolver's rules. */
export interface AttentionRule {
  code: AttentionCode;
  kinds: readonly StepKind[] | null;
  statuses: readonly StepStatus[] | null;
  gates: readonly GateState[] | null;
}

/** When a task asks for somebody's attention, beside its label. Unlike labels, any number of them may hold. */
export const ATTENTION_RULES: readonly AttentionRule[] = [
  { code: "errored", kinds: null, statuses: null, gates: ["errored"] },
  { code: "blocked", kinds: null, statuses: null, gates: ["blocked"] },
  { code: "revoked", kinds: null, statuses: null, gates: ["revoked"] },
  { code: "cancelled", kinds: null, statuses: ["cancelled"], gates: null },
  {
    code: "ready",
    kinds: STEP_KINDS.filter((kind) => nextKind(kind) !== null),
    statuses: null,
    gates: OPEN_GATES,
  },
];

/** The codes that hold for a task whose current step is this, in the order of ATTENTION_CODES. */
export function attentionOf(step: {
  kind: StepKind;
  status: StepStatus;
  gate: GateState;
}): AttentionCode[] {
  return ATTENTION_RULES.filter(
    ({ kinds, statuses, gates }) =>
      (kinds === null || kinds.includes(step.kind)) &&
      (statuses === null || statuses.includes(step.status)) &&
      (gates === null || gates.includes(step.gate)),
  ).map(({ code }) => code);
}

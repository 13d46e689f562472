import { nextKind } from "../lifecycle/transitions.ts";
import type { GateState, StepKind, StepStatus } from "../lifecycle/statuses.ts";
import { STEP_KINDS } from "../lifecycle/statuses.ts";
import { OPEN_GATES } from "../lifecycle/gates.ts";

export const ATTENTION_CODES = ["errored", "blocked", "revoked", "cancelled", "ready"] as const;
export type AttentionCode = (typeof ATTENTION_CODES)[number];

/** A null condition always holds. The rules are also compiled to SQL, like those of the resolver. */
export interface AttentionRule {
  code: AttentionCode;
  kinds: readonly StepKind[] | null;
  statuses: readonly StepStatus[] | null;
  gates: readonly GateState[] | null;
}

/** The conditions under which a task needs attention. Unlike labels, any number of codes can apply. */
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

/** Returns the codes of a task with this current step, in the order of ATTENTION_CODES. */
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

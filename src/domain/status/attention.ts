import { nextKind } from "../lifecycle/transitions.ts";
import type { GateState, StepKind, StepStatus } from "../lifecycle/statuses.ts";
import { STEP_KINDS, STEP_STATUSES } from "../lifecycle/statuses.ts";
import { OPEN_GATES } from "../lifecycle/gates.ts";
import type { LabelFacts } from "./resolve.ts";

export const ATTENTION_CODES = [
  "errored",
  "blocked",
  "revoked",
  "cancelled",
  "idle",
  "standing_failure",
  "ready",
] as const;
export type AttentionCode = (typeof ATTENTION_CODES)[number];

/** A null condition always holds. The rules are also compiled to SQL, like those of the resolver. */
export interface AttentionRule {
  code: AttentionCode;
  kinds: readonly StepKind[] | null;
  statuses: readonly StepStatus[] | null;
  gates: readonly GateState[] | null;
  /** Whether a failed review stands against the current step, whose gate is not waived. */
  failureStands: boolean | null;
  /** True: the step is running, and has had no open run for too long. */
  idle: true | null;
}

const ANY = { kinds: null, statuses: null, gates: null, failureStands: null, idle: null } as const;

const NOT_ENDED = STEP_STATUSES.filter((status) => status !== "rejected" && status !== "duplicate");

/** The conditions under which a task needs attention. Unlike labels, any number of codes can apply. */
export const ATTENTION_RULES: readonly AttentionRule[] = [
  { ...ANY, code: "errored", gates: ["errored"] },
  { ...ANY, code: "blocked", gates: ["blocked"] },
  { ...ANY, code: "revoked", statuses: NOT_ENDED, gates: ["revoked"] },
  { ...ANY, code: "cancelled", statuses: ["cancelled"] },
  { ...ANY, code: "idle", idle: true },
  // Labels show a failed check, and changes that a review requested. Elsewhere, they hide a failed review.
  {
    ...ANY,
    code: "standing_failure",
    kinds: STEP_KINDS.filter((kind) => kind !== "pre_qa"),
    statuses: NOT_ENDED.filter((status) => status !== "changes_requested"),
    failureStands: true,
  },
  {
    ...ANY,
    code: "ready",
    kinds: STEP_KINDS.filter((kind) => nextKind(kind) !== null),
    gates: OPEN_GATES,
    failureStands: false,
  },
];

/** Returns the codes of a task with these facts, in the order of ATTENTION_CODES. */
export function attentionOf(
  facts: Pick<LabelFacts, "kind" | "status" | "gate" | "reviewFailed" | "idle">,
): AttentionCode[] {
  const isStanding = facts.reviewFailed && facts.gate !== "waived";
  return ATTENTION_RULES.filter(
    ({ kinds, statuses, gates, failureStands, idle }) =>
      (idle === null || facts.idle) &&
      (kinds === null || kinds.includes(facts.kind)) &&
      (statuses === null || statuses.includes(facts.status)) &&
      (gates === null || gates.includes(facts.gate)) &&
      (failureStands === null || failureStands === isStanding),
  ).map(({ code }) => code);
}

import { isIdle } from "../lifecycle/idle.ts";
import { isStatusRelevant } from "../lifecycle/runs.ts";
import type { TaskSnapshot } from "../lifecycle/snapshot.ts";
import { isFailureStanding } from "../lifecycle/standing.ts";
import type { GateState, StepKind, StepStatus, WorkerType } from "../lifecycle/statuses.ts";
import type { ResolverRule } from "./rules.ts";
import { RESOLVER_RULES } from "./rules.ts";
import type { UnifiedStatus } from "./unified.ts";

/** The facts that a label and the attention codes depend on. All come from the current step. */
export interface LabelFacts {
  kind: StepKind;
  status: StepStatus;
  gate: GateState;
  /** The gate that the step would have without its hold, because a hold changes no label. Null if it is not held. */
  heldGate: GateState | null;
  /** True if a review failed and no review with a higher sequence passed. */
  reviewFailed: boolean;
  /** The types of the status-relevant runs that are RUNNING. */
  runningWorkers: readonly WorkerType[];
  /** True if the sweep found the step idle. No label depends on this. */
  idle: boolean;
}

/** Returns the label of a task: the label of the first matching rule. */
export function resolve(facts: LabelFacts): UnifiedStatus {
  return matchingRule(facts).label;
}

/** Returns the first rule whose conditions all hold. */
export function matchingRule(facts: LabelFacts): ResolverRule {
  const rule = RESOLVER_RULES.find((candidate) => unmetConditions(candidate, facts).length === 0);
  if (rule === undefined) throw new Error("The last resolver rule must match everything");
  return rule;
}

export const RULE_CONDITIONS = [
  "kind",
  "status",
  "gate",
  "reviewStanding",
  "runningWorker",
] as const;
export type RuleCondition = (typeof RULE_CONDITIONS)[number];

/** Returns the conditions of a rule that do not hold. Empty if the rule matches. */
export function unmetConditions(rule: ResolverRule, facts: LabelFacts): RuleCondition[] {
  const met: Record<RuleCondition, boolean> = {
    kind: rule.kinds === null || rule.kinds.includes(facts.kind),
    status: rule.statuses === null || rule.statuses.includes(facts.status),
    gate: rule.gates === null || rule.gates.includes(facts.heldGate ?? facts.gate),
    reviewStanding: rule.reviewStanding === null || facts.reviewFailed,
    runningWorker: rule.runningWorker === null || facts.runningWorkers.includes(rule.runningWorker),
  };
  return RULE_CONDITIONS.filter((condition) => !met[condition]);
}

/** Returns the facts for the label of a snapshot or of a folded history. */
export function factsOf(task: Pick<TaskSnapshot, "step" | "reviews" | "openRuns">): LabelFacts {
  const running = task.openRuns.filter(
    (run) => run.state === "RUNNING" && isStatusRelevant(run.type),
  );
  return {
    kind: task.step.kind,
    status: task.step.status,
    gate: task.step.gate,
    heldGate: task.step.hold?.gate ?? null,
    reviewFailed: isFailureStanding(task.reviews),
    runningWorkers: [...new Set(running.map((run) => run.type))].toSorted(),
    idle: isIdle(task.step),
  };
}

import { isStatusRelevant } from "../lifecycle/runs.ts";
import type { TaskSnapshot } from "../lifecycle/snapshot.ts";
import { isFailureStanding } from "../lifecycle/standing.ts";
import type { GateState, StepKind, StepStatus, WorkerType } from "../lifecycle/statuses.ts";
import type { ResolverRule } from "./rules.ts";
import { RESOLVER_RULES } from "./rules.ts";
import type { UnifiedStatus } from "./unified.ts";

/** All that a label depends on, each taken from the current step. */
export interface LabelFacts {
  kind: StepKind;
  status: StepStatus;
  gate: GateState;
  /** Some review failed and none with a higher sequence passed. */
  reviewFailed: boolean;
  /** Types of the status-relevant runs that are RUNNING. */
  runningWorkers: readonly WorkerType[];
}

/** The task's one label: that of the first rule that matches. */
export function resolve(facts: LabelFacts): UnifiedStatus {
  return matchingRule(facts).label;
}

/** The first rule whose conditions all hold. */
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

/** The conditions of a rule that these facts do not meet: none where it matches. */
export function unmetConditions(rule: ResolverRule, facts: LabelFacts): RuleCondition[] {
  const met: Record<RuleCondition, boolean> = {
    kind: rule.kinds === null || rule.kinds.includes(facts.kind),
    status: rule.statuses === null || rule.statuses.includes(facts.status),
    gate: rule.gates === null || rule.gates.includes(facts.gate),
    reviewStanding: rule.reviewStanding === null || facts.reviewFailed,
    runningWorker: rule.runningWorker === null || facts.runningWorkers.includes(rule.runningWorker),
  };
  return RULE_CONDITIONS.filter((condition) => !met[condition]);
}

/** What the label depends on, read from a snapshot or from a folded history alike. */
export function factsOf(task: Pick<TaskSnapshot, "step" | "reviews" | "openRuns">): LabelFacts {
  const running = task.openRuns.filter(
    (run) => run.state === "RUNNING" && isStatusRelevant(run.type),
  );
  return {
    kind: task.step.kind,
    status: task.step.status,
    gate: task.step.gate,
    reviewFailed: isFailureStanding(task.reviews),
    runningWorkers: [...new Set(running.map((run) => run.type))].toSorted(),
  };
}

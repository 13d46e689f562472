import type { LabelFacts, RuleCondition } from "./resolve.ts";
import { matchingRule, unmetConditions } from "./resolve.ts";
import type { ResolverRule } from "./rules.ts";
import { RESOLVER_RULES } from "./rules.ts";
import type { UnifiedStatus } from "./unified.ts";

/** A rule that came earlier and did not match, with the conditions that did not hold. */
export interface PassedOverRule {
  rule: number;
  label: UnifiedStatus;
  unmet: readonly RuleCondition[];
}

/** Why a task bears its label. */
export interface Explanation {
  unifiedStatus: UnifiedStatus;
  rule: ResolverRule;
  facts: LabelFacts;
  passedOver: readonly PassedOverRule[];
}

/** The label with the rule that gave it, the facts that it matched on, and every rule before it. */
export function explain(facts: LabelFacts): Explanation {
  const rule = matchingRule(facts);
  const passedOver = RESOLVER_RULES.slice(0, RESOLVER_RULES.indexOf(rule)).map((earlier) => ({
    rule: earlier.number,
    label: earlier.label,
    unmet: unmetConditions(earlier, facts),
  }));
  return { unifiedStatus: rule.label, rule, facts, passedOver };
}

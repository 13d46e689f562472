import type { LabelFacts, RuleCondition } from "./resolve.ts";
import { matchingRule, unmetConditions } from "./resolve.ts";
import type { ResolverRule } from "./rules.ts";
import { RESOLVER_RULES } from "./rules.ts";
import type { UnifiedStatus } from "./unified.ts";

/** An earlier rule that did not match, with its unmet conditions. */
export interface PassedOverRule {
  rule: number;
  label: UnifiedStatus;
  unmet: readonly RuleCondition[];
}

/** The reason for a label. */
export interface Explanation {
  unifiedStatus: UnifiedStatus;
  rule: ResolverRule;
  facts: LabelFacts;
  passedOver: readonly PassedOverRule[];
}

/** Returns the label with the facts, the rule that matched them, and the earlier rules that did not. */
export function explain(facts: LabelFacts): Explanation {
  const rule = matchingRule(facts);
  const passedOver = RESOLVER_RULES.slice(0, RESOLVER_RULES.indexOf(rule)).map((earlier) => ({
    rule: earlier.number,
    label: earlier.label,
    unmet: unmetConditions(earlier, facts),
  }));
  return { unifiedStatus: rule.label, rule, facts, passedOver };
}

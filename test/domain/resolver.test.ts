import { describe, expect, test } from "vitest";
import type { WorkerType } from "../../src/domain/lifecycle/statuses.ts";
import {
  GATE_STATES,
  STATUS_RELEVANT_WORKER_TYPES,
  STEP_KINDS,
  STEP_STATUSES,
} from "../../src/domain/lifecycle/statuses.ts";
import { attentionOf } from "../../src/domain/status/attention.ts";
import { explain } from "../../src/domain/status/explain.ts";
import type { LabelFacts } from "../../src/domain/status/resolve.ts";
import { factsOf, matchingRule, resolve } from "../../src/domain/status/resolve.ts";
import { RESOLVER_RULES } from "../../src/domain/status/rules.ts";
import { isTerminal, rankOf, UNIFIED_STATUSES } from "../../src/domain/status/unified.ts";
import { RESOLVER_TEXT } from "./support/tables.ts";
import { givenTask } from "./support/world.ts";

const rows = RESOLVER_TEXT.trim()
  .split("\n")
  .map((line) => line.split(" | "));

/** The label that the written rows give, read by a program of its own. */
function labelByText(facts: LabelFacts): string | undefined {
  const holds = (cell: string | undefined, fact: string): boolean =>
    cell === "any" || cell?.split(",").includes(fact) === true;
  return rows.find(
    ([, kind, status, gate, standing, worker]) =>
      holds(kind, facts.kind) &&
      holds(status, facts.status) &&
      holds(gate, facts.gate) &&
      (standing === "any" || facts.reviewFailed) &&
      (worker === "any" || facts.runningWorkers.some((running) => running === worker)),
  )?.[6];
}

/** Every combination of facts, whether or not a task can come to it. */
function* everyFacts(): Generator<LabelFacts> {
  const workers = STATUS_RELEVANT_WORKER_TYPES.reduce<WorkerType[][]>(
    (sets, type) => [...sets, ...sets.map((set) => [...set, type])],
    [[]],
  );
  for (const kind of STEP_KINDS) {
    for (const status of STEP_STATUSES) {
      for (const gate of GATE_STATES) {
        for (const reviewFailed of [false, true]) {
          for (const runningWorkers of workers) {
            yield { kind, status, gate, reviewFailed, runningWorkers };
          }
        }
      }
    }
  }
}

describe("the resolver", () => {
  test("has the rules that are written down, in that order", () => {
    const cell = (values: readonly string[] | null): string => values?.join(",") ?? "any";
    const written = RESOLVER_RULES.map((rule) =>
      [
        String(rule.number),
        cell(rule.kinds),
        cell(rule.statuses),
        cell(rule.gates),
        rule.reviewStanding ?? "any",
        rule.runningWorker ?? "any",
        rule.label,
      ].join(" | "),
    );
    expect(written).toEqual(RESOLVER_TEXT.trim().split("\n"));
  });

  test("gives every combination of facts the one label that the written rows give", () => {
    let combinations = 0;
    for (const facts of everyFacts()) {
      const label = resolve(facts);
      if (label !== labelByText(facts)) expect(facts).toBe(label);
      combinations += 1;
    }
    expect(combinations).toBe(7 * 13 * 10 * 2 * 8);
  });

  test("gives each of the thirteen labels to something", () => {
    const labels = new Set([...everyFacts()].map(resolve));
    expect([...labels].toSorted()).toEqual([...UNIFIED_STATUSES].toSorted());
  });

  test("uses each of its rules", () => {
    const rules = new Set([...everyFacts()].map((facts) => matchingRule(facts).number));
    expect(rules.size).toBe(RESOLVER_RULES.length);
  });

  test("does not change what it reads", () => {
    const facts = Object.freeze(
      factsOf(givenTask({ kind: "pre_qa", running: ["QUALITY_AUTOMATION"] })),
    );
    expect(resolve(facts)).toBe(resolve(facts));
  });
});

describe("the facts of a task", () => {
  test("count a worker as running when its run is RUNNING and the label depends on its type", () => {
    const task = givenTask({
      running: ["PAYMENT", "QUALITY_AUTOMATION", "POST_QA_SCORING"],
      queuedRuns: ["OUTPUT_GENERATION"],
    });
    expect(factsOf(task).runningWorkers).toEqual(["QUALITY_AUTOMATION"]);
  });

  test("name each type once, in an order of their own", () => {
    const task = givenTask({
      running: ["QUALITY_AUTOMATION", "EXPERT_REVIEW", "QUALITY_AUTOMATION"],
    });
    expect(factsOf(task).runningWorkers).toEqual(["EXPERT_REVIEW", "QUALITY_AUTOMATION"]);
  });

  test("come from the current step", () => {
    const task = givenTask({
      kind: "pre_qa",
      status: "approved",
      gate: "waived",
      reviews: ["failed"],
    });
    expect(factsOf(task)).toEqual({
      kind: "pre_qa",
      status: "approved",
      gate: "waived",
      reviewFailed: true,
      runningWorkers: [],
    });
  });
});

describe("an explanation", () => {
  test("names the matching rule, its facts, and each earlier rule with what it lacked", () => {
    const facts = factsOf(givenTask({ kind: "delivery", status: "approved" }));
    const explanation = explain(facts);
    expect(explanation.unifiedStatus).toBe("DELIVERED");
    expect(explanation.rule.number).toBe(3);
    expect(explanation.facts).toEqual(facts);
    expect(explanation.passedOver).toEqual([
      { rule: 1, label: "DUPLICATE", unmet: ["status"] },
      { rule: 2, label: "REJECTED", unmet: ["status"] },
    ]);
  });

  test("agrees with the resolver everywhere, and passes no rule over without a ground", () => {
    for (const facts of everyFacts()) {
      const { unifiedStatus, rule, passedOver } = explain(facts);
      if (unifiedStatus !== resolve(facts)) expect(unifiedStatus).toBe(resolve(facts));
      if (passedOver.length !== rule.number - 1) expect(passedOver).toHaveLength(rule.number - 1);
      if (passedOver.some(({ unmet }) => unmet.length === 0)) expect(passedOver).toEqual([]);
    }
    expect(explain(factsOf(givenTask())).passedOver).toHaveLength(20);
  });

  test("says which of several conditions were missing", () => {
    const task = givenTask({ kind: "expert_review", status: "queued" });
    const { passedOver } = explain(factsOf(task));
    expect(passedOver.find(({ rule }) => rule === 7)?.unmet).toEqual(["runningWorker"]);
    expect(passedOver.find(({ rule }) => rule === 3)?.unmet).toEqual(["kind", "status"]);
  });
});

describe("attention", () => {
  test("is given to a gate that errored, is blocked or was revoked", () => {
    for (const gate of GATE_STATES) {
      const codes = attentionOf({ kind: "delivery", status: "queued", gate });
      const expected = ["errored", "blocked", "revoked"].filter((code) => code === gate);
      expect(codes).toEqual(expected);
    }
  });

  test("is given to a cancelled step, beside what its gate asks for", () => {
    expect(attentionOf({ kind: "pre_qa", status: "cancelled", gate: "revoked" })).toEqual([
      "revoked",
      "cancelled",
    ]);
  });

  test("is given to what waits to be advanced: an open gate before a later stage", () => {
    for (const kind of STEP_KINDS) {
      for (const gate of GATE_STATES) {
        const isReady = kind !== "delivery" && (gate === "passed" || gate === "waived");
        expect(attentionOf({ kind, status: "approved", gate }).includes("ready")).toBe(isReady);
      }
    }
  });

  test("shows a failed delivery that hides behind PASSED", () => {
    const task = givenTask({ kind: "delivery", status: "failed" });
    expect(resolve(factsOf(task))).toBe("PASSED");
    expect(attentionOf(task.step)).toEqual(["errored"]);
  });
});

describe("the labels", () => {
  test("are ranked in their order", () => {
    expect(UNIFIED_STATUSES.map(rankOf)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    expect(rankOf("DRAFT")).toBeLessThan(rankOf("DUPLICATE"));
  });

  test("are terminal when passed, delivered, rejected or duplicate", () => {
    expect(UNIFIED_STATUSES.filter(isTerminal)).toEqual([
      "PASSED",
      "DELIVERED",
      "REJECTED",
      "DUPLICATE",
    ]);
  });
});

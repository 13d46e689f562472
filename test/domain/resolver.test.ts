import { describe, expect, test } from "vitest";
import { GATE_STATES, STEP_KINDS } from "../../src/domain/lifecycle/statuses.ts";
import { attentionOf } from "../../src/domain/status/attention.ts";
import { explain } from "../../src/domain/status/explain.ts";
import type { LabelFacts } from "../../src/domain/status/resolve.ts";
import { factsOf, matchingRule, resolve } from "../../src/domain/status/resolve.ts";
import { RESOLVER_RULES } from "../../src/domain/status/rules.ts";
import { isTerminal, rankOf, UNIFIED_STATUSES } from "../../src/domain/status/unified.ts";
import { EVERY_FACTS } from "./support/facts.ts";
import { RESOLVER_TEXT } from "./support/tables.ts";
import { givenTask } from "./support/world.ts";

/** The rules as the specification writes them, one row each: number, then a cell for each fact, then the label. */
const rows = RESOLVER_TEXT.trim()
  .split("\n")
  .map((line) => line.split(" | "));

/** The conditions of a written row that these facts do not meet, in the order of the cells. */
function unmetByText(row: readonly string[], facts: LabelFacts): string[] {
  const [, kind, status, gate, standing, worker] = row;
  const holds = (cell: string | undefined, fact: string): boolean =>
    cell === "any" || cell?.split(",").includes(fact) === true;
  const conditions: Record<string, boolean> = {
    kind: holds(kind, facts.kind),
    status: holds(status, facts.status),
    gate: holds(gate, facts.heldGate ?? facts.gate),
    reviewStanding: standing === "any" || facts.reviewFailed,
    runningWorker: worker === "any" || facts.runningWorkers.some((running) => running === worker),
  };
  return Object.keys(conditions).filter((condition) => conditions[condition] === false);
}

/** The first written row that these facts meet. */
const rowByText = (facts: LabelFacts) =>
  rows.find((row) => unmetByText(row, facts).length === 0) ?? expect.fail("No row matches");

describe("the resolver", () => {
  test("has the written rules in their order", () => {
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

  test("gives every combination of facts the label of the first written row that it meets", () => {
    expect(EVERY_FACTS.filter((facts) => resolve(facts) !== rowByText(facts)[6])).toEqual([]);
  });

  test("gives each label to some combination of facts", () => {
    expect(new Set(EVERY_FACTS.map(resolve))).toEqual(new Set(UNIFIED_STATUSES));
  });

  test("uses each of its rules", () => {
    const used = new Set(EVERY_FACTS.map((facts) => matchingRule(facts).number));
    expect(used).toEqual(new Set(RESOLVER_RULES.map(({ number }) => number)));
  });

  test("does not change the facts that it reads", () => {
    // In strict mode, a write to a frozen object throws.
    const frozen = EVERY_FACTS.map((facts) =>
      Object.freeze({ ...facts, runningWorkers: Object.freeze([...facts.runningWorkers]) }),
    );
    expect(() => frozen.map(resolve)).not.toThrow();
  });
});

describe("the facts of a task", () => {
  test("count a worker only if its run is RUNNING and the label depends on its type", () => {
    const task = givenTask({
      running: ["PAYMENT", "QUALITY_AUTOMATION", "POST_QA_SCORING"],
      queuedRuns: ["OUTPUT_GENERATION"],
    });
    expect(factsOf(task).runningWorkers).toEqual(["QUALITY_AUTOMATION"]);
  });

  test("name each running worker type once, sorted", () => {
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
      heldGate: null,
      reviewFailed: true,
      runningWorkers: [],
      idle: false,
    });
  });
});

describe("a hold", () => {
  test("changes no label, whichever gate the step would have", () => {
    for (const facts of EVERY_FACTS) {
      if (facts.heldGate === null) continue;
      const free = { ...facts, gate: facts.heldGate, heldGate: null };
      if (resolve(facts) !== resolve(free)) expect(facts).toEqual(free);
    }
    const held = givenTask({ kind: "pre_qa", status: "running", heldGate: "waived" });
    expect(explain(factsOf(held))).toMatchObject({
      unifiedStatus: "READY_TO_SUBMIT",
      rule: { number: 14 },
      facts: { gate: "blocked", heldGate: "waived" },
    });
  });
});

describe("an explanation", () => {
  test("names the matching rule, the facts, and what each earlier rule lacks", () => {
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

  test("names, for every combination of facts, the matching rule and what each earlier rule lacks", () => {
    const wrong = EVERY_FACTS.filter((facts) => {
      const { unifiedStatus, rule, passedOver } = explain(facts);
      const matching = rowByText(facts);
      const expected = rows
        .slice(0, rows.indexOf(matching))
        .map((row) => ({ rule: Number(row[0]), label: row[6], unmet: unmetByText(row, facts) }));
      return (
        unifiedStatus !== matching[6] ||
        String(rule.number) !== matching[0] ||
        JSON.stringify(passedOver) !== JSON.stringify(expected)
      );
    });
    expect(wrong).toEqual([]);
  });

  test("lists every condition that a rule lacks", () => {
    const task = givenTask({ kind: "expert_review", status: "queued" });
    const { passedOver } = explain(factsOf(task));
    expect(passedOver.find(({ rule }) => rule === 7)?.unmet).toEqual(["runningWorker"]);
    expect(passedOver.find(({ rule }) => rule === 3)?.unmet).toEqual(["kind", "status"]);
  });
});

describe("attention", () => {
  const DELIVERY = {
    kind: "delivery",
    status: "queued",
    reviewFailed: false,
    idle: false,
  } as const;
  const CANCELLED = {
    kind: "pre_qa",
    status: "cancelled",
    reviewFailed: false,
    idle: false,
  } as const;

  test("is raised by a gate that is errored, blocked, or revoked", () => {
    for (const gate of GATE_STATES) {
      const codes = attentionOf({ ...DELIVERY, gate });
      const expected = ["errored", "blocked", "revoked"].filter((code) => code === gate);
      expect(codes).toEqual(expected);
    }
  });

  test("is raised by a cancelled step, in addition to its gate", () => {
    expect(attentionOf({ ...CANCELLED, gate: "revoked" })).toEqual(["revoked", "cancelled"]);
  });

  test("is ready for a task that can advance: its gate is open and a stage follows", () => {
    for (const kind of STEP_KINDS) {
      for (const gate of GATE_STATES) {
        const isReady = kind !== "delivery" && (gate === "passed" || gate === "waived");
        expect(
          attentionOf({
            kind,
            status: "approved",
            gate,
            reviewFailed: false,
            idle: false,
          }).includes("ready"),
        ).toBe(isReady);
      }
    }
  });

  test("is not revoked on a rejected or duplicate task, which nobody has to look at", () => {
    const wrong = EVERY_FACTS.filter((facts) => {
      const isEnded = ["REJECTED", "DUPLICATE"].includes(resolve(facts));
      const isRevoked = facts.gate === "revoked" && !isEnded;
      return attentionOf(facts).includes("revoked") !== isRevoked;
    });
    expect(wrong).toEqual([]);
  });

  test("is never ready while a failed review stands, unless the gate is waived", () => {
    const wrong = EVERY_FACTS.filter((facts) => {
      const { kind, gate, reviewFailed } = facts;
      const isOpen = gate === "waived" || (gate === "passed" && !reviewFailed);
      const isReady = isOpen && kind !== "delivery";
      return attentionOf(facts).includes("ready") !== isReady;
    });
    expect(wrong).toEqual([]);
  });

  test("reveals a failed review that the label hides", () => {
    const scored = {
      kind: "calibration",
      status: "awaiting_review",
      gate: "awaiting_review",
      idle: false,
    } as const;
    expect(attentionOf({ ...scored, reviewFailed: true })).toEqual(["standing_failure"]);
    expect(attentionOf({ ...scored, reviewFailed: false })).toEqual([]);
    for (const facts of EVERY_FACTS) {
      const { kind, status, gate, reviewFailed } = facts;
      // A waiver that a hold covers hides the failed check from the label, like any waiver.
      const label = resolve({ ...facts, heldGate: kind === "pre_qa" ? null : facts.heldGate });
      const isShown =
        ["REJECTED", "DUPLICATE", "QUALITY_CHECK_FAILED"].includes(label) ||
        status === "changes_requested";
      const isHidden = reviewFailed && gate !== "waived" && !isShown;
      if (attentionOf(facts).includes("standing_failure") !== isHidden) expect(facts).toBeNull();
    }
  });

  test("is idle if the sweep found the step so, whatever else asks for attention", () => {
    for (const facts of EVERY_FACTS) {
      const codes = attentionOf({ ...facts, idle: true });
      expect(codes.filter((code) => code !== "idle")).toEqual(attentionOf(facts));
      if (!codes.includes("idle") || attentionOf(facts).includes("idle")) expect(facts).toBeNull();
    }
  });

  test("reveals a failed delivery, whose label is PASSED", () => {
    const task = givenTask({ kind: "delivery", status: "failed" });
    expect(resolve(factsOf(task))).toBe("PASSED");
    expect(attentionOf(factsOf(task))).toEqual(["errored"]);
  });
});

/** The order in which lists sort by label. */
const LABELS_IN_ORDER = [
  "DRAFT",
  "CHECKING_QUALITY",
  "QUALITY_CHECK_FAILED",
  "READY_TO_SUBMIT",
  "SUBMITTED",
  "GENERATING_OUTPUT",
  "OUTPUT_FAILED",
  "IN_REVIEW",
  "CHANGES_REQUESTED",
  "PASSED",
  "DELIVERED",
  "REJECTED",
  "DUPLICATE",
];

describe("the labels", () => {
  test("sort from a draft to an ended task", () => {
    const sorted = UNIFIED_STATUSES.toSorted((one, other) => rankOf(one) - rankOf(other));
    expect(sorted).toEqual(LABELS_IN_ORDER);
  });

  test("are terminal if passed, delivered, rejected, or duplicate", () => {
    expect(UNIFIED_STATUSES.filter(isTerminal)).toEqual([
      "PASSED",
      "DELIVERED",
      "REJECTED",
      "DUPLICATE",
    ]);
  });
});

import { describe, expect, test } from "vitest";
import { RETRIED_STATUSES } from "../../src/domain/bulk/judge.ts";
import { BULK_TARGETS, PIPELINES_ON_TARGET } from "../../src/domain/bulk/matrix.ts";
import {
  GATES_BY_HAND,
  OPEN_GATES,
  OVERRULING_STATUSES,
} from "../../src/domain/lifecycle/gates.ts";
import { ENDED_STEP_STATUSES } from "../../src/domain/lifecycle/right-for.ts";
import {
  JUDGING_WORKER_TYPES,
  REPORT_EFFECTS,
  SCORING_WORKER_TYPES,
} from "../../src/domain/lifecycle/runs.ts";
import {
  FIRST_KINDS,
  GATE_STATES,
  type GateState,
  STATUS_RELEVANT_WORKER_TYPES,
  STEP_KINDS,
  STEP_STATUSES,
  type StepKind,
  type StepStatus,
  WORKER_TYPES,
  type WorkerType,
} from "../../src/domain/lifecycle/statuses.ts";
import {
  ENDING_STATUSES,
  kindHasStatus,
  START_STATUSES,
  REVOKING_STATUSES,
} from "../../src/domain/lifecycle/transitions.ts";
import { VERDICT_GATES } from "../../src/domain/lineage/graph.ts";
import { PIPELINE_NAMES, PIPELINES, type Pipeline } from "../../src/domain/pipelines/pipelines.ts";
import { ATTENTION_CODES, ATTENTION_RULES } from "../../src/domain/status/attention.ts";
import { RESOLVER_RULES } from "../../src/domain/status/rules.ts";
import {
  TERMINAL_UNIFIED,
  UNIFIED_STATUSES,
  type UnifiedStatus,
} from "../../src/domain/status/unified.ts";

/**
 * Total tables make a new member a compile error. These tests do the same for lists that name only some members:
 * each member says here which lists have it, so a new one has to be placed.
 */
type Lists = Readonly<Record<string, readonly string[]>>;

function listsWith<Name extends string>(lists: Record<Name, readonly string[]>, member: string) {
  const names = Object.keys(lists) as Name[]; // keys of a literal
  return names.filter((name) => lists[name].includes(member));
}

const STATUS_LISTS = {
  starts: START_STATUSES,
  ends: ENDING_STATUSES,
  revokes: REVOKING_STATUSES,
  overrulesGate: OVERRULING_STATUSES,
  needsReviewerToRework: ENDED_STEP_STATUSES,
  isRetried: RETRIED_STATUSES,
} satisfies Lists;

const STATUSES: Record<StepStatus, readonly (keyof typeof STATUS_LISTS)[]> = {
  pending: [],
  queued: ["starts"],
  running: [],
  paused: [],
  awaiting_input: [],
  awaiting_review: ["starts"],
  in_review: [],
  changes_requested: ["revokes", "overrulesGate"],
  approved: ["starts", "needsReviewerToRework"],
  rejected: ["starts", "ends", "revokes", "overrulesGate", "needsReviewerToRework"],
  duplicate: ["starts", "ends", "revokes", "overrulesGate", "needsReviewerToRework"],
  failed: ["overrulesGate", "isRetried"],
  cancelled: ["overrulesGate", "isRetried"],
};

describe("each step status", () => {
  test.each(STEP_STATUSES)("has its place in the lists: %s", (status) => {
    expect(listsWith(STATUS_LISTS, status)).toEqual(STATUSES[status]);
  });

  test.each(STEP_STATUSES)("is known to a stage: %s", (status) => {
    expect(STEP_KINDS.filter((kind) => kindHasStatus(kind, status))).not.toEqual([]);
  });
});

/** The resolver's rules that name each stage. A stage without a rule has the label of the last one. */
const STAGE_RULES: Record<StepKind, readonly number[]> = {
  ingestion: [],
  authoring: [],
  pre_qa: [14, 15, 17, 18, 19, 20],
  output_generation: [10, 11, 12, 13],
  expert_review: [5, 6, 7, 8, 9],
  calibration: [4],
  delivery: [3, 4],
};
/** The stages that are meant to have that label, DRAFT. */
const DRAFT_STAGES: readonly StepKind[] = ["ingestion", "authoring"];

const STAGE_STARTS_VERSION: Record<StepKind, boolean> = {
  ingestion: true,
  authoring: true,
  pre_qa: true,
  output_generation: false,
  expert_review: false,
  calibration: false,
  delivery: false,
};

describe("each stage", () => {
  test.each(STEP_KINDS)(
    "is named by a resolver rule, unless it reads DRAFT on purpose: %s",
    (kind) => {
      const rules = RESOLVER_RULES.filter(({ kinds }) => kinds?.includes(kind) === true);
      expect(rules.map(({ number }) => number)).toEqual(STAGE_RULES[kind]);
      expect(rules.length === 0).toBe(DRAFT_STAGES.includes(kind));
    },
  );

  test.each(STEP_KINDS)("either starts a version or does not: %s", (kind) => {
    expect(FIRST_KINDS.some((first) => first === kind)).toBe(STAGE_STARTS_VERSION[kind]);
  });
});

const GATE_LISTS = {
  isOpen: OPEN_GATES,
  isSetByHand: GATES_BY_HAND,
  isVerdict: VERDICT_GATES,
  asksForAttention: ATTENTION_RULES.flatMap(({ gates }) => gates ?? []),
} satisfies Lists;

const GATES: Record<GateState, readonly (keyof typeof GATE_LISTS)[]> = {
  locked: [],
  pending: [],
  evaluating: [],
  awaiting_review: [],
  blocked: ["isSetByHand", "asksForAttention"],
  passed: ["isOpen", "isVerdict", "asksForAttention"],
  waived: ["isOpen", "isSetByHand", "isVerdict", "asksForAttention"],
  failed: ["isVerdict"],
  errored: ["isSetByHand", "isVerdict", "asksForAttention"],
  revoked: ["isVerdict", "asksForAttention"],
};

test.each(GATE_STATES)("each gate state has its place in the lists: %s", (gate) => {
  expect(listsWith(GATE_LISTS, gate)).toEqual(GATES[gate]);
});

const WORKER_LISTS = {
  isStatusRelevant: STATUS_RELEVANT_WORKER_TYPES,
  judges: JUDGING_WORKER_TYPES,
  canJudge: SCORING_WORKER_TYPES,
  worksForPipeline: PIPELINE_NAMES.map((name) => PIPELINES[name].worker),
  isNamedByRule: RESOLVER_RULES.flatMap(({ runningWorker }) => runningWorker ?? []),
  movesSteps: WORKER_TYPES.filter((type) => REPORT_EFFECTS[type] !== null),
} satisfies Lists;

const WORKERS: Record<WorkerType, readonly (keyof typeof WORKER_LISTS)[]> = {
  QUALITY_AUTOMATION: [
    "isStatusRelevant",
    "judges",
    "worksForPipeline",
    "isNamedByRule",
    "movesSteps",
  ],
  EXPERT_REVIEW: ["isStatusRelevant", "isNamedByRule", "movesSteps"],
  OUTPUT_GENERATION: ["isStatusRelevant", "worksForPipeline", "isNamedByRule", "movesSteps"],
  POST_QA_SCORING: ["canJudge", "worksForPipeline", "movesSteps"],
  PAYMENT: ["worksForPipeline"],
};

test.each(WORKER_TYPES)("each worker type has its place in the lists: %s", (type) => {
  expect(listsWith(WORKER_LISTS, type)).toEqual(WORKERS[type]);
});

const PIPELINE_TARGETS: Record<Pipeline, readonly (typeof BULK_TARGETS)[number][]> = {
  quality_automation: [],
  output_generation: ["SUBMITTED"],
  post_qa_scoring: [],
  payment: ["PASSED"],
};

test.each(PIPELINE_NAMES)("each pipeline is attached to its bulk targets: %s", (pipeline) => {
  const targets = BULK_TARGETS.filter((target) => PIPELINES_ON_TARGET[target].includes(pipeline));
  expect(targets).toEqual(PIPELINE_TARGETS[pipeline]);
});

const LABEL_LISTS = {
  isTerminal: TERMINAL_UNIFIED,
  isBulkTarget: BULK_TARGETS,
  isGivenByRule: RESOLVER_RULES.map(({ label }) => label),
} satisfies Lists;

const LABELS: Record<UnifiedStatus, readonly (keyof typeof LABEL_LISTS)[]> = {
  DRAFT: ["isGivenByRule"],
  CHECKING_QUALITY: ["isGivenByRule"],
  QUALITY_CHECK_FAILED: ["isGivenByRule"],
  READY_TO_SUBMIT: ["isGivenByRule"],
  SUBMITTED: ["isBulkTarget", "isGivenByRule"],
  GENERATING_OUTPUT: ["isGivenByRule"],
  OUTPUT_FAILED: ["isGivenByRule"],
  IN_REVIEW: ["isBulkTarget", "isGivenByRule"],
  CHANGES_REQUESTED: ["isBulkTarget", "isGivenByRule"],
  PASSED: ["isTerminal", "isBulkTarget", "isGivenByRule"],
  DELIVERED: ["isTerminal", "isGivenByRule"],
  REJECTED: ["isTerminal", "isBulkTarget", "isGivenByRule"],
  DUPLICATE: ["isTerminal", "isBulkTarget", "isGivenByRule"],
};

test.each(UNIFIED_STATUSES)("each label has its place in the lists: %s", (label) => {
  expect(listsWith(LABEL_LISTS, label)).toEqual(LABELS[label]);
});

test.each(ATTENTION_CODES)("each attention code has one rule: %s", (code) => {
  expect(ATTENTION_RULES.filter((rule) => rule.code === code)).toHaveLength(1);
});

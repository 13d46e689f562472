import {
  BULK_ALLOWED_TARGETS,
  BULK_STEP_STATUS,
  BULK_TARGETS,
  PIPELINES_ON_TARGET,
} from "../../src/domain/bulk/matrix.ts";
import { EVAL_TRANSITIONS, TRIAL_TRANSITIONS } from "../../src/domain/evals/transitions.ts";
import { GATE_ON_STATUS, GATE_TRANSITIONS } from "../../src/domain/lifecycle/gates.ts";
import { DISPATCH_TRANSITIONS } from "../../src/domain/pipelines/states.ts";
import { OPERATION_TRANSITIONS } from "../../src/domain/bulk/states.ts";
import { REVIEW_MOVES } from "../../src/domain/lifecycle/review-moves.ts";
import { REPORT_EFFECTS, RUN_TRANSITIONS } from "../../src/domain/lifecycle/runs.ts";
import {
  RUN_STATES,
  STEP_KINDS,
  STEP_STATUSES,
  type StepKind,
  WORKER_TYPES,
  type WorkerType,
} from "../../src/domain/lifecycle/statuses.ts";
import {
  ENDING_STATUSES,
  kindHasStatus,
  STEP_TRANSITIONS,
} from "../../src/domain/lifecycle/transitions.ts";
import { PIPELINES_ON_ENTRY } from "../../src/domain/lifecycle/attached.ts";
import { REGISTRY_VERSION } from "../../src/domain/registry-version.ts";
import { STAGE_PIPELINES } from "../../src/domain/lifecycle/idle.ts";
import { ATTENTION_RULES } from "../../src/domain/status/attention.ts";
import { RESOLVER_RULES } from "../../src/domain/status/rules.ts";
import { TERMINAL_UNIFIED, UNIFIED_STATUSES } from "../../src/domain/status/unified.ts";

/** Generates docs/state-machine.md from the tables of the domain. */
export function generateStateMachine(): string {
  return `${[
    "# The state machine",
    `Version ${REGISTRY_VERSION} of the registry. This page is generated from the tables in \`src/domain\`. \`GET /v1/registry\` returns them as JSON.`,
    "## Stages",
    diagram("flowchart LR", [STEP_KINDS.join(" --> ")]),
    "A task passes through the stages in this order. Advance opens the next stage and requires a gate that is `passed` or `waived`. Rework opens a new attempt of the current stage or an earlier one.",
    "## Steps",
    "No transition leaves a status whose `to` is empty.",
    ...STEP_KINDS.map(stepSection),
    "## Gates",
    "The gate of a step follows from its status:",
    table(
      ["status", "gate"],
      STEP_STATUSES.map((status) => [code(status), code(GATE_ON_STATUS[status])]),
    ),
    "The possible changes of a gate:",
    transitions(GATE_TRANSITIONS),
    `A gate that is set to \`blocked\` by hand holds the step, unless it is ${codes(ENDING_STATUSES)}. While the step is held, its gate stays \`blocked\`, and the hold carries the gate that the step would have. Approval, advance, a waiver and \`errored\` by hand are refused as \`gate_closed\`. The hold ends when the gate is set to the one that it carries, and with ${codes(ENDING_STATUSES)}, rework or a new version.`,
    "## Unified status",
    "The first rule that matches determines the label. Labels sort in this order: " +
      `${codes(UNIFIED_STATUSES)}. Terminal: ${codes(TERMINAL_UNIFIED)}.`,
    resolverTable(),
    "## Attention",
    "In addition to its label, a task has every attention code whose rule matches its current step. A failed review " +
      "stands until a later one passes; it does not count while the gate is `waived`.",
    table(
      ["code", "kind", "status", "gate", "failed review stands", "idle"],
      ATTENTION_RULES.map((rule) => [
        code(rule.code),
        anyOf(rule.kinds),
        anyOf(rule.statuses),
        anyOf(rule.gates),
        rule.failureStands === null ? "any" : rule.failureStands ? "yes" : "no",
        rule.idle === null ? "any" : "yes",
      ]),
    ),
    "A step is idle if the sweep found that it is running in one of these stages and has had no open run for the run " +
      "deadline of the pipeline that works on it. Its next status and the next report of a run end that.",
    table(
      ["stage", "pipeline"],
      STAGE_PIPELINES.map(({ kind, pipeline }) => [code(kind), code(pipeline)]),
    ),
    "## Reviews",
    "A review can carry a change of its step's status that agrees with its outcome, or none:",
    table(
      ["outcome", "status"],
      Object.entries(REVIEW_MOVES).map(([outcome, statuses]) => [code(outcome), codes(statuses)]),
    ),
    "## Bulk changes",
    table(
      ["from \\ to", ...BULK_TARGETS],
      UNIFIED_STATUSES.map((label) => [
        label,
        ...BULK_TARGETS.map((target) =>
          BULK_ALLOWED_TARGETS[label].includes(target) ? "yes" : "",
        ),
      ]),
    ),
    table(
      ["target", "status of the current step", "pipelines (opt-in)"],
      BULK_TARGETS.map((target) => [
        target,
        code(BULK_STEP_STATUS[target]),
        codes(PIPELINES_ON_TARGET[target]),
      ]),
    ),
    "## Pipelines",
    "A single move that brings a step into one of these states requests the pipeline, unless the call opts out:",
    table(
      ["kind", "status", "pipeline"],
      PIPELINES_ON_ENTRY.map(({ kind, status, pipeline }) => [
        code(kind),
        code(status),
        code(pipeline),
      ]),
    ),
    "## Worker reports",
    "The status that a worker's report gives the current step, if the transition is allowed:",
    reportTable(),
    "## Worker runs and insights",
    stateDiagram(RUN_TRANSITIONS),
    "## Dispatches",
    stateDiagram(DISPATCH_TRANSITIONS),
    "## Bulk operations",
    stateDiagram(OPERATION_TRANSITIONS),
    "## Evaluations",
    stateDiagram(EVAL_TRANSITIONS),
    "## Trials",
    stateDiagram(TRIAL_TRANSITIONS),
  ].join("\n\n")}\n`;
}

type Transitions = Record<string, readonly string[]>;

function stepSection(kind: StepKind): string {
  const known = Object.fromEntries(
    STEP_STATUSES.filter((status) => kindHasStatus(kind, status)).map((status) => [
      status,
      STEP_TRANSITIONS[kind][status],
    ]),
  );
  return [`### ${kind}`, stateDiagram(known), transitions(known)].join("\n\n");
}

function stateDiagram(rows: Transitions): string {
  const arrows = Object.entries(rows).flatMap(([from, targets]) =>
    targets.map((to) => `${from} --> ${to}`),
  );
  return diagram("stateDiagram-v2", arrows);
}

function diagram(type: string, lines: readonly string[]): string {
  return ["```mermaid", type, ...lines.map((line) => `  ${line}`), "```"].join("\n");
}

function transitions(rows: Transitions): string {
  return table(
    ["from", "to"],
    Object.entries(rows).map(([from, targets]) => [code(from), codes(targets)]),
  );
}

function resolverTable(): string {
  return table(
    ["#", "kind", "status", "gate", "newest review", "running worker", "label"],
    RESOLVER_RULES.map((rule) => [
      String(rule.number),
      anyOf(rule.kinds),
      anyOf(rule.statuses),
      anyOf(rule.gates),
      rule.reviewStanding === null ? "any" : "failed",
      rule.runningWorker === null ? "any" : code(rule.runningWorker),
      `**${rule.label}**`,
    ]),
  );
}

function reportTable(): string {
  return table(["worker", "kind", ...RUN_STATES], WORKER_TYPES.map(reportRow));
}

function reportRow(type: WorkerType): string[] {
  const effect = REPORT_EFFECTS[type];
  if (effect === null) return [code(type), "none", ...RUN_STATES.map(() => "")];
  const cells = RUN_STATES.map((state) => {
    const status = effect.becomes[state];
    if (status === null) return "";
    if (typeof status === "string") return code(status);
    return `passed: ${code(status.passed)}, failed: ${code(status.failed)}`;
  });
  return [code(type), code(effect.stepKind), ...cells];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

function anyOf(names: readonly string[] | null): string {
  return names === null ? "any" : codes(names);
}

function codes(names: readonly string[]): string {
  return names.map(code).join(", ");
}

function code(name: string): string {
  return `\`${name}\``;
}

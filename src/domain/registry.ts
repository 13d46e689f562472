import { BULK_ACTIONS, REVERTIBLE_ACTIONS } from "./bulk/actions.ts";
import { RETRIED_STATUSES } from "./bulk/judge.ts";
import {
  BULK_ALLOWED_TARGETS,
  BULK_STEP_STATUS,
  BULK_TARGETS,
  PIPELINES_ON_TARGET,
} from "./bulk/matrix.ts";
import { EVAL_TRANSITIONS, TRIAL_TRANSITIONS } from "./evals/transitions.ts";
import { GATE_ON_STATUS, GATE_TRANSITIONS } from "./lifecycle/gates.ts";
import { DISPATCH_TRANSITIONS } from "./pipelines/states.ts";
import { OPERATION_TRANSITIONS } from "./bulk/states.ts";
import { REVIEW_MOVES } from "./lifecycle/review-moves.ts";
import { REPORT_EFFECTS, RUN_TRANSITIONS } from "./lifecycle/runs.ts";
import {
  GATE_STATES,
  STATUS_RELEVANT_WORKER_TYPES,
  STEP_KINDS,
  STEP_STATUSES,
  WORKER_TYPES,
} from "./lifecycle/statuses.ts";
import { PIPELINE_NAMES } from "./pipelines/pipelines.ts";
import { STEP_TRANSITIONS } from "./lifecycle/transitions.ts";
import { PIPELINES_ON_ENTRY } from "./lifecycle/attached.ts";
import { STAGE_PIPELINES } from "./lifecycle/idle.ts";
import { REGISTRY_VERSION } from "./registry-version.ts";
import { ATTENTION_RULES } from "./status/attention.ts";
import { RESOLVER_RULES } from "./status/rules.ts";
import { TERMINAL_UNIFIED, UNIFIED_STATUSES } from "./status/unified.ts";

/** Returns every table of the domain, as data. */
export function registry() {
  return {
    registryVersion: REGISTRY_VERSION,
    stepKinds: STEP_KINDS,
    stepStatuses: STEP_STATUSES,
    gateStates: GATE_STATES,
    stepTransitions: STEP_TRANSITIONS,
    gateTransitions: GATE_TRANSITIONS,
    gateOnStatus: GATE_ON_STATUS,
    unifiedStatuses: UNIFIED_STATUSES,
    resolver: RESOLVER_RULES,
    attention: ATTENTION_RULES,
    bulkTargets: BULK_TARGETS,
    bulkAllowedTargets: BULK_ALLOWED_TARGETS,
    bulkStepStatus: BULK_STEP_STATUS,
    bulkActions: BULK_ACTIONS,
    bulkRetriedStatuses: RETRIED_STATUSES,
    bulkRevertibleActions: REVERTIBLE_ACTIONS,
    terminalUnified: TERMINAL_UNIFIED,
    workerTypes: WORKER_TYPES,
    statusRelevantWorkerTypes: STATUS_RELEVANT_WORKER_TYPES,
    reportEffects: REPORT_EFFECTS,
    reviewMoves: REVIEW_MOVES,
    pipelines: PIPELINE_NAMES,
    pipelinesOnEntry: PIPELINES_ON_ENTRY,
    pipelinesOnTarget: PIPELINES_ON_TARGET,
    stagePipelines: STAGE_PIPELINES,
    runTransitions: RUN_TRANSITIONS,
    dispatchTransitions: DISPATCH_TRANSITIONS,
    operationTransitions: OPERATION_TRANSITIONS,
    evalTransitions: EVAL_TRANSITIONS,
    trialTransitions: TRIAL_TRANSITIONS,
  };
}

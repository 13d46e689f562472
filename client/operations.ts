// Made from the service's contracts by `npm run generate`. Do not edit.

export type Task = {
  id: Id;
  externalId: string | null;
  title: string;
  taxonomyCode: string | null;
  priority: number;
  assignee: string | null;
  unifiedStatus: UnifiedStatus;
  attention: readonly AttentionCode[];
  statusSince: Timestamp;
  currentStep: {
    id: Id;
    kind: StepKind;
    attempt: number;
    status: StepStatus;
    gate: GateState;
  };
  activeVersion: {
    id: Id;
    number: number;
  };
  /** Grows with every event; the `ETag`. */
  eventSeq: number;
  archivedAt: Timestamp | null;
  createdAt: Timestamp;
  updatedAt: Timestamp;
};

export type Id = string;

/** The one label that the outside world is told. */
export type UnifiedStatus = "DRAFT" | "CHECKING_QUALITY" | "QUALITY_CHECK_FAILED" | "READY_TO_SUBMIT" | "SUBMITTED" | "GENERATING_OUTPUT" | "OUTPUT_FAILED" | "IN_REVIEW" | "CHANGES_REQUESTED" | "PASSED" | "DELIVERED" | "REJECTED" | "DUPLICATE";

export type AttentionCode = "errored" | "blocked" | "revoked" | "cancelled" | "ready";

export type Timestamp = string;

export type StepKind = "ingestion" | "authoring" | "pre_qa" | "output_generation" | "expert_review" | "calibration" | "delivery";

export type StepStatus = "pending" | "queued" | "running" | "paused" | "awaiting_input" | "awaiting_review" | "in_review" | "changes_requested" | "approved" | "rejected" | "duplicate" | "failed" | "cancelled";

export type GateState = "locked" | "pending" | "evaluating" | "awaiting_review" | "blocked" | "passed" | "waived" | "failed" | "errored" | "revoked";

export type Problem = {
  type: string;
  title: string;
  status: number;
  detail: string;
  /** The request id. */
  instance: string;
  error: ErrorCode;
  /** `same`: send it again; `reload`: look again and decide anew; `never`. */
  retry: "same" | "reload" | "never";
  issues?: readonly Issue[] | undefined;
  /** The calls that would be lawful now. */
  next?: readonly LawfulCall[] | undefined;
  [member: string]: unknown;
};

export type ErrorCode = "validation_failed" | "malformed_json" | "json_too_deep" | "duplicate_key" | "too_many_items" | "invalid_cursor" | "invalid_plan_token" | "url_not_allowed" | "idempotency_key_required" | "unauthenticated" | "forbidden" | "csrf_rejected" | "not_found" | "method_not_allowed" | "invalid_transition" | "gate_closed" | "no_next_step" | "already_in_status" | "step_not_current" | "version_sealed" | "archived" | "plan_stale" | "plan_expired" | "not_revertible" | "stale" | "lease_lost" | "conflict" | "operation_in_progress" | "version_conflict" | "payload_too_large" | "unsupported_media_type" | "range_not_satisfiable" | "idempotency_key_reused" | "rate_limited" | "internal" | "unavailable";

export type Issue = {
  path: ReadonlyArray<string | number>;
  code: string;
  message: string;
};

export type LawfulCall = {
  method: "PATCH" | "POST";
  path: string;
  body: Record<string, unknown>;
  /** Members of the body that only the caller can fill in. */
  needs?: readonly string[] | undefined;
};

export type CreateTask = {
  title: string;
  externalId?: ExternalId | undefined;
  taxonomyCode?: string | undefined;
  /** Higher is more urgent. */
  priority?: number | undefined;
  assignee?: string | undefined;
  content?: TaskContent | undefined;
  /** Where the work already is, for tasks that come from elsewhere. Takes the role reviewer. */
  start?: {
    kind: StepKind;
    status?: "queued" | "awaiting_review" | "approved" | "rejected" | "duplicate" | undefined;
    reason: Reason;
  } | undefined;
};

/** The id that the task has where it comes from; unique in the tenant. */
export type ExternalId = string;

export type TaskContent = {
  brief?: string | undefined;
  instructions?: string | undefined;
  metadata?: Metadata | undefined;
};

/** A JSON object of your own; it comes back as it was sent. */
export type Metadata = Record<string, unknown>;

/** Why; it is stored on the event. */
export type Reason = string;

export type TaskPage = {
  data: readonly Task[];
  nextCursor: string | null;
  /** Only so many tasks were sorted; more match. */
  sortTruncated?: true | undefined;
};

/** A moment of the task's history: a time in UTC, or `seq:` and the number of an event. */
export type AsOf = string;

/** A task's id, or `ext:` and its external id. */
export type TaskRef = string;

export type TaskStatus = {
  taskId: Id;
  eventSeq: number;
  unifiedStatus: UnifiedStatus;
  attention: readonly AttentionCode[];
  statusSince: Timestamp;
  rule: ResolverRule;
  facts: LabelFacts;
  passedOver: ReadonlyArray<{
    rule: number;
    label: UnifiedStatus;
    unmet: ReadonlyArray<"kind" | "status" | "gate" | "reviewStanding" | "runningWorker">;
  }>;
};

/** The first rule whose conditions all hold names the label; null asks nothing. */
export type ResolverRule = {
  number: number;
  kinds: readonly StepKind[] | null;
  statuses: readonly StepStatus[] | null;
  gates: readonly GateState[] | null;
  reviewStanding: "failed" | null;
  runningWorker: WorkerType | null;
  label: UnifiedStatus;
};

export type WorkerType = "QUALITY_AUTOMATION" | "EXPERT_REVIEW" | "OUTPUT_GENERATION" | "POST_QA_SCORING" | "PAYMENT";

/** All that a label depends on, of the current step. */
export type LabelFacts = {
  kind: StepKind;
  status: StepStatus;
  gate: GateState;
  reviewFailed: boolean;
  runningWorkers: readonly WorkerType[];
};

export type Moved = {
  task: Task;
  step: Step;
  /** What the call wrote, in order. */
  events: readonly StepEvent[];
  /** The pipelines that the call asked for. */
  dispatched: ReadonlyArray<{
    id: Id;
    pipeline: PipelineName;
  }>;
};

/** The step that is current now. */
export type Step = {
  id: Id;
  taskId: Id;
  versionId: Id;
  kind: StepKind;
  attempt: number;
  status: StepStatus;
  gate: GateState;
  /** Whether the task stands at it. */
  current: boolean;
};

export type StepEvent = {
  stream: "task";
  taskId: Id;
  seq: number;
  actor: Actor;
  reason: string | null;
  /** What else this type of event tells. */
  payload?: unknown;
  operationId: Id;
  requestId: string;
  registryVersion: number;
  at: Timestamp;
  /** The text that the hash is over: `sha256(prevHash || canonical)`. */
  canonical: string;
  prevHash: Sha256;
  hash: Sha256;
  type: "task_created" | "step_transitioned" | "gate_changed" | "step_advanced" | "step_reworked" | "version_created" | "review_recorded" | "worker_run_changed" | "bulk_transitioned" | "bulk_reverted" | "task_updated" | "task_archived" | "task_restored" | "note_added";
  stepId: Id;
  versionId: Id;
  step: {
    id: Id;
    kind: StepKind;
    attempt: number;
  };
  versionNumber: number;
  from: StepStatus | null;
  to: StepStatus;
  fromGate: GateState | null;
  toGate: GateState;
  bulkOperationId: Id | null;
  duplicateOf: Id | null;
  runAttachedWorkflows: boolean;
};

/** Who it was, under the name and role of that moment. */
export type Actor = {
  id: string;
  name: string;
  kind: "person" | "key" | "service" | "system";
  role: "viewer" | "operator" | "reviewer" | "admin" | "service";
};

/** In hex. */
export type Sha256 = string;

export type PipelineName = "quality_automation" | "output_generation" | "post_qa_scoring" | "payment";

export type TransitionStep = {
  status: StepStatus;
  reason?: Reason | undefined;
  payload?: Metadata | undefined;
  duplicateOf?: TaskRef | undefined;
  /** Whether the attached pipelines run. On one task of a person absent means true; in bulk, and for the service role, it means false. */
  runAttachedWorkflows?: boolean | undefined;
};

export type AdvanceTask = {
  reason?: Reason | undefined;
  hold?: boolean | undefined;
  /** Whether the attached pipelines run. On one task of a person absent means true; in bulk, and for the service role, it means false. */
  runAttachedWorkflows?: boolean | undefined;
};

export type ReworkTask = {
  toKind: StepKind;
  reason: Reason;
  /** Whether the attached pipelines run. On one task of a person absent means true; in bulk, and for the service role, it means false. */
  runAttachedWorkflows?: boolean | undefined;
};

export type Reviewed = {
  review: {
    id: Id;
    stepId: Id;
    kind: "automated" | "expert";
    outcome: "passed" | "failed";
    /** Numbered per task; order is by it, never by clock. */
    sequence: number;
    notes: string | null;
  };
  task: Task;
  step: Step;
  /** What the call wrote, in order. */
  events: readonly StepEvent[];
  /** The pipelines that the call asked for. */
  dispatched: ReadonlyArray<{
    id: Id;
    pipeline: PipelineName;
  }>;
};

export type RecordReview = {
  kind: "automated" | "expert";
  outcome: "passed" | "failed";
  notes?: string | undefined;
  move?: {
    status: StepStatus;
    reason?: Reason | undefined;
    duplicateOf?: TaskRef | undefined;
    /** Whether the attached pipelines run. On one task of a person absent means true; in bulk, and for the service role, it means false. */
    runAttachedWorkflows?: boolean | undefined;
  } | undefined;
};

export type EvalEvent = {
  stream: "eval";
  taskId: Id;
  seq: number;
  actor: Actor;
  reason: string | null;
  /** What else this type of event tells. */
  payload?: unknown;
  operationId: Id;
  requestId: string;
  registryVersion: number;
  at: Timestamp;
  /** The text that the hash is over: `sha256(prevHash || canonical)`. */
  canonical: string;
  prevHash: Sha256;
  hash: Sha256;
  evalId: Id;
  trialId: Id | null;
  type: "eval_created" | "eval_transitioned" | "trials_recorded" | "trial_transitioned" | "trial_retracted";
  from: "draft" | "queued" | "running" | "completed" | "failed" | "cancelled" | null;
  to: "draft" | "queued" | "running" | "completed" | "failed" | "cancelled";
};

export type ImportedTasks = {
  counts: {
    requested: number;
    created: number;
    exists: number;
    invalid: number;
  };
  items: ReadonlyArray<{
    index: number;
    externalId: string | null;
    outcome: "created" | "exists" | "invalid";
    id?: Id | undefined;
    issues?: ReadonlyArray<{
      path: ReadonlyArray<string | number>;
      code: string;
      message: string;
    }> | undefined;
  }>;
};

export type ImportTasks = {
  tasks: readonly CreateTask[];
};

export type BulkPreview = {
  targetStatus?: BulkTarget | undefined;
  action?: BulkAction | undefined;
  changes?: BulkEdit | undefined;
  counts: {
    requested: number;
    eligible: number;
    refused: number;
  };
  bySource: {
    DRAFT?: {
      eligible: number;
      refused: number;
    } | undefined;
    CHECKING_QUALITY?: {
      eligible: number;
      refused: number;
    } | undefined;
    QUALITY_CHECK_FAILED?: {
      eligible: number;
      refused: number;
    } | undefined;
    READY_TO_SUBMIT?: {
      eligible: number;
      refused: number;
    } | undefined;
    SUBMITTED?: {
      eligible: number;
      refused: number;
    } | undefined;
    GENERATING_OUTPUT?: {
      eligible: number;
      refused: number;
    } | undefined;
    OUTPUT_FAILED?: {
      eligible: number;
      refused: number;
    } | undefined;
    IN_REVIEW?: {
      eligible: number;
      refused: number;
    } | undefined;
    CHANGES_REQUESTED?: {
      eligible: number;
      refused: number;
    } | undefined;
    PASSED?: {
      eligible: number;
      refused: number;
    } | undefined;
    DELIVERED?: {
      eligible: number;
      refused: number;
    } | undefined;
    REJECTED?: {
      eligible: number;
      refused: number;
    } | undefined;
    DUPLICATE?: {
      eligible: number;
      refused: number;
    } | undefined;
  };
  byCode: {
    not_found?: number | undefined;
    archived?: number | undefined;
    already_in_status?: number | undefined;
    illegal_target?: number | undefined;
    gate_closed?: number | undefined;
    self_duplicate?: number | undefined;
    invalid_transition?: number | undefined;
    no_next_step?: number | undefined;
    no_pipeline?: number | undefined;
    already_dispatched?: number | undefined;
  };
  /** What would run if `runAttachedWorkflows` were true. */
  pipelines: ReadonlyArray<{
    name: PipelineName;
    tasks: number;
    alreadyDispatched: number;
  }>;
  /** The tasks that the filter found: what execution takes. */
  taskIds?: readonly Id[] | undefined;
  /** The first 1000 decisions, and every refusal. */
  items: ReadonlyArray<{
    taskId: string;
    decision: "eligible" | "refused";
    code?: "not_found" | "archived" | "already_in_status" | "illegal_target" | "gate_closed" | "self_duplicate" | "invalid_transition" | "no_next_step" | "no_pipeline" | "already_dispatched" | undefined;
    from: UnifiedStatus | null;
    /** The label after; of a refused task the target, where there is one. */
    to: UnifiedStatus | null;
    allowed?: readonly BulkTarget[] | undefined;
    warnings?: ReadonlyArray<"worker_live" | "no_verdict" | "in_delivery"> | undefined;
  }>;
  /** Binds execution to this very plan. */
  planToken: string;
  expiresAt: Timestamp;
  primaryLabel: string;
};

export type BulkTarget = "SUBMITTED" | "IN_REVIEW" | "CHANGES_REQUESTED" | "PASSED" | "REJECTED" | "DUPLICATE";

export type BulkAction = "advance" | "retry" | "run_pipelines" | "edit";

export type BulkEdit = {
  assignee?: string | null | undefined;
  /** Higher is more urgent. */
  priority?: number | undefined;
};

export type PreviewBulk = {
  targetStatus?: BulkTarget | undefined;
  /** In place of `targetStatus`: `advance` through open gates, `retry` what failed or was cancelled, `run_pipelines` for steps that wait, or `edit`. */
  action?: BulkAction | undefined;
  /** With `edit`: what it sets. */
  changes?: BulkEdit | undefined;
  /** With `DUPLICATE`: the task that all of them duplicate. */
  duplicateOf?: TaskRef | undefined;
  /** Whether the pipelines that are attached to the change run. In bulk none runs unasked; `run_pipelines` takes a yes. */
  runAttachedWorkflows?: boolean | undefined;
  /** Doubled ones count once. */
  taskIds?: readonly string[] | undefined;
  filter?: TaskFilter | undefined;
  reason?: Reason | undefined;
  /** Not looked at here: the body of an execution may be previewed as it is. */
  planToken?: string | undefined;
  /** Not looked at here: the body of an execution may be previewed as it is. */
  onStale?: "abort" | "skip" | undefined;
};

export type TaskFilter = {
  /** Any of these. */
  unifiedStatus?: readonly UnifiedStatus[] | undefined;
  /** Any of these. */
  attention?: readonly AttentionCode[] | undefined;
  stepKind?: StepKind | undefined;
  stepStatus?: StepStatus | undefined;
  gate?: GateState | undefined;
  taxonomyCode?: string | undefined;
  assignee?: string | undefined;
  externalId?: ExternalId | undefined;
  /** A part of the title or the external id, three characters or more. */
  q?: string | undefined;
  /** A model that made a prompt, a datum, a trial or an insight of the task. */
  model?: string | undefined;
  /** A bulk operation that changed the task. */
  bulkOperationId?: Id | undefined;
  createdAfter?: Timestamp | undefined;
  createdBefore?: Timestamp | undefined;
  updatedAfter?: Timestamp | undefined;
  /** The status has been the same since before this moment. */
  statusBefore?: Timestamp | undefined;
  /** Higher is more urgent. */
  priority?: number | undefined;
  /** true: the archived tasks. Otherwise, those that are not. */
  archived?: boolean | undefined;
};

export type BulkExecution = {
  operationId: Id;
  state: "completed" | "partial" | "failed" | "cancelled";
  counts: {
    requested: number;
    changed: number;
    refused: number;
    stale: number;
    failed: number;
  };
  /** How many pipelines were asked for. */
  dispatched: number;
  /** Of a revert alone: tasks that are back where they were. */
  reverted?: number | undefined;
  /** Of a revert alone: tasks that moved since, and were left. */
  movedOn?: number | undefined;
  /** Of a revert alone: dispatches that were called back in time. */
  recalled?: number | undefined;
  /** Of a revert alone: dispatches that had left, or were leaving. */
  alreadyDelivered?: number | undefined;
  items: ReadonlyArray<{
    taskId: string;
    outcome: "pending" | "changed" | "refused" | "stale" | "failed";
    /** Why, unless it was changed. */
    code?: string | undefined;
    from: UnifiedStatus | null;
    /** The label after; of a refused task the target, where there is one. */
    to: UnifiedStatus | null;
    eventSeq?: number | undefined;
    allowed?: readonly BulkTarget[] | undefined;
  }>;
};

export type BulkAccepted = {
  operationId: Id;
  state: "queued";
};

export type ExecuteBulk = {
  targetStatus?: BulkTarget | undefined;
  /** In place of `targetStatus`: `advance` through open gates, `retry` what failed or was cancelled, `run_pipelines` for steps that wait, or `edit`. */
  action?: BulkAction | undefined;
  /** With `edit`: what it sets. */
  changes?: BulkEdit | undefined;
  /** With `DUPLICATE`: the task that all of them duplicate. */
  duplicateOf?: TaskRef | undefined;
  /** Whether the pipelines that are attached to the change run. In bulk none runs unasked; `run_pipelines` takes a yes. */
  runAttachedWorkflows?: boolean | undefined;
  /** Doubled ones count once. */
  taskIds: readonly string[];
  reason: Reason;
  planToken?: string | undefined;
  onStale?: "abort" | "skip" | undefined;
};

export type LookedUpTasks = {
  found: ReadonlyArray<{
    input: string;
    id: Id;
    externalId: string | null;
    title: string;
    unifiedStatus: UnifiedStatus;
  }>;
  unresolved: readonly string[];
};

export type LookUpTasks = {
  ids: readonly string[];
};

export type TaskCounts = {
  total: number;
  byUnifiedStatus: {
    DRAFT?: number | undefined;
    CHECKING_QUALITY?: number | undefined;
    QUALITY_CHECK_FAILED?: number | undefined;
    READY_TO_SUBMIT?: number | undefined;
    SUBMITTED?: number | undefined;
    GENERATING_OUTPUT?: number | undefined;
    OUTPUT_FAILED?: number | undefined;
    IN_REVIEW?: number | undefined;
    CHANGES_REQUESTED?: number | undefined;
    PASSED?: number | undefined;
    DELIVERED?: number | undefined;
    REJECTED?: number | undefined;
    DUPLICATE?: number | undefined;
  };
  byAttention: {
    errored?: number | undefined;
    blocked?: number | undefined;
    revoked?: number | undefined;
    cancelled?: number | undefined;
    ready?: number | undefined;
  };
};

export type TaskIds = {
  ids: readonly Id[];
  /** Whether more tasks match than the 50000 oldest. */
  truncated: boolean;
};

export type VersionSummary = {
  id: Id;
  taskId: Id;
  number: number;
  /** SHA-256 of the content, in hex. */
  contentHash: string;
  /** Where the version stands, or stood when sealed. */
  currentStepId: Id;
  reason: string | null;
  createdBy: string;
  createdAt: Timestamp;
  /** null for the active version. */
  sealedAt: Timestamp | null;
};

export type Version = {
  id: Id;
  taskId: Id;
  number: number;
  /** SHA-256 of the content, in hex. */
  contentHash: string;
  /** Where the version stands, or stood when sealed. */
  currentStepId: Id;
  reason: string | null;
  createdBy: string;
  createdAt: Timestamp;
  /** null for the active version. */
  sealedAt: Timestamp | null;
  content: TaskContent;
};

export type VersionDiff = {
  taskId: Id;
  from: {
    id: Id;
    number: number;
    contentHash: string;
  };
  to: {
    id: Id;
    number: number;
    contentHash: string;
  };
  content: readonly ContentChange[];
  steps: {
    added: ReadonlyArray<{
      id: Id;
      kind: StepKind;
      attempt: number;
      status: StepStatus;
      gate: GateState;
    }>;
    removed: ReadonlyArray<{
      id: Id;
      kind: StepKind;
      attempt: number;
      status: StepStatus;
      gate: GateState;
    }>;
    /** How many both have. */
    same: number;
    changed: ReadonlyArray<{
      from: {
        id: Id;
        kind: StepKind;
        attempt: number;
        status: StepStatus;
        gate: GateState;
      };
      to: {
        id: Id;
        kind: StepKind;
        attempt: number;
        status: StepStatus;
        gate: GateState;
      };
    }>;
  };
  prompts: {
    added: ReadonlyArray<{
      id: Id;
      stepId: Id;
      model: string | null;
      modelRevision: string | null;
      agent: string | null;
      provider: string | null;
      role: string;
      contentHash: string;
    }>;
    removed: ReadonlyArray<{
      id: Id;
      stepId: Id;
      model: string | null;
      modelRevision: string | null;
      agent: string | null;
      provider: string | null;
      role: string;
      contentHash: string;
    }>;
    /** How many both have. */
    same: number;
  };
  data: {
    added: ReadonlyArray<{
      id: Id;
      stepId: Id;
      model: string | null;
      modelRevision: string | null;
      agent: string | null;
      provider: string | null;
      kind: string;
      sha256: string;
    }>;
    removed: ReadonlyArray<{
      id: Id;
      stepId: Id;
      model: string | null;
      modelRevision: string | null;
      agent: string | null;
      provider: string | null;
      kind: string;
      sha256: string;
    }>;
    /** How many both have. */
    same: number;
  };
  /** Whether a version has more prompts or data than were compared. */
  truncated: boolean;
};

/** Applied in order they make the one content of the other. `edited`: a brief or instructions, line by line; where they share too little they are `changed` as a whole. */
export type ContentChange = {
  op: "added";
  /** Keys and places in lists, from the outermost inwards. */
  path: ReadonlyArray<string | number>;
  /** Any JSON value. */
  to?: unknown;
} | {
  op: "removed";
  /** Keys and places in lists, from the outermost inwards. */
  path: ReadonlyArray<string | number>;
  /** Any JSON value. */
  from?: unknown;
} | {
  op: "changed";
  /** Keys and places in lists, from the outermost inwards. */
  path: ReadonlyArray<string | number>;
  /** Any JSON value. */
  from?: unknown;
  /** Any JSON value. */
  to?: unknown;
} | {
  op: "edited";
  /** Keys and places in lists, from the outermost inwards. */
  path: ReadonlyArray<string | number>;
  hunks: ReadonlyArray<{
    fromLine: number;
    toLine: number;
    lines: ReadonlyArray<{
      op: " " | "-" | "+";
      text: string;
    }>;
  }>;
};

export type HistoryVerdict = {
  valid: boolean;
  /** How many there are. */
  events: number;
  /** The hash on the task or the eval itself, in hex. */
  head: string;
  /** The first event that is `missing`, does not follow the one before (`broken_link`), was `changed`, or is not the head (`head_differs`). */
  firstBroken: {
    seq: number;
    reason: "missing" | "broken_link" | "changed" | "head_differs";
  } | null;
};

export type Feed = {
  data: ReadonlyArray<StepEvent | EvalEvent>;
  nextCursor: string;
  /** Whether nothing more has been committed. A page may be short without it. */
  caughtUp: boolean;
};

export type TrialStatus = "pending" | "running" | "passed" | "failed" | "errored";

export type CreateVersion = {
  content: TaskContent;
  reason: Reason;
  firstKind?: FirstKind | undefined;
  /** Whether the attached pipelines run. On one task of a person absent means true; in bulk, and for the service role, it means false. */
  runAttachedWorkflows?: boolean | undefined;
};

export type FirstKind = "ingestion" | "authoring" | "pre_qa";

export type EditTask = {
  title?: string | undefined;
  externalId?: ExternalId | null | undefined;
  taxonomyCode?: string | null | undefined;
  /** Higher is more urgent. */
  priority?: number | undefined;
  assignee?: string | null | undefined;
};

export type ArchiveTask = {
  reason?: Reason | undefined;
};

export type RestoreTask = {
  reason?: Reason | undefined;
};

export type AddNote = {
  /** The note. */
  text: Reason;
};

export type ChangeGate = {
  gate: GateState;
  reason?: Reason | undefined;
};

export type DispatchPipeline = {
  pipeline: PipelineName;
  reason: Reason;
};

export type MovedTasks = {
  counts: {
    requested: number;
    changed: number;
    refused: number;
    stale: number;
  };
  items: ReadonlyArray<{
    index: number;
    outcome: "changed" | "refused" | "stale";
    error?: string | undefined;
    allowed?: readonly string[] | undefined;
    eventSeq?: number | undefined;
  }>;
};

export type MoveTasks = {
  moves: readonly Move[];
  /** Whether the attached pipelines run. On one task of a person absent means true; in bulk, and for the service role, it means false. */
  runAttachedWorkflows?: boolean | undefined;
};

export type Move = {
  task: TaskRef;
  status?: StepStatus | undefined;
  advance?: true | undefined;
  /** The kind to go back to. */
  rework?: StepKind | undefined;
  reason?: Reason | undefined;
  /** Only from this `eventSeq` on. */
  ifSeq?: number | undefined;
};

export type BulkOperation = {
  id: Id;
  targetStatus: BulkTarget | null;
  /** What was done in place of a target; `revert` takes another operation back. */
  action: "advance" | "retry" | "run_pipelines" | "edit" | "revert" | null;
  changes: BulkEdit | null;
  reason: string;
  duplicateOf: Id | null;
  runAttachedWorkflows: boolean;
  actor: {
    id: string;
    name: string;
  };
  state: "queued" | "running" | "completed" | "partial" | "failed" | "cancelled";
  counts: {
    requested: number;
    changed: number;
    refused: number;
    stale: number;
    failed: number;
  };
  dispatched: number;
  /** Of a revert: dispatches called back in time. */
  recalled: number;
  /** Of a revert: dispatches that had left. */
  alreadyDelivered: number;
  progress: {
    done: number;
    pending: number;
    at: Timestamp;
  };
  cancelRequestedAt: Timestamp | null;
  /** The operation that this one retries or takes back. */
  parentId: Id | null;
  revertedBy: Id | null;
  revertible: boolean;
  createdAt: Timestamp;
  finishedAt: Timestamp | null;
};

export type BulkOperationItem = {
  position: number;
  taskId: string;
  outcome: "pending" | "changed" | "refused" | "stale" | "failed";
  /** Why, unless it was changed. */
  code?: string | undefined;
  from: UnifiedStatus | null;
  /** The label after; of a refused task the target, where there is one. */
  to: UnifiedStatus | null;
  eventSeq?: number | undefined;
  allowed?: readonly BulkTarget[] | undefined;
  error: string | null;
};

export type RetryFailedBulkItems = {
  /** The first operation's where absent. */
  reason?: Reason | undefined;
};

export type RevertBulkOperation = {
  reason: Reason;
};

export type AnalyticsEvent = {
  id: Id;
  name: AnalyticsEventName;
  bulkOperationId: Id | null;
  /** Counts and what they are of. */
  properties: Record<string, string | number | boolean>;
  /** When what the event tells of was taken back. */
  revertedAt: Timestamp | null;
  at: Timestamp;
};

export type AnalyticsEventName = "admin_bulk_status_terminal";

export type OutcomeStatistics = {
  /** The window that the figures are of. */
  from: Timestamp;
  to: Timestamp;
  /** Whether `from` is later than what was asked for, since only the newest 300000 tasks are looked at. */
  truncated: boolean;
  tasks: number;
  outcomes: Outcomes;
  stages: ReadonlyArray<{
    kind: StepKind;
    /** Tasks that ever came as far as this stage, or farther. */
    reached: number;
    outcomes: Outcomes;
  }>;
};

/** Tasks by the terminal label that they have now. */
export type Outcomes = {
  /** Those whose label is none of the others. */
  open: number;
  PASSED: number;
  DELIVERED: number;
  REJECTED: number;
  DUPLICATE: number;
};

export type ThroughputStatistics = {
  bucket: "hour" | "day" | "week";
  /** The window that the figures are of. */
  from: Timestamp;
  to: Timestamp;
  /** Whether `from` is later than what was asked for, since only the newest 500000 events are looked at. */
  truncated: boolean;
  buckets: ReadonlyArray<{
    start: Timestamp;
    created: number;
    /** By the stage that tasks left for the next one; those that were delivered complete the last. */
    completed: {
      ingestion?: number | undefined;
      authoring?: number | undefined;
      pre_qa?: number | undefined;
      output_generation?: number | undefined;
      expert_review?: number | undefined;
      calibration?: number | undefined;
      delivery?: number | undefined;
    };
    /** Steps that were approved, by their stage. */
    approved: {
      ingestion?: number | undefined;
      authoring?: number | undefined;
      pre_qa?: number | undefined;
      output_generation?: number | undefined;
      expert_review?: number | undefined;
      calibration?: number | undefined;
      delivery?: number | undefined;
    };
    delivered: number;
    rejected: number;
    duplicate: number;
    /** Sent back to the same or an earlier stage. */
    reworked: number;
    /** Versions after the first. */
    revised: number;
  }>;
};

export type StageTimeStatistics = {
  /** The window that the figures are of. */
  from: Timestamp;
  to: Timestamp;
  /** Whether there are more than the 200000 that were looked at. */
  truncated: boolean;
  stages: ReadonlyArray<{
    kind: StepKind;
    stays: number;
    /** Mean and percentiles, between two stays in proportion; null without any. */
    seconds: {
      mean: number;
      p50: number;
      p90: number;
      p99: number;
    } | null;
    /** Tasks that stand at this stage now and are not at the end of their way, whatever the window; archived ones do not count. */
    waiting: number;
  }>;
};

export type FailureStatistics = {
  /** The window that the figures are of. */
  from: Timestamp;
  to: Timestamp;
  stages: ReadonlyArray<{
    kind: StepKind;
    /** Gates that became `failed`. */
    failed: number;
    /** Gates that became `errored`. */
    errored: number;
    /** Gates that were open and became `revoked`. */
    revoked: number;
    /** Verdicts by people and by checks. */
    failedReviews: number;
    /** Tasks that were sent back from here. */
    reworked: number;
    /** What the runs said that brought a gate to `errored`: the 5 that came most often among the newest 20000 of all stages. null where no run did, or it said nothing. */
    errors: ReadonlyArray<{
      error: string | null;
      count: number;
    }>;
  }>;
};

export type Review = {
  id: Id;
  stepId: Id;
  kind: "automated" | "expert";
  outcome: "passed" | "failed";
  /** Numbered per task; order is by it, never by clock. */
  sequence: number;
  notes: string | null;
  versionId: Id;
  reviewer: {
    id: string;
    name: string;
  };
  createdAt: Timestamp;
};

export type WorkerRun = {
  id: Id;
  taskId: Id;
  versionId: Id;
  stepId: Id;
  type: WorkerType;
  state: RunState;
  /** How often it was handed out to a worker. */
  attempt: number;
  /** Whether it waits for workers that poll. */
  offered: boolean;
  /** Until when it is the claimant's alone; null from its first report on. */
  leaseUntil: Timestamp | null;
  externalRef: string | null;
  deadlineAt: Timestamp;
  result?: unknown;
  error: string | null;
  /** What was reported after the end; nothing follows from it. */
  lateReport: {
    result?: unknown;
    error: string | null;
    at: Timestamp;
  } | null;
  createdAt: Timestamp;
  updatedAt: Timestamp;
};

export type RunState = "QUEUED" | "RUNNING" | "SUCCEEDED" | "FAILED" | "CANCELLED";

export type StartRun = {
  type: WorkerType;
  externalRef?: string | undefined;
};

export type ClaimedRuns = {
  data: readonly Work[];
};

export type Work = {
  run: WorkerRun;
  task: Task;
  version: {
    id: Id;
    number: number;
    contentHash: string;
  };
  step: Step;
};

export type ClaimRuns = {
  types: readonly WorkerType[];
  max?: number | undefined;
  /** How long the worker needs until its first report. */
  leaseSeconds?: number | undefined;
};

export type Reported = {
  run: {
    id: Id;
    taskId: Id;
    stepId: Id;
    type: WorkerType;
    state: RunState;
  };
  task: Task;
  step: Step;
  /** What the call wrote, in order. */
  events: readonly StepEvent[];
  /** The pipelines that the call asked for. */
  dispatched: ReadonlyArray<{
    id: Id;
    pipeline: PipelineName;
  }>;
};

export type ReportRun = {
  state: RunState;
  /** The attempt that the worker was given: another one is refused. */
  attempt?: number | undefined;
  verdict?: "passed" | "failed" | undefined;
  /** Any JSON value. */
  result?: unknown;
  error?: string | undefined;
};

export type Pipeline = {
  name: PipelineName;
  /** Where it is called; null where its runs wait for workers that poll. */
  endpoint: string | null;
  /** Until then the secret before the present one signs along; null where none does. */
  previousSecretUntil: Timestamp | null;
  timeoutSeconds: number;
  /** How long a run may go without a report before it is closed as failed. */
  runDeadlineSeconds: number;
  workerType: WorkerType;
  /** Null where nobody gave it settings. */
  updatedAt: Timestamp | null;
};

export type PipelineWithSecret = {
  name: PipelineName;
  /** Where it is called; null where its runs wait for workers that poll. */
  endpoint: string | null;
  /** Until then the secret before the present one signs along; null where none does. */
  previousSecretUntil: Timestamp | null;
  timeoutSeconds: number;
  /** How long a run may go without a report before it is closed as failed. */
  runDeadlineSeconds: number;
  updatedAt: Timestamp;
  /** What verifies its messages, for a Standard Webhooks library. Nothing shows it again; null where none was made. */
  secret: string | null;
};

export type PutPipeline = {
  /** https, and a public host; null for workers that poll. */
  endpoint: string | null;
  /** `whsec_` and 24 to 64 bytes in Base64. */
  secret?: string | undefined;
  timeoutSeconds?: number | undefined;
  runDeadlineSeconds?: number | undefined;
};

export type Dispatch = {
  id: Id;
  pipeline: PipelineName;
  taskId: Id;
  versionId: Id;
  stepId: Id;
  state: DispatchState;
  /** Somebody asked for it alone, not with a move. */
  byHand: boolean;
  bulkOperationId: Id | null;
  /** How often its endpoint was called. */
  attempts: number;
  /** Its endpoint is not called again before; null where nothing is waited for. */
  nextAttemptAt: Timestamp | null;
  lastError: string | null;
  /** The worker run that it made. */
  runId: Id | null;
  createdAt: Timestamp;
  updatedAt: Timestamp;
};

export type DispatchState = "pending" | "sent" | "delivered" | "recalled" | "dead";

export type DispatchWithLog = {
  id: Id;
  pipeline: PipelineName;
  taskId: Id;
  versionId: Id;
  stepId: Id;
  state: DispatchState;
  /** Somebody asked for it alone, not with a move. */
  byHand: boolean;
  bulkOperationId: Id | null;
  /** How often its endpoint was called. */
  attempts: number;
  /** Its endpoint is not called again before; null where nothing is waited for. */
  nextAttemptAt: Timestamp | null;
  lastError: string | null;
  /** The worker run that it made. */
  runId: Id | null;
  createdAt: Timestamp;
  updatedAt: Timestamp;
  log: readonly DispatchLogRow[];
};

export type DispatchLogRow = {
  from: DispatchState | null;
  to: DispatchState;
  actor: {
    id: string;
    name: string;
  };
  reason: string | null;
  at: Timestamp;
};

export type ChangeDispatch = {
  reason: Reason;
};

export type Prompt = {
  id: Id;
  taskId: Id;
  versionId: Id;
  stepId: Id;
  role: string;
  content: string;
  /** SHA-256 of the content in UTF-8, in hex. */
  contentHash: string;
  model: string | null;
  modelRevision: string | null;
  agent: string | null;
  provider: string | null;
  evalId: Id | null;
  trialId: Id | null;
  createdAt: Timestamp;
};

export type RecordPrompt = {
  /** Who speaks: `system`, `user`, `assistant`, `tool`, or a word of your own. */
  role: string;
  content: string;
  stepId?: Id | undefined;
  model?: string | undefined;
  modelRevision?: string | undefined;
  agent?: string | undefined;
  provider?: string | undefined;
  evalId?: Id | undefined;
  trialId?: Id | undefined;
};

export type Data = {
  id: Id;
  taskId: Id;
  versionId: Id;
  stepId: Id;
  kind: DataKind;
  contentType: string;
  sizeBytes: number;
  sha256: string;
  /** Where the blob lies, if not here. */
  uri: string | null;
  storedAt: Timestamp | null;
  /** Whether length and hash were compared with the blob itself. */
  verified: boolean;
  model: string | null;
  modelRevision: string | null;
  agent: string | null;
  provider: string | null;
  promptId: Id | null;
  insightId: Id | null;
  /** The data that this was made from. */
  inputs: readonly Id[];
  createdAt: Timestamp;
};

export type DataKind = "golden" | "source" | "calibrated" | "generated" | "delivery";

export type DeclareData = {
  kind: DataKind;
  contentType: string;
  /** At most 104857600 for what is stored here. */
  sizeBytes: number;
  /** In hex. */
  sha256: string;
  uri?: string | undefined;
  stepId?: Id | undefined;
  model?: string | undefined;
  modelRevision?: string | undefined;
  agent?: string | undefined;
  provider?: string | undefined;
  promptId?: Id | undefined;
  insightId?: Id | undefined;
  inputs?: readonly Id[] | undefined;
};

export type Eval = {
  id: Id;
  taskId: Id;
  versionId: Id;
  versionNumber: number;
  name: string;
  k: number;
  status: EvalStatus;
  /** Grows with every event of the eval. */
  eventSeq: number;
  createdAt: Timestamp;
  updatedAt: Timestamp;
};

export type EvalStatus = "draft" | "queued" | "running" | "completed" | "failed" | "cancelled";

export type CreateEval = {
  name: string;
  /** How many trials each model has. */
  k: number;
  versionNumber?: number | undefined;
};

export type TransitionEval = {
  status: EvalStatus;
  reason?: Reason | undefined;
};

export type RecordedEvaluation = {
  counts: {
    requested: number;
    recorded: number;
    exists: number;
    conflict: number;
    not_found: number;
  };
  items: ReadonlyArray<{
    index: number;
    outcome: "recorded" | "exists" | "conflict" | "not_found";
    evalId?: Id | undefined;
    /** The trial that was recorded, or that holds the slot. */
    trialId?: Id | undefined;
    /** Why it is a conflict. */
    detail?: string | undefined;
  }>;
};

export type RecordEvaluation = {
  name: string;
  /** How many trials each model has. */
  k: number;
  results: ReadonlyArray<{
    task: TaskRef;
    model: string;
    modelRevision?: string | undefined;
    agent?: string | undefined;
    provider?: string | undefined;
    /** Which of the model's trials it is. */
    k: number;
    /** In place of the status: `passed` or `failed`. */
    passed?: boolean | undefined;
    /** An errored trial is not scored. */
    score?: number | undefined;
    /** Why no verdict was reached; of an errored trial alone. */
    error?: string | undefined;
    /** What the model put out: data of the task. */
    outputDataId?: Id | undefined;
    /** What it took, as the caller counts: tokens, cost, latency. */
    usage?: Metadata | undefined;
  }>;
  /** Says that all trials are in: a running eval that has one of these results, recorded now or before, is completed by an event after theirs. Trials are taken afterwards too. false where it is not given. */
  complete?: boolean | undefined;
};

export type EvalSummary = {
  evalId: Id;
  /** How many trials each model was to have. */
  k: number;
  /** How often tasks were drawn anew for a bootstrap: 2000 times, less often where tasks and figures are many, and 0 times where that would take too long: intervals are the normal distribution's then. */
  resamples: number;
  /** By name. */
  models: readonly ModelSummary[];
  /** Whether there are more models than the 100 that are shown. */
  modelsTruncated: boolean;
};

export type ModelSummary = {
  model: string;
  /** The revisions that the trials name. */
  modelRevisions: readonly string[];
  /** Trials that were scored: passed or failed. */
  n: number;
  /** Trials that passed. */
  c: number;
  /** Trials without a verdict; they are not scored. */
  errored: number;
  /** pass@k by the unbiased estimator 1 - C(n-c, k) / C(n, k), the mean over tasks; null where fewer than k trials were scored. */
  passAt: Record<string, number | null>;
  /** How many tasks stand behind each figure: those with k scored trials. */
  tasks: Record<string, number>;
  /** 95 %, where there is a figure. */
  interval: Record<string, readonly [number, number]>;
  /** `wilson` over tasks that each either passed or failed, or over the trials of tasks that all came out alike, as a lone one does; otherwise `bootstrap` over tasks, with a fixed seed, or `normal` where `resamples` is 0. */
  method: Record<string, "wilson" | "bootstrap" | "normal">;
};

export type ScopeSummary = {
  name: string | null;
  /** How many trials each model was to have. */
  k: number;
  /** How often tasks were drawn anew for a bootstrap: 2000 times, less often where tasks and figures are many, and 0 times where that would take too long: intervals are the normal distribution's then. */
  resamples: number;
  /** By name. */
  models: readonly ModelSummary[];
  /** Whether there are more models than the 100 that are shown. */
  modelsTruncated: boolean;
  coverage: {
    /** Tasks that the filter found. */
    tasksMatched: number;
    /** Those with such an evaluation. */
    tasksWithEval: number;
    /** Those with a trial that was scored. */
    tasksScored: number;
    evals: number;
  };
  /** Whether more tasks match than the 50000 that were looked at. */
  tasksTruncated: boolean;
  /** null unless two models were named. */
  comparison: {
    models: readonly [string, string];
    /** The mean over tasks of pass@k of the first less that of the second, at the tasks where both have k scored trials. */
    difference: Record<string, number | null>;
    /** How many tasks stand behind each figure: those with k scored trials. */
    tasks: Record<string, number>;
    /** 95 %, by a bootstrap over tasks, or by the normal distribution where `resamples` is 0; absent where all tasks differ by the same, so that none can be told. */
    interval: Record<string, readonly [number, number]>;
  } | null;
};

export type Lineage = {
  nodes: readonly LineageNode[];
  edges: readonly LineageEdge[];
  /** Inputs further than 20 away are cut off, and what goes beyond 1000 artifacts, prompts, trials, insights or verdicts, and 10000 steps or versions. */
  truncated: {
    depth: boolean;
    size: boolean;
  };
};

export type LineageNode = {
  type: "artifact";
  key: string;
  id: Id;
  taskId: Id;
  createdAt: Timestamp;
  kind: string;
  contentType: string;
  sizeBytes: number;
  sha256: string;
  uri: string | null;
  storedAt: Timestamp | null;
} | {
  type: "prompt";
  key: string;
  id: Id;
  taskId: Id;
  createdAt: Timestamp;
  role: string;
  contentHash: string;
} | {
  type: "step";
  key: string;
  id: Id;
  taskId: Id;
  kind: StepKind;
  attempt: number;
  status: StepStatus;
  gate: GateState;
  /** What its gate was judged, by whom, in which event; oldest first. */
  verdicts: ReadonlyArray<{
    gate: "passed" | "waived" | "failed" | "errored" | "revoked";
    from: GateState | null;
    status: StepStatus;
    seq: number;
    type: "task_created" | "step_transitioned" | "gate_changed" | "step_advanced" | "step_reworked" | "version_created" | "review_recorded" | "worker_run_changed" | "bulk_transitioned" | "bulk_reverted" | "task_updated" | "task_archived" | "task_restored" | "note_added";
    actor: Actor;
    reason: string | null;
    at: Timestamp;
  }>;
} | {
  type: "version";
  key: string;
  id: Id;
  taskId: Id;
  createdAt: Timestamp;
  number: number;
  contentHash: string;
  reason: string | null;
  createdBy: string;
  sealedAt: Timestamp | null;
} | {
  type: "model";
  key: string;
  model: string | null;
  modelRevision: string | null;
  agent: string | null;
  provider: string | null;
} | {
  type: "trial";
  key: string;
  id: Id;
  taskId: Id;
  createdAt: Timestamp;
  eval: {
    id: Id;
    name: string;
  };
  k: number;
  status: "pending" | "running" | "passed" | "failed" | "errored";
  retracted: boolean;
} | {
  type: "insight";
  key: string;
  id: Id;
  taskId: Id;
  createdAt: Timestamp;
  kind: string;
  /** null where it has changed since: an insight keeps no history. */
  status: "QUEUED" | "RUNNING" | "SUCCEEDED" | "FAILED" | "CANCELLED" | null;
};

/** Reads as a sentence: `from` is `made_by`, `at_step`, `of_version`, `scored_by` … `to`; an artifact is `input_of` what was made from it. Both name a node by its key. */
export type LineageEdge = {
  type: "made_by" | "from_prompt" | "from_insight" | "input_of" | "at_step" | "of_version" | "of_trial" | "scored_by" | "advanced_from" | "reworked_from" | "follows";
  from: string;
  to: string;
};

export type TaskLineage = {
  taskId: Id;
  nodes: readonly LineageNode[];
  edges: readonly LineageEdge[];
  /** Inputs further than 20 away are cut off, and what goes beyond 1000 artifacts, prompts, trials, insights or verdicts, and 10000 steps or versions. */
  truncated: {
    depth: boolean;
    size: boolean;
  };
};

export type Trial = {
  id: Id;
  evalId: Id;
  taskId: Id;
  k: number;
  model: string;
  modelRevision: string | null;
  agent: string | null;
  provider: string | null;
  status: TrialStatus;
  /** Derived from the status; null where there is no verdict. */
  passed: boolean | null;
  score: number | null;
  error: string | null;
  outputDataId: Id | null;
  /** The newest event of the eval that tells of it. */
  eventSeq: number;
  retractedAt: Timestamp | null;
  retractedBy: string | null;
  retractReason: string | null;
  createdAt: Timestamp;
};

export type Trials = {
  trials: readonly Trial[];
};

export type NewTrial = {
  /** Which of the model's trials it is: 1 to the eval's k. */
  k: number;
  model: string;
  modelRevision?: string | undefined;
  agent?: string | undefined;
  provider?: string | undefined;
  /** `pending` where neither it nor `passed` nor `error` is given. */
  status?: TrialStatus | undefined;
  /** In place of the status: `passed` or `failed`. */
  passed?: boolean | undefined;
  /** An errored trial is not scored. */
  score?: number | undefined;
  /** Why no verdict was reached; of an errored trial alone. */
  error?: string | undefined;
  /** What the model put out: data of the task. */
  outputDataId?: Id | undefined;
};

export type NewTrials = {
  trials: readonly NewTrial[];
};

export type TransitionTrial = {
  status?: TrialStatus | undefined;
  /** In place of the status: `passed` or `failed`. */
  passed?: boolean | undefined;
  /** An errored trial is not scored. */
  score?: number | undefined;
  /** Why no verdict was reached; of an errored trial alone. */
  error?: string | undefined;
  /** What the model put out: data of the task. */
  outputDataId?: Id | undefined;
};

export type RetractTrial = {
  reason: Reason;
};

export type Insight = {
  id: Id;
  taskId: Id;
  evalId: Id | null;
  trialId: Id | null;
  kind: string;
  model: string;
  modelRevision: string | null;
  agent: string | null;
  provider: string | null;
  status: RunState;
  /** Any JSON value. */
  input?: unknown;
  /** Any JSON value. */
  output?: unknown;
  usage: Record<string, unknown> | null;
  createdAt: Timestamp;
  updatedAt: Timestamp;
};

export type CreateInsight = {
  taskId: TaskRef;
  kind: string;
  model: string;
  modelRevision?: string | undefined;
  agent?: string | undefined;
  provider?: string | undefined;
  evalId?: Id | undefined;
  trialId?: Id | undefined;
  /** Any JSON value. */
  input?: unknown;
  /** Any JSON value. */
  output?: unknown;
  /** What it took, as the caller counts: tokens, cost, latency. */
  usage?: Metadata | undefined;
};

export type ReportInsight = {
  status?: RunState | undefined;
  /** Any JSON value. */
  output?: unknown;
  /** What it took, as the caller counts: tokens, cost, latency. */
  usage?: Metadata | undefined;
};

export type WebhookWithSecret = {
  name: WebhookName;
  url: string;
  events: readonly WebhookEvent[];
  enabled: boolean;
  /** Until then the secret before the present one signs along; null where none does. */
  previousSecretUntil: Timestamp | null;
  createdAt: Timestamp;
  updatedAt: Timestamp;
  /** What verifies its messages, for a Standard Webhooks library. Nothing shows it again; null where none was made. */
  secret: string | null;
};

export type WebhookName = string;

export type WebhookEvent = "task.label_changed" | "task.attention" | "bulk.finished" | "dispatch.dead";

export type PutWebhook = {
  /** https, and a public host. */
  url: string;
  events: readonly WebhookEvent[];
  enabled?: boolean | undefined;
};

export type Webhook = {
  name: WebhookName;
  url: string;
  events: readonly WebhookEvent[];
  enabled: boolean;
  /** Until then the secret before the present one signs along; null where none does. */
  previousSecretUntil: Timestamp | null;
  createdAt: Timestamp;
  updatedAt: Timestamp;
};

export type WebhookPing = {
  delivered: boolean;
  responseStatus: number | null;
  error: string | null;
};

export type WebhookDelivery = {
  id: Id;
  event: WebhookEvent;
  state: WebhookDeliveryState;
  /** Any JSON value. */
  data?: unknown;
  occurredAt: Timestamp;
  attempts: number;
  nextAttemptAt: Timestamp | null;
  responseStatus: number | null;
  lastError: string | null;
  createdAt: Timestamp;
  deliveredAt: Timestamp | null;
};

export type WebhookDeliveryState = "pending" | "delivered" | "dead";

export type Registry = {
  registryVersion: number;
  stepKinds: readonly string[];
  stepStatuses: readonly string[];
  gateStates: readonly string[];
  /** By kind and status: where a step may go. */
  stepTransitions: Record<string, Record<string, readonly string[]>>;
  gateTransitions: Record<string, readonly string[]>;
  gateOnStatus: Record<string, string>;
  /** In their sort order. */
  unifiedStatuses: readonly string[];
  resolver: readonly ResolverRule[];
  attention: ReadonlyArray<{
    code: string;
    kinds: readonly StepKind[] | null;
    statuses: readonly StepStatus[] | null;
    gates: readonly GateState[] | null;
  }>;
  bulkTargets: readonly string[];
  bulkAllowedTargets: Record<string, readonly string[]>;
  bulkStepStatus: Record<string, string>;
  /** What bulk does in place of a target. */
  bulkActions: readonly string[];
  /** Out of which `retry` brings a step. */
  bulkRetriedStatuses: readonly string[];
  /** Those that can be taken back, as every change to a target can. */
  bulkRevertibleActions: readonly string[];
  terminalUnified: readonly string[];
  workerTypes: readonly string[];
  statusRelevantWorkerTypes: readonly string[];
  reportEffects: Record<string, {
    stepKind: StepKind;
    becomes: Record<string, StepStatus | Record<string, StepStatus> | null>;
  } | null>;
  pipelines: readonly string[];
  pipelinesOnEntry: ReadonlyArray<{
    kind: StepKind;
    status: StepStatus;
    pipeline: string;
  }>;
  pipelinesOnTarget: Record<string, readonly string[]>;
  runTransitions: Record<string, readonly string[]>;
  dispatchTransitions: Record<string, readonly string[]>;
  operationTransitions: Record<string, readonly string[]>;
  evalTransitions: Record<string, readonly string[]>;
  trialTransitions: Record<string, readonly string[]>;
};

export type Me = {
  tenant: {
    id: Id;
    name: string;
  };
  actor: Actor;
};

export type CreatedApiKey = {
  id: Id;
  name: string;
  role: Role;
  lastFour: string;
  createdBy: string;
  createdAt: Timestamp;
  revokedAt: Timestamp | null;
  revokedBy: string | null;
  key: string | null;
};

export type Role = "viewer" | "operator" | "reviewer" | "admin" | "service";

export type CreateApiKey = {
  name: string;
  role: Role;
};

export type ApiKey = {
  id: Id;
  name: string;
  role: Role;
  lastFour: string;
  createdBy: string;
  createdAt: Timestamp;
  revokedAt: Timestamp | null;
  revokedBy: string | null;
};

export type RevokedApiKey = {
  id: Id;
  name: string;
  role: Role;
  lastFour: string;
  createdBy: string;
  createdAt: Timestamp;
  revokedAt: Timestamp | null;
  revokedBy: string | null;
  /** From then on nobody takes the key. */
  effectiveWithinSeconds: number;
};

export type Health = {
  status: "ok";
};

/** What each operation takes and answers. */
export interface Operations {
  /**
   * Create a task. With version 1 and its first step: a queued `ingestion`, unless `start` says otherwise.
   *
   * Role: `operator` or above.
   */
  createTask: {
    input: {
      body: CreateTask;
      requestId?: string | undefined;
      idempotencyKey?: string | undefined;
    };
    answer: Task;
  };
  /**
   * List tasks. By filters that all must hold. `sort=unifiedStatus` resolves the labels of the newest 5000 tasks that match at that very moment (`sortSource=live`) and says when more matched; `sortSource=materialized` has no such limit.
   *
   * Role: `viewer` or above, or `service`.
   */
  listTasks: {
    input: {
      query?: {
        /** Any of these. */
        unifiedStatus?: readonly UnifiedStatus[] | undefined;
        /** Any of these. */
        attention?: readonly AttentionCode[] | undefined;
        stepKind?: StepKind | undefined;
        stepStatus?: StepStatus | undefined;
        gate?: GateState | undefined;
        taxonomyCode?: string | undefined;
        assignee?: string | undefined;
        externalId?: ExternalId | undefined;
        /** A part of the title or the external id, three characters or more. */
        q?: string | undefined;
        /** A model that made a prompt, a datum, a trial or an insight of the task. */
        model?: string | undefined;
        /** A bulk operation that changed the task. */
        bulkOperationId?: Id | undefined;
        createdAfter?: Timestamp | undefined;
        createdBefore?: Timestamp | undefined;
        updatedAfter?: Timestamp | undefined;
        /** The status has been the same since before this moment. */
        statusBefore?: Timestamp | undefined;
        priority?: number | undefined;
        /** true: the archived tasks. Otherwise, those that are not. */
        archived?: boolean | undefined;
        /** A leading `-` turns the order round. */
        sort?: "createdAt" | "-createdAt" | "updatedAt" | "-updatedAt" | "title" | "-title" | "priority" | "-priority" | "statusSince" | "-statusSince" | "unifiedStatus" | "-unifiedStatus" | undefined;
        /** Where `unifiedStatus` is read from when it is the sort. */
        sortSource?: "live" | "materialized" | undefined;
        limit?: number | undefined;
        /** `nextCursor` of the page before. */
        cursor?: string | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: TaskPage;
  };
  /**
   * One task. With `asOf`, as it was then: folded from its history.
   *
   * Role: `viewer` or above, or `service`.
   */
  getTask: {
    input: {
      params: {
        taskId: TaskRef;
      };
      query?: {
        asOf?: AsOf | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: Task;
  };
  /**
   * Edit a task's fields. null takes a field away. What is the same already writes no event.
   *
   * Role: `operator` or above.
   */
  editTask: {
    input: {
      params: {
        taskId: TaskRef;
      };
      body: EditTask;
      requestId?: string | undefined;
      idempotencyKey?: string | undefined;
      ifMatch?: number | undefined;
    };
    answer: Moved;
  };
  /**
   * A task's label, and why it has it. The rule that matched, the facts that it matched on, and the rules before it with what they lacked.
   *
   * Role: `viewer` or above, or `service`.
   */
  getTaskStatus: {
    input: {
      params: {
        taskId: TaskRef;
      };
      query?: {
        asOf?: AsOf | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: TaskStatus;
  };
  /**
   * Change a step's status. Along the transition table of the step's kind. A move that the table does not have is 409 `invalid_transition` and tells what is allowed.
   *
   * Role: `operator` or above.
   */
  transitionStep: {
    input: {
      params: {
        stepId: Id;
      };
      body: TransitionStep;
      requestId?: string | undefined;
      idempotencyKey?: string | undefined;
      ifMatch?: number | undefined;
    };
    answer: Moved;
  };
  /** One step. Role: `viewer` or above, or `service`. */
  getStep: {
    input: {
      params: {
        stepId: Id;
      };
      requestId?: string | undefined;
    };
    answer: Step;
  };
  /**
   * Go on to the next stage. Needs the current gate to be `passed` or `waived`. With `hold` the new step waits.
   *
   * Role: `operator` or above, or `service`.
   */
  advanceTask: {
    input: {
      params: {
        taskId: TaskRef;
      };
      body?: AdvanceTask | undefined;
      requestId?: string | undefined;
      idempotencyKey?: string | undefined;
      ifMatch?: number | undefined;
    };
    answer: Moved;
  };
  /**
   * Go back to the same or an earlier stage. Opens a new attempt and revokes the open gates from there on. Nothing is overwritten.
   *
   * Role: `operator` or above.
   */
  reworkTask: {
    input: {
      params: {
        taskId: TaskRef;
      };
      body: ReworkTask;
      requestId?: string | undefined;
      idempotencyKey?: string | undefined;
      ifMatch?: number | undefined;
    };
    answer: Moved;
  };
  /**
   * Record a verdict on the current step. It may carry a `move`: a transition of the same step that happens with it, or neither does. Automation (the service role) records automated reviews without a move.
   *
   * Role: `reviewer` or above, or `service`.
   */
  recordReview: {
    input: {
      params: {
        taskId: TaskRef;
      };
      body: RecordReview;
      requestId?: string | undefined;
      idempotencyKey?: string | undefined;
      ifMatch?: number | undefined;
    };
    answer: Reviewed;
  };
  /**
   * Every verdict on a task's steps. In the order in which they count.
   *
   * Role: `viewer` or above, or `service`.
   */
  listTaskReviews: {
    input: {
      params: {
        taskId: TaskRef;
      };
      requestId?: string | undefined;
    };
    answer: {
      data: readonly Review[];
      nextCursor: null;
    };
  };
  /**
   * All that happened to a task. Its own events and those of its evals in the order in which they were written; `stream` tells them apart.
   *
   * Role: `viewer` or above, or `service`.
   */
  getTaskTimeline: {
    input: {
      params: {
        taskId: TaskRef;
      };
      query?: {
        limit?: number | undefined;
        /** `nextCursor` of the page before. */
        cursor?: string | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: {
      data: ReadonlyArray<StepEvent | EvalEvent>;
      nextCursor: string | null;
    };
  };
  /**
   * Create many tasks. Each item is judged by itself; one that is not valid harms no other. What makes the body itself unreadable (bad JSON, a doubled key, a NUL) refuses the call. An external id that is known already, or that stands twice, makes nothing and tells which task has it: repeat an import until it is whole.
   *
   * Role: `operator` or above.
   */
  importTasks: {
    input: {
      body: ImportTasks;
      requestId?: string | undefined;
      idempotencyKey?: string | undefined;
    };
    answer: ImportedTasks;
  };
  /**
   * See what a bulk change would do. Writes nothing. Execution judges by the same rules.
   *
   * Role: `viewer` or above, or `service`.
   */
  previewBulk: {
    input: {
      body: PreviewBulk;
      requestId?: string | undefined;
    };
    answer: BulkPreview;
  };
  /**
   * Change many tasks at once. Each task is changed whole or not at all, and holds back no other. With a `planToken`, tasks that have changed since the preview stop the whole (`abort`) or are left out (`skip`). Up to 1000 tasks are changed before the answer; of more the plan is stored, and the operation tells how far it got. A repeat with the same Idempotency-Key gets the same answer.
   *
   * Role: `reviewer` or above.
   */
  executeBulk: {
    input: {
      body: ExecuteBulk;
      requestId?: string | undefined;
      idempotencyKey?: string | undefined;
    };
    answer: BulkExecution | BulkAccepted;
  };
  /**
   * Find tasks by their ids. Takes ids and external ids alike, with `ext:` or without; archived tasks are found too. Answers in the order asked.
   *
   * Role: `viewer` or above, or `service`.
   */
  lookUpTasks: {
    input: {
      body: LookUpTasks;
      requestId?: string | undefined;
    };
    answer: LookedUpTasks;
  };
  /**
   * Count tasks by label and by attention. Exactly, over the same filters as the list, at one moment. Every filter that is given holds for every figure, `unifiedStatus` and `attention` too: for figures to choose a label by, leave those two out and the others as they are. The labels add up to `total`; attention codes need not, since a task may have several or none.
   *
   * Role: `viewer` or above, or `service`.
   */
  countTasks: {
    input: {
      query?: {
        /** Any of these. */
        unifiedStatus?: readonly UnifiedStatus[] | undefined;
        /** Any of these. */
        attention?: readonly AttentionCode[] | undefined;
        stepKind?: StepKind | undefined;
        stepStatus?: StepStatus | undefined;
        gate?: GateState | undefined;
        taxonomyCode?: string | undefined;
        assignee?: string | undefined;
        externalId?: ExternalId | undefined;
        /** A part of the title or the external id, three characters or more. */
        q?: string | undefined;
        /** A model that made a prompt, a datum, a trial or an insight of the task. */
        model?: string | undefined;
        /** A bulk operation that changed the task. */
        bulkOperationId?: Id | undefined;
        createdAfter?: Timestamp | undefined;
        createdBefore?: Timestamp | undefined;
        updatedAfter?: Timestamp | undefined;
        /** The status has been the same since before this moment. */
        statusBefore?: Timestamp | undefined;
        priority?: number | undefined;
        /** true: the archived tasks. Otherwise, those that are not. */
        archived?: boolean | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: TaskCounts;
  };
  /**
   * The ids of all tasks that match. Over the same filters as the list, in one answer: the oldest first, at most 50000, which are those that a bulk preview of the filter takes.
   *
   * Role: `viewer` or above, or `service`.
   */
  listTaskIds: {
    input: {
      query?: {
        /** Any of these. */
        unifiedStatus?: readonly UnifiedStatus[] | undefined;
        /** Any of these. */
        attention?: readonly AttentionCode[] | undefined;
        stepKind?: StepKind | undefined;
        stepStatus?: StepStatus | undefined;
        gate?: GateState | undefined;
        taxonomyCode?: string | undefined;
        assignee?: string | undefined;
        externalId?: ExternalId | undefined;
        /** A part of the title or the external id, three characters or more. */
        q?: string | undefined;
        /** A model that made a prompt, a datum, a trial or an insight of the task. */
        model?: string | undefined;
        /** A bulk operation that changed the task. */
        bulkOperationId?: Id | undefined;
        createdAfter?: Timestamp | undefined;
        createdBefore?: Timestamp | undefined;
        updatedAfter?: Timestamp | undefined;
        /** The status has been the same since before this moment. */
        statusBefore?: Timestamp | undefined;
        priority?: number | undefined;
        /** true: the archived tasks. Otherwise, those that are not. */
        archived?: boolean | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: TaskIds;
  };
  /**
   * The versions of a task. By number, without their contents.
   *
   * Role: `viewer` or above, or `service`.
   */
  listTaskVersions: {
    input: {
      params: {
        taskId: TaskRef;
      };
      query?: {
        limit?: number | undefined;
        /** `nextCursor` of the page before. */
        cursor?: string | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: {
      data: readonly VersionSummary[];
      nextCursor: string | null;
    };
  };
  /**
   * Make a new version. Seals the active version with its steps and begins the next one.
   *
   * Role: `operator` or above.
   */
  createVersion: {
    input: {
      params: {
        taskId: TaskRef;
      };
      body: CreateVersion;
      requestId?: string | undefined;
      idempotencyKey?: string | undefined;
      ifMatch?: number | undefined;
    };
    answer: Moved;
  };
  /** One version with its content. Role: `viewer` or above, or `service`. */
  getTaskVersion: {
    input: {
      params: {
        taskId: TaskRef;
        number: number;
      };
      requestId?: string | undefined;
    };
    answer: Version;
  };
  /**
   * What tells two versions of a task apart. From `number` to `other`, whichever is older. Steps are compared by kind and attempt, prompts and data by what they hold and who made them, the oldest 1000 of each version.
   *
   * Role: `viewer` or above, or `service`.
   */
  diffTaskVersions: {
    input: {
      params: {
        taskId: TaskRef;
        number: number;
        other: number;
      };
      requestId?: string | undefined;
    };
    answer: VersionDiff;
  };
  /**
   * The events of a task. Numbered from 1 without a gap, each hashed over itself and the one before.
   *
   * Role: `viewer` or above, or `service`.
   */
  listTaskEvents: {
    input: {
      params: {
        taskId: TaskRef;
      };
      query?: {
        limit?: number | undefined;
        /** `nextCursor` of the page before. */
        cursor?: string | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: {
      data: readonly StepEvent[];
      nextCursor: string | null;
    };
  };
  /** The events that name a step. Role: `viewer` or above, or `service`. */
  listStepEvents: {
    input: {
      params: {
        stepId: Id;
      };
      query?: {
        limit?: number | undefined;
        /** `nextCursor` of the page before. */
        cursor?: string | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: {
      data: readonly StepEvent[];
      nextCursor: string | null;
    };
  };
  /**
   * Whether a task's history is whole and unchanged. Spells every event anew from its columns, recomputes the hash chain and compares it with the task's head.
   *
   * Role: `viewer` or above, or `service`.
   */
  verifyTaskEvents: {
    input: {
      params: {
        taskId: TaskRef;
      };
      requestId?: string | undefined;
    };
    answer: HistoryVerdict;
  };
  /**
   * The events of all tasks and evals. Each event comes once, in the order in which the transactions began that wrote them; the events of a task by `seq`, those of an eval where they did not overlap. An event is shown when no other can come before it any more, so a slow writer holds the feed back and is not skipped. With `wait`, an empty page is answered only when nothing came for so long.
   *
   * Role: `viewer` or above, or `service`.
   */
  readFeed: {
    input: {
      query?: {
        /** A cursor of the feed, or `now` for what is written from now on. Otherwise it begins with the tenant's first event. */
        after?: string | undefined;
        limit?: number | undefined;
        /** How many seconds to wait for something. */
        wait?: number | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: Feed;
  };
  /**
   * The events of all tasks and evals as they happen. Each event comes once, in the order in which the transactions began that wrote them; the events of a task by `seq`, those of an eval where they did not overlap. An event is shown when no other can come before it any more, so a slow writer holds the feed back and is not skipped. As server-sent events: `data` is an event, `id` the cursor behind it. The stream ends after `wait` seconds or earlier; connect again with `Last-Event-ID`, which goes before `after`, and nothing is missed.
   *
   * Role: `viewer` or above, or `service`.
   */
  streamFeed: {
    input: {
      query?: {
        /** A cursor of the feed, or `now` for what is written from now on. Otherwise it begins with the tenant's first event. */
        after?: string | undefined;
        /** How many seconds the stream lasts at the most. */
        wait?: number | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: Response;
  };
  /**
   * Export tasks as CSV. All tasks that match the filter, each once, in the order in which they were made, and each as it is when its part of the file is read: tasks that move meanwhile may be shown before or after their move. As CSV (RFC 4180) under a line of headings. Text that a spreadsheet would take for a formula stands behind an apostrophe. It is sent while it is read; where that fails the connection breaks, so what ends as it should is whole.
   *
   * Role: `viewer` or above, or `service`.
   */
  exportTasksCsv: {
    input: {
      query?: {
        /** Any of these. */
        unifiedStatus?: readonly UnifiedStatus[] | undefined;
        /** Any of these. */
        attention?: readonly AttentionCode[] | undefined;
        stepKind?: StepKind | undefined;
        stepStatus?: StepStatus | undefined;
        gate?: GateState | undefined;
        taxonomyCode?: string | undefined;
        assignee?: string | undefined;
        externalId?: ExternalId | undefined;
        /** A part of the title or the external id, three characters or more. */
        q?: string | undefined;
        /** A model that made a prompt, a datum, a trial or an insight of the task. */
        model?: string | undefined;
        /** A bulk operation that changed the task. */
        bulkOperationId?: Id | undefined;
        createdAfter?: Timestamp | undefined;
        createdBefore?: Timestamp | undefined;
        updatedAfter?: Timestamp | undefined;
        /** The status has been the same since before this moment. */
        statusBefore?: Timestamp | undefined;
        priority?: number | undefined;
        /** true: the archived tasks. Otherwise, those that are not. */
        archived?: boolean | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: Response;
  };
  /**
   * Export tasks as JSON lines. All tasks that match the filter, each once, in the order in which they were made, and each as it is when its part of the file is read: tasks that move meanwhile may be shown before or after their move. One JSON object a line, in the shape of all other answers. It is sent while it is read; where that fails the connection breaks, so what ends as it should is whole.
   *
   * Role: `viewer` or above, or `service`.
   */
  exportTasksNdjson: {
    input: {
      query?: {
        /** Any of these. */
        unifiedStatus?: readonly UnifiedStatus[] | undefined;
        /** Any of these. */
        attention?: readonly AttentionCode[] | undefined;
        stepKind?: StepKind | undefined;
        stepStatus?: StepStatus | undefined;
        gate?: GateState | undefined;
        taxonomyCode?: string | undefined;
        assignee?: string | undefined;
        externalId?: ExternalId | undefined;
        /** A part of the title or the external id, three characters or more. */
        q?: string | undefined;
        /** A model that made a prompt, a datum, a trial or an insight of the task. */
        model?: string | undefined;
        /** A bulk operation that changed the task. */
        bulkOperationId?: Id | undefined;
        createdAfter?: Timestamp | undefined;
        createdBefore?: Timestamp | undefined;
        updatedAfter?: Timestamp | undefined;
        /** The status has been the same since before this moment. */
        statusBefore?: Timestamp | undefined;
        priority?: number | undefined;
        /** true: the archived tasks. Otherwise, those that are not. */
        archived?: boolean | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: Response;
  };
  /**
   * Export events as CSV. All events of tasks and evals that were written before the call and match the filter, in the order of the feed. As CSV (RFC 4180) under a line of headings. Text that a spreadsheet would take for a formula stands behind an apostrophe. It is sent while it is read; where that fails the connection breaks, so what ends as it should is whole.
   *
   * Role: `viewer` or above, or `service`.
   */
  exportEventsCsv: {
    input: {
      query?: {
        task?: TaskRef | undefined;
        createdAfter?: Timestamp | undefined;
        createdBefore?: Timestamp | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: Response;
  };
  /**
   * Export events as JSON lines. All events of tasks and evals that were written before the call and match the filter, in the order of the feed. One JSON object a line, in the shape of all other answers. It is sent while it is read; where that fails the connection breaks, so what ends as it should is whole.
   *
   * Role: `viewer` or above, or `service`.
   */
  exportEventsNdjson: {
    input: {
      query?: {
        task?: TaskRef | undefined;
        createdAfter?: Timestamp | undefined;
        createdBefore?: Timestamp | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: Response;
  };
  /**
   * Export trials as CSV. All trials that match the filter, retracted ones too, each once, in the order of their recording. As CSV (RFC 4180) under a line of headings. Text that a spreadsheet would take for a formula stands behind an apostrophe. It is sent while it is read; where that fails the connection breaks, so what ends as it should is whole.
   *
   * Role: `viewer` or above, or `service`.
   */
  exportTrialsCsv: {
    input: {
      query?: {
        task?: TaskRef | undefined;
        evalId?: Id | undefined;
        model?: string | undefined;
        status?: TrialStatus | undefined;
        /** true: those that were retracted; false: those that stand. */
        retracted?: boolean | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: Response;
  };
  /**
   * Export trials as JSON lines. All trials that match the filter, retracted ones too, each once, in the order of their recording. One JSON object a line, in the shape of all other answers. It is sent while it is read; where that fails the connection breaks, so what ends as it should is whole.
   *
   * Role: `viewer` or above, or `service`.
   */
  exportTrialsNdjson: {
    input: {
      query?: {
        task?: TaskRef | undefined;
        evalId?: Id | undefined;
        model?: string | undefined;
        status?: TrialStatus | undefined;
        /** true: those that were retracted; false: those that stand. */
        retracted?: boolean | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: Response;
  };
  /**
   * Export prompts as CSV. All prompts that match the filter, each once, in the order in which they were recorded. As CSV (RFC 4180) under a line of headings. Text that a spreadsheet would take for a formula stands behind an apostrophe. It is sent while it is read; where that fails the connection breaks, so what ends as it should is whole.
   *
   * Role: `viewer` or above, or `service`.
   */
  exportPromptsCsv: {
    input: {
      query?: {
        task?: TaskRef | undefined;
        /** A version's id, or its number in its task. */
        version?: number | Id | undefined;
        step?: Id | undefined;
        model?: string | undefined;
        modelRevision?: string | undefined;
        agent?: string | undefined;
        provider?: string | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: Response;
  };
  /**
   * Export prompts as JSON lines. All prompts that match the filter, each once, in the order in which they were recorded. One JSON object a line, in the shape of all other answers. It is sent while it is read; where that fails the connection breaks, so what ends as it should is whole.
   *
   * Role: `viewer` or above, or `service`.
   */
  exportPromptsNdjson: {
    input: {
      query?: {
        task?: TaskRef | undefined;
        /** A version's id, or its number in its task. */
        version?: number | Id | undefined;
        step?: Id | undefined;
        model?: string | undefined;
        modelRevision?: string | undefined;
        agent?: string | undefined;
        provider?: string | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: Response;
  };
  /**
   * Put a task away. It is in no list, count or bulk change any more, and nothing of it is lost.
   *
   * Role: `reviewer` or above.
   */
  archiveTask: {
    input: {
      params: {
        taskId: TaskRef;
      };
      body?: ArchiveTask | undefined;
      requestId?: string | undefined;
      idempotencyKey?: string | undefined;
      ifMatch?: number | undefined;
    };
    answer: Moved;
  };
  /** Bring an archived task back. Role: `reviewer` or above. */
  restoreTask: {
    input: {
      params: {
        taskId: TaskRef;
      };
      body?: RestoreTask | undefined;
      requestId?: string | undefined;
      idempotencyKey?: string | undefined;
      ifMatch?: number | undefined;
    };
    answer: Moved;
  };
  /** Add a note to a task's history. Role: `operator` or above. */
  addNote: {
    input: {
      params: {
        taskId: TaskRef;
      };
      body: AddNote;
      requestId?: string | undefined;
      idempotencyKey?: string | undefined;
      ifMatch?: number | undefined;
    };
    answer: Moved;
  };
  /**
   * Every step of a task. All attempts of all versions, in the order in which they were opened.
   *
   * Role: `viewer` or above, or `service`.
   */
  listTaskSteps: {
    input: {
      params: {
        taskId: TaskRef;
      };
      requestId?: string | undefined;
    };
    answer: {
      data: readonly Step[];
      nextCursor: null;
    };
  };
  /**
   * Change a step's gate by hand. `waived`, `blocked` or `errored`; `revoked` from `waived` alone; and from a hand-made `blocked` back to the gate that the status implies. A verdict comes with a status, never by hand.
   *
   * Role: `operator` or above.
   */
  changeGate: {
    input: {
      params: {
        stepId: Id;
      };
      body: ChangeGate;
      requestId?: string | undefined;
      idempotencyKey?: string | undefined;
      ifMatch?: number | undefined;
    };
    answer: Moved;
  };
  /**
   * Ask for a pipeline by hand. One that is attached to the step's present state. While one is open it is 409 `conflict`.
   *
   * Role: `operator` or above.
   */
  dispatchPipeline: {
    input: {
      params: {
        stepId: Id;
      };
      body: DispatchPipeline;
      requestId?: string | undefined;
      idempotencyKey?: string | undefined;
    };
    answer: {
      id: Id;
      pipeline: PipelineName;
      state: "pending";
    };
  };
  /**
   * Make many moves of different tasks. Each is judged by itself, as the call on its task alone would be; only what the caller's role may do to no task refuses the whole call. No pipeline runs unless asked for.
   *
   * Role: `operator` or above, or `service`.
   */
  moveTasks: {
    input: {
      body: MoveTasks;
      requestId?: string | undefined;
      idempotencyKey?: string | undefined;
    };
    answer: MovedTasks;
  };
  /** List bulk changes, newest first. Role: `viewer` or above, or `service`. */
  listBulkOperations: {
    input: {
      query?: {
        limit?: number | undefined;
        /** `nextCursor` of the page before. */
        cursor?: string | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: {
      data: readonly BulkOperation[];
      nextCursor: string | null;
    };
  };
  /** Read a bulk change. Role: `viewer` or above, or `service`. */
  getBulkOperation: {
    input: {
      params: {
        operationId: Id;
      };
      requestId?: string | undefined;
    };
    answer: BulkOperation;
  };
  /** List what became of each task of a bulk change. Role: `viewer` or above, or `service`. */
  listBulkItems: {
    input: {
      params: {
        operationId: Id;
      };
      query?: {
        limit?: number | undefined;
        /** `nextCursor` of the page before. */
        cursor?: string | undefined;
        outcome?: "pending" | "changed" | "refused" | "stale" | "failed" | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: {
      data: readonly BulkOperationItem[];
      nextCursor: string | null;
    };
  };
  /**
   * Cancel a bulk change. One that waits is cancelled at once, one that runs after the chunk that is under way. What is done stays done, and can be taken back.
   *
   * Role: `reviewer` or above.
   */
  cancelBulkOperation: {
    input: {
      params: {
        operationId: Id;
      };
      requestId?: string | undefined;
      idempotencyKey?: string | undefined;
    };
    answer: BulkOperation;
  };
  /**
   * Try the tasks again that failed or were stale. Makes a child operation, planned anew. It is answered as an execution is, or as a revert where one is tried again.
   *
   * Role: `reviewer` or above.
   */
  retryFailedBulkItems: {
    input: {
      params: {
        operationId: Id;
      };
      body?: RetryFailedBulkItems | undefined;
      requestId?: string | undefined;
      idempotencyKey?: string | undefined;
    };
    answer: BulkExecution | BulkAccepted;
  };
  /**
   * Take a bulk change back. Puts back every task that has not moved since, and calls back what was dispatched for it and has not left. What moved on and what was delivered is told. Nothing is taken back twice.
   *
   * Role: `reviewer` or above.
   */
  revertBulkOperation: {
    input: {
      params: {
        operationId: Id;
      };
      body: RevertBulkOperation;
      requestId?: string | undefined;
      idempotencyKey?: string | undefined;
    };
    answer: BulkExecution | BulkAccepted;
  };
  /**
   * List product events, newest first. One for each bulk change that brought tasks to a terminal status.
   *
   * Role: `viewer` or above, or `service`.
   */
  listAnalyticsEvents: {
    input: {
      query?: {
        limit?: number | undefined;
        /** `nextCursor` of the page before. */
        cursor?: string | undefined;
        name?: AnalyticsEventName | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: {
      data: readonly AnalyticsEvent[];
      nextCursor: string | null;
    };
  };
  /**
   * What has become of tasks. The funnel of the tasks that were created in the window, as they stand now: how many ever came as far as each stage, at whatever step they began, and what has become of those that came no farther. Archived tasks are left out unless they are asked for.
   *
   * Role: `viewer` or above, or `service`.
   */
  getOutcomes: {
    input: {
      query?: {
        /** Only of tasks with this code. */
        taxonomyCode?: string | undefined;
        /** Where the window begins: 30 days before its end where nothing is said, 366 at most. */
        from?: string | undefined;
        /** Where it ends, without this very moment: now where nothing is said. */
        to?: string | undefined;
        /** true: the archived tasks. Otherwise, those that are not. */
        archived?: boolean | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: OutcomeStatistics;
  };
  /**
   * What was done, over time. Counted from the history in whole buckets of UTC; weeks begin on Monday. The window is widened to whole buckets, 400 at most; the last one may still go on. What a revert took back counts for nothing, from the moment it is taken back; what was archived since counts.
   *
   * Role: `viewer` or above, or `service`.
   */
  getThroughput: {
    input: {
      query?: {
        /** Only of tasks with this code. */
        taxonomyCode?: string | undefined;
        /** Within the first bucket; where nothing is said there are 48 hours, or 30 days, or 26 weeks. */
        from?: string | undefined;
        /** Up to this moment; through the present bucket where nothing is said. */
        to?: string | undefined;
        bucket?: "hour" | "day" | "week" | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: ThroughputStatistics;
  };
  /**
   * How long tasks stand at each stage. Of the stays that came to their end in the window. A stay begins with the event that opens the step, and ends with the event that opens the task's next one (advance, rework, new version), or before that with the one that ends the step (rejected, duplicate, delivered) and was not taken back. At most the newest 200000 ends and approvals are looked at.
   *
   * Role: `viewer` or above, or `service`.
   */
  getStageTimes: {
    input: {
      query?: {
        /** Only of tasks with this code. */
        taxonomyCode?: string | undefined;
        /** Where the window begins: 30 days before its end where nothing is said, 366 at most. */
        from?: string | undefined;
        /** Where it ends, without this very moment: now where nothing is said. */
        to?: string | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: StageTimeStatistics;
  };
  /**
   * What went wrong, by stage. Counted from the history. `failed` means that somebody or something judged and said no, `errored` that no verdict was reached; one change counts once, and a failed review may count beside the gate that it closes. What a revert took back counts for nothing; what was archived since counts.
   *
   * Role: `viewer` or above, or `service`.
   */
  getFailures: {
    input: {
      query?: {
        /** Only of tasks with this code. */
        taxonomyCode?: string | undefined;
        /** Where the window begins: 30 days before its end where nothing is said, 366 at most. */
        from?: string | undefined;
        /** Where it ends, without this very moment: now where nothing is said. */
        to?: string | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: FailureStatistics;
  };
  /**
   * Open a worker run on the current step. It is QUEUED until its worker reports.
   *
   * Role: `service`.
   */
  startRun: {
    input: {
      params: {
        taskId: TaskRef;
      };
      body: StartRun;
      requestId?: string | undefined;
      idempotencyKey?: string | undefined;
    };
    answer: WorkerRun;
  };
  /**
   * Take runs that wait for a worker. For workers that poll: pipelines without an endpoint put their runs here. Each run is the caller's alone until its lease ends; the first report makes it the caller's for good, and from then on only its deadline counts. A run whose lease ends before that is handed out again, at the next attempt. The most urgent task comes first, then the oldest run; no two callers get the same. An answer without runs is no error: ask again later.
   *
   * Role: `service`.
   */
  claimRuns: {
    input: {
      body: ClaimRuns;
      requestId?: string | undefined;
      idempotencyKey?: string | undefined;
    };
    answer: ClaimedRuns;
  };
  /**
   * Report what became of a run. The report moves the run's step as the tables say, where that step is still the current one. A quality check that succeeded brings its verdict. A late report is kept on the run alone. Each report renews the run's deadline. A run that was claimed takes its first report from whoever holds its lease, and no report that names another attempt.
   *
   * Role: `service`.
   */
  reportRun: {
    input: {
      params: {
        runId: Id;
      };
      body: ReportRun;
      requestId?: string | undefined;
      idempotencyKey?: string | undefined;
      ifMatch?: number | undefined;
    };
    answer: Reported;
  };
  /** Worker runs, newest first. Role: `viewer` or above, or `service`. */
  listRuns: {
    input: {
      query?: {
        task?: TaskRef | undefined;
        stepId?: Id | undefined;
        type?: WorkerType | undefined;
        state?: RunState | undefined;
        limit?: number | undefined;
        /** `nextCursor` of the page before. */
        cursor?: string | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: {
      data: readonly WorkerRun[];
      nextCursor: string | null;
    };
  };
  /**
   * The four pipelines and their settings. All of them, also those that nobody gave settings. No secret is ever shown here.
   *
   * Role: `admin`.
   */
  listPipelines: {
    input: {
      requestId?: string | undefined;
    };
    answer: {
      data: readonly Pipeline[];
      nextCursor: null;
    };
  };
  /**
   * Say where a pipeline is called. With an endpoint each dispatch is posted there, signed as Standard Webhooks has it; without one its run waits for a worker that polls. The first secret is made here and shown once, unless you bring one. Another one that you bring takes the place of the present one, which signs along for 24 hours.
   *
   * Role: `admin`.
   */
  putPipeline: {
    input: {
      params: {
        name: PipelineName;
      };
      body: PutPipeline;
      requestId?: string | undefined;
    };
    answer: PipelineWithSecret;
  };
  /**
   * Give a pipeline another secret. For 24 hours messages bear two signatures, one by each secret; then the old one is void. A repeat with the same Idempotency-Key answers `secret: null`; when the first answer was lost, rotate again.
   *
   * Role: `admin`.
   */
  rotatePipelineSecret: {
    input: {
      params: {
        name: PipelineName;
      };
      requestId?: string | undefined;
      idempotencyKey?: string | undefined;
    };
    answer: PipelineWithSecret;
  };
  /** What pipelines were asked for, newest first. Role: `viewer` or above, or `service`. */
  listDispatches: {
    input: {
      query?: {
        state?: DispatchState | undefined;
        pipeline?: PipelineName | undefined;
        task?: TaskRef | undefined;
        bulkOperationId?: Id | undefined;
        limit?: number | undefined;
        /** `nextCursor` of the page before. */
        cursor?: string | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: {
      data: readonly Dispatch[];
      nextCursor: string | null;
    };
  };
  /**
   * One dispatch and all that became of it. Its log tells every change of its state, with who and why. It only grows.
   *
   * Role: `viewer` or above, or `service`.
   */
  getDispatch: {
    input: {
      params: {
        dispatchId: Id;
      };
      requestId?: string | undefined;
    };
    answer: DispatchWithLog;
  };
  /**
   * Have a dead dispatch delivered after all. As if it had never been tried, with the run that it made. It is 409 `invalid_transition` where that run has ended, or what it was for is no longer wanted: then ask for the pipeline anew. A payment, of which a version has one, makes another run where its deadline has closed the first.
   *
   * Role: `operator` or above.
   */
  retryDispatch: {
    input: {
      params: {
        dispatchId: Id;
      };
      body: ChangeDispatch;
      requestId?: string | undefined;
      idempotencyKey?: string | undefined;
    };
    answer: Dispatch;
  };
  /**
   * Call a dispatch back before it is delivered. Where it was tried before, the run that waits is cancelled. It is 409 `invalid_transition` while it is being delivered, and once it was.
   *
   * Role: `operator` or above.
   */
  recallDispatch: {
    input: {
      params: {
        dispatchId: Id;
      };
      body: ChangeDispatch;
      requestId?: string | undefined;
      idempotencyKey?: string | undefined;
    };
    answer: Dispatch;
  };
  /**
   * Record a prompt, or what came back. On the task's current step, unless `stepId` names another one of the task. An eval or trial must be the task's.
   *
   * Role: `operator` or above, or `service`.
   */
  recordPrompt: {
    input: {
      params: {
        taskId: TaskRef;
      };
      body: RecordPrompt;
      requestId?: string | undefined;
      idempotencyKey?: string | undefined;
    };
    answer: Prompt;
  };
  /**
   * Prompts, newest first. A page of long prompts ends before its limit.
   *
   * Role: `viewer` or above, or `service`.
   */
  listPrompts: {
    input: {
      query?: {
        task?: TaskRef | undefined;
        /** A version's id, or its number in its task. */
        version?: number | Id | undefined;
        step?: Id | undefined;
        model?: string | undefined;
        modelRevision?: string | undefined;
        agent?: string | undefined;
        provider?: string | undefined;
        limit?: number | undefined;
        /** `nextCursor` of the page before. */
        cursor?: string | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: {
      data: readonly Prompt[];
      nextCursor: string | null;
    };
  };
  /**
   * Declare data of a task. Says what a blob is, before `PUT /v1/data/{dataId}/content` sends it: what has not come within a day is swept away. Or, with `uri`, registers what lies elsewhere: nobody fetches it, and it stays unverified. On the current step, unless `stepId` names another one of the task, which has the same content once for each kind and each maker (model, revision, agent, provider). Prompt and insight must be the task's, inputs may be of any task.
   *
   * Role: `operator` or above, or `service`.
   */
  declareData: {
    input: {
      params: {
        taskId: TaskRef;
      };
      body: DeclareData;
      requestId?: string | undefined;
      idempotencyKey?: string | undefined;
    };
    answer: Data;
  };
  /** Data, newest first. Role: `viewer` or above, or `service`. */
  listData: {
    input: {
      query?: {
        task?: TaskRef | undefined;
        kind?: DataKind | undefined;
        model?: string | undefined;
        modelRevision?: string | undefined;
        agent?: string | undefined;
        provider?: string | undefined;
        /** Whether the content is here; not so where it is awaited, or lies elsewhere. */
        stored?: boolean | undefined;
        /** Artifacts of which the work since they were made passed the gate of this kind; a gate that was waived or revoked is not passed, and what was made anew in their place speaks for itself alone. */
        passedGate?: StepKind | undefined;
        limit?: number | undefined;
        /** `nextCursor` of the page before. */
        cursor?: string | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: {
      data: readonly Data[];
      nextCursor: string | null;
    };
  };
  /** One row of data. Role: `viewer` or above, or `service`. */
  getData: {
    input: {
      params: {
        dataId: Id;
      };
      requestId?: string | undefined;
    };
    answer: Data;
  };
  /**
   * Send the content of declared data. The body is the content itself. It is stored only if it has the declared length and SHA-256, under its declared type, and never changes; sent again it is compared again.
   *
   * Role: `operator` or above, or `service`.
   */
  storeContent: {
    input: {
      params: {
        dataId: Id;
      };
      body: Blob | Uint8Array<ArrayBuffer>;
      requestId?: string | undefined;
    };
    answer: Data;
  };
  /**
   * Download the content of data. Always as an attachment. The `ETag` is the SHA-256. Types that a browser could run are told as `application/octet-stream`. What is not stored here, because it has not come or lies elsewhere, is not found.
   *
   * Role: `viewer` or above, or `service`.
   */
  getContent: {
    input: {
      params: {
        dataId: Id;
      };
      requestId?: string | undefined;
    };
    answer: Response;
  };
  /**
   * Open an eval over a version of a task. As a draft, over the active version where none is named.
   *
   * Role: `operator` or above, or `service`.
   */
  createEval: {
    input: {
      params: {
        taskId: TaskRef;
      };
      body: CreateEval;
      requestId?: string | undefined;
      idempotencyKey?: string | undefined;
    };
    answer: Eval;
  };
  /** Evals, newest first. Role: `viewer` or above, or `service`. */
  listEvals: {
    input: {
      query?: {
        task?: TaskRef | undefined;
        name?: string | undefined;
        status?: EvalStatus | undefined;
        /** A model that the eval has a trial of, retracted ones aside. */
        model?: string | undefined;
        limit?: number | undefined;
        /** `nextCursor` of the page before. */
        cursor?: string | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: {
      data: readonly Eval[];
      nextCursor: string | null;
    };
  };
  /** One eval. Role: `viewer` or above, or `service`. */
  getEval: {
    input: {
      params: {
        evalId: Id;
      };
      requestId?: string | undefined;
    };
    answer: Eval;
  };
  /**
   * Change an eval's status. Along the table of evals (`GET /v1/registry`); a cancelled one takes no more trials.
   *
   * Role: `operator` or above, or `service`.
   */
  transitionEval: {
    input: {
      params: {
        evalId: Id;
      };
      body: TransitionEval;
      requestId?: string | undefined;
      idempotencyKey?: string | undefined;
    };
    answer: Eval;
  };
  /**
   * The events of an eval. Its own history, apart from the task's: numbered from 1 without a gap, each hashed over itself and the one before.
   *
   * Role: `viewer` or above, or `service`.
   */
  listEvalEvents: {
    input: {
      params: {
        evalId: Id;
      };
      query?: {
        limit?: number | undefined;
        /** `nextCursor` of the page before. */
        cursor?: string | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: {
      data: readonly EvalEvent[];
      nextCursor: string | null;
    };
  };
  /**
   * Whether an eval's history is whole and unchanged. Spells every event anew from its columns, recomputes the hash chain and compares it with the eval's head.
   *
   * Role: `viewer` or above, or `service`.
   */
  verifyEvalEvents: {
    input: {
      params: {
        evalId: Id;
      };
      requestId?: string | undefined;
    };
    answer: HistoryVerdict;
  };
  /**
   * Record one evaluation over many tasks. Each result becomes a trial of the eval of that name that the task's active version has; where it has none, one is opened, `running`. Each is judged by itself: what is there already with the same revision, status and score `exists`; a slot that another revision or another result holds is a `conflict`, and so is an eval of that name with another k, or an archived task without one. `usage` is kept as an insight of kind `trial`, which outlives the trial's retraction. With `complete`, the evals that have one of the results and are `running` become `completed`. A call can be repeated, in parts or whole.
   *
   * Role: `operator` or above, or `service`.
   */
  recordEvaluation: {
    input: {
      body: RecordEvaluation;
      requestId?: string | undefined;
      idempotencyKey?: string | undefined;
    };
    answer: RecordedEvaluation;
  };
  /**
   * How models did in one evaluation. pass@1..k with intervals. Retracted trials count for nothing.
   *
   * Role: `viewer` or above, or `service`.
   */
  getEvalSummary: {
    input: {
      params: {
        evalId: Id;
      };
      requestId?: string | undefined;
    };
    answer: EvalSummary;
  };
  /**
   * How models did across many tasks. Over the tasks of a filter, at most the newest 50000: the evaluations of one name, or all. Each task has the same weight, with the trials of its newest version that was evaluated; cancelled evaluations and retracted trials count for nothing. `coverage` says how much of the filter stands behind the figures.
   *
   * Role: `viewer` or above, or `service`.
   */
  summariseEvals: {
    input: {
      query?: {
        /** Any of these. */
        unifiedStatus?: readonly UnifiedStatus[] | undefined;
        /** Any of these. */
        attention?: readonly AttentionCode[] | undefined;
        stepKind?: StepKind | undefined;
        stepStatus?: StepStatus | undefined;
        gate?: GateState | undefined;
        taxonomyCode?: string | undefined;
        assignee?: string | undefined;
        externalId?: ExternalId | undefined;
        /** A part of the title or the external id, three characters or more. */
        q?: string | undefined;
        /** A model that made a prompt, a datum, a trial or an insight of the task. */
        model?: string | undefined;
        /** A bulk operation that changed the task. */
        bulkOperationId?: Id | undefined;
        createdAfter?: Timestamp | undefined;
        createdBefore?: Timestamp | undefined;
        updatedAfter?: Timestamp | undefined;
        /** The status has been the same since before this moment. */
        statusBefore?: Timestamp | undefined;
        priority?: number | undefined;
        /** true: the archived tasks. Otherwise, those that are not. */
        archived?: boolean | undefined;
        /** The name of the evaluations. */
        name?: string | undefined;
        /** Only these, separated by commas. Two are compared, task by task. */
        models?: string | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: ScopeSummary;
  };
  /**
   * Where an artifact comes from. The model revision that made it, the prompt, the step of which version, the inputs and theirs, the gates of those versions with the events that decided them, and the trials that scored it. What was declared and never stored is no artifact.
   *
   * Role: `viewer` or above, or `service`.
   */
  getDataLineage: {
    input: {
      params: {
        dataId: Id;
      };
      requestId?: string | undefined;
    };
    answer: Lineage;
  };
  /**
   * All that came of a task, and from what. Its versions and steps with the verdicts on their gates, prompts, artifacts with their inputs, trials and insights, and the models behind them. With `asOf`, as it was then.
   *
   * Role: `viewer` or above, or `service`.
   */
  getTaskLineage: {
    input: {
      params: {
        taskId: TaskRef;
      };
      query?: {
        asOf?: AsOf | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: TaskLineage;
  };
  /**
   * Record trials of an eval. One, or up to 1,000 as `trials`, which are recorded with one event, all of them or none. A live trial of the same k and model is a `conflict` that names it, also where it is of another revision.
   *
   * Role: `operator` or above, or `service`.
   */
  recordTrials: {
    input: {
      params: {
        evalId: Id;
      };
      body: NewTrial | NewTrials;
      requestId?: string | undefined;
      idempotencyKey?: string | undefined;
    };
    answer: Trial | Trials;
  };
  /**
   * The trials of an eval. Oldest first, retracted ones too.
   *
   * Role: `viewer` or above, or `service`.
   */
  listTrials: {
    input: {
      params: {
        evalId: Id;
      };
      query?: {
        model?: string | undefined;
        status?: TrialStatus | undefined;
        /** true: those that were retracted; false: those that stand. */
        retracted?: boolean | undefined;
        limit?: number | undefined;
        /** `nextCursor` of the page before. */
        cursor?: string | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: {
      data: readonly Trial[];
      nextCursor: string | null;
    };
  };
  /**
   * Say what became of a trial. Along the table of trials (`GET /v1/registry`). An errored one may run again, and has no error from then on; one that was judged or retracted stays as it is.
   *
   * Role: `operator` or above, or `service`.
   */
  transitionTrial: {
    input: {
      params: {
        trialId: Id;
      };
      body?: TransitionTrial | undefined;
      requestId?: string | undefined;
      idempotencyKey?: string | undefined;
    };
    answer: Trial;
  };
  /**
   * Take a trial back. Its slot is free again. The trial stays to be read, and so do its insights.
   *
   * Role: `operator` or above.
   */
  retractTrial: {
    input: {
      params: {
        trialId: Id;
      };
      body: RetractTrial;
      requestId?: string | undefined;
      idempotencyKey?: string | undefined;
    };
    answer: Trial;
  };
  /**
   * Open the record of an inference job. It is `QUEUED` until it is told of; one that comes with its output has `SUCCEEDED`. A trial brings its eval.
   *
   * Role: `service`.
   */
  createInsight: {
    input: {
      body: CreateInsight;
      requestId?: string | undefined;
      idempotencyKey?: string | undefined;
    };
    answer: Insight;
  };
  /** Insights, newest first. Role: `viewer` or above, or `service`. */
  listInsights: {
    input: {
      query?: {
        task?: TaskRef | undefined;
        evalId?: Id | undefined;
        trialId?: Id | undefined;
        kind?: string | undefined;
        status?: RunState | undefined;
        model?: string | undefined;
        modelRevision?: string | undefined;
        agent?: string | undefined;
        provider?: string | undefined;
        limit?: number | undefined;
        /** `nextCursor` of the page before. */
        cursor?: string | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: {
      data: readonly Insight[];
      nextCursor: string | null;
    };
  };
  /**
   * Report on an inference job. Its status, its output, what it used. The same status again is no move. Of a job that has ended, what was not told yet may still be told.
   *
   * Role: `service`.
   */
  reportInsight: {
    input: {
      params: {
        insightId: Id;
      };
      body?: ReportInsight | undefined;
      requestId?: string | undefined;
      idempotencyKey?: string | undefined;
    };
    answer: Insight;
  };
  /**
   * Have a system of your own told of changes. Messages are signed as Standard Webhooks has it and tried for about a day; docs/webhooks.md tells what they say. One that is made, or enabled again, hears of what is committed from then on. Without `enabled` it is enabled.
   *
   * Role: `admin`.
   */
  putWebhook: {
    input: {
      params: {
        name: WebhookName;
      };
      body: PutWebhook;
      requestId?: string | undefined;
    };
    answer: WebhookWithSecret;
  };
  /**
   * Take a webhook away. Nothing more is sent to it, its secrets are gone, and its deliveries are out of sight. A new one of the same name has none of them.
   *
   * Role: `admin`.
   */
  deleteWebhook: {
    input: {
      params: {
        name: WebhookName;
      };
      requestId?: string | undefined;
    };
    answer: Webhook;
  };
  /**
   * The webhooks of the tenant. By name. No answer but the one that made it or rotated it shows a secret.
   *
   * Role: `admin`.
   */
  listWebhooks: {
    input: {
      query?: {
        limit?: number | undefined;
        /** `nextCursor` of the page before. */
        cursor?: string | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: {
      data: readonly Webhook[];
      nextCursor: string | null;
    };
  };
  /**
   * Try a webhook out. Sends a signed `webhook.ping`, once and at once, also where the webhook is disabled, and answers what its endpoint said.
   *
   * Role: `admin`.
   */
  pingWebhook: {
    input: {
      params: {
        name: WebhookName;
      };
      requestId?: string | undefined;
    };
    answer: WebhookPing;
  };
  /**
   * Give a webhook another secret. For 24 hours messages bear two signatures, one by each secret; then the old one is void. A repeat with the same Idempotency-Key answers `secret: null`; when the first answer was lost, rotate again.
   *
   * Role: `admin`.
   */
  rotateWebhookSecret: {
    input: {
      params: {
        name: WebhookName;
      };
      requestId?: string | undefined;
      idempotencyKey?: string | undefined;
    };
    answer: WebhookWithSecret;
  };
  /**
   * What a webhook was told. Newest first. `id` is the `webhook-id` of the message.
   *
   * Role: `admin`.
   */
  listWebhookDeliveries: {
    input: {
      params: {
        name: WebhookName;
      };
      query?: {
        state?: WebhookDeliveryState | undefined;
        event?: WebhookEvent | undefined;
        limit?: number | undefined;
        /** `nextCursor` of the page before. */
        cursor?: string | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: {
      data: readonly WebhookDelivery[];
      nextCursor: string | null;
    };
  };
  /**
   * Send a message to a webhook again. Whatever became of it: it is sent now, under the same `webhook-id`, and tried as often as a new one.
   *
   * Role: `admin`.
   */
  retryWebhookDelivery: {
    input: {
      params: {
        name: WebhookName;
        deliveryId: Id;
      };
      requestId?: string | undefined;
      idempotencyKey?: string | undefined;
    };
    answer: WebhookDelivery;
  };
  /**
   * Every table of the domain, as data. What may follow what, which rule names which label, and what each role of automation does. The very tables that decide.
   *
   * Role: `viewer` or above, or `service`.
   */
  getRegistry: {
    input: {
      requestId?: string | undefined;
    };
    answer: Registry;
  };
  /** Who this credential is. Role: `viewer` or above, or `service`. */
  getMe: {
    input: {
      requestId?: string | undefined;
    };
    answer: Me;
  };
  /**
   * Make an API key. The key is in this answer alone: nothing keeps it, only its digest. A repeat with the same Idempotency-Key answers the same row with `key: null`; when the first answer was lost, revoke that key and make another.
   *
   * Role: `admin`.
   */
  createApiKey: {
    input: {
      body: CreateApiKey;
      requestId?: string | undefined;
      idempotencyKey?: string | undefined;
    };
    answer: CreatedApiKey;
  };
  /**
   * The API keys of the tenant. Newest first, revoked ones too.
   *
   * Role: `admin`.
   */
  listApiKeys: {
    input: {
      query?: {
        limit?: number | undefined;
        /** `nextCursor` of the page before. */
        cursor?: string | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: {
      data: readonly ApiKey[];
      nextCursor: string | null;
    };
  };
  /**
   * Revoke an API key. For good. Where the key was used a moment ago it may be taken for up to 30 seconds more.
   *
   * Role: `admin`.
   */
  revokeApiKey: {
    input: {
      params: {
        keyId: Id;
      };
      requestId?: string | undefined;
    };
    answer: RevokedApiKey;
  };
  /** Whether the Worker runs. Needs no credential. */
  getHealth: {
    input: object;
    answer: Health;
  };
  /**
   * Whether the service can do its work. Asks the database and the bucket too.
   *
   * Needs no credential.
   */
  getReadiness: {
    input: object;
    answer: Health;
  };
}

/** How each operation is called. */
export const OPERATIONS = {
  createTask: { method: "POST", path: "/v1/tasks", takesKey: true, sends: "json", answers: "json" },
  listTasks: { method: "GET", path: "/v1/tasks", takesKey: false, sends: "json", answers: "json" },
  getTask: { method: "GET", path: "/v1/tasks/{taskId}", takesKey: false, sends: "json", answers: "json" },
  editTask: { method: "PATCH", path: "/v1/tasks/{taskId}", takesKey: true, sends: "json", answers: "json" },
  getTaskStatus: { method: "GET", path: "/v1/tasks/{taskId}/status", takesKey: false, sends: "json", answers: "json" },
  transitionStep: { method: "PATCH", path: "/v1/steps/{stepId}", takesKey: true, sends: "json", answers: "json" },
  getStep: { method: "GET", path: "/v1/steps/{stepId}", takesKey: false, sends: "json", answers: "json" },
  advanceTask: { method: "POST", path: "/v1/tasks/{taskId}/advance", takesKey: true, sends: "json", answers: "json" },
  reworkTask: { method: "POST", path: "/v1/tasks/{taskId}/rework", takesKey: true, sends: "json", answers: "json" },
  recordReview: { method: "POST", path: "/v1/tasks/{taskId}/reviews", takesKey: true, sends: "json", answers: "json" },
  listTaskReviews: { method: "GET", path: "/v1/tasks/{taskId}/reviews", takesKey: false, sends: "json", answers: "json" },
  getTaskTimeline: { method: "GET", path: "/v1/tasks/{taskId}/timeline", takesKey: false, sends: "json", answers: "json" },
  importTasks: { method: "POST", path: "/v1/tasks/import", takesKey: true, sends: "json", answers: "json" },
  previewBulk: { method: "POST", path: "/v1/bulk/preview", takesKey: false, sends: "json", answers: "json" },
  executeBulk: { method: "POST", path: "/v1/bulk/execute", takesKey: true, sends: "json", answers: "json" },
  lookUpTasks: { method: "POST", path: "/v1/tasks/lookup", takesKey: false, sends: "json", answers: "json" },
  countTasks: { method: "GET", path: "/v1/tasks/counts", takesKey: false, sends: "json", answers: "json" },
  listTaskIds: { method: "GET", path: "/v1/tasks/ids", takesKey: false, sends: "json", answers: "json" },
  listTaskVersions: { method: "GET", path: "/v1/tasks/{taskId}/versions", takesKey: false, sends: "json", answers: "json" },
  createVersion: { method: "POST", path: "/v1/tasks/{taskId}/versions", takesKey: true, sends: "json", answers: "json" },
  getTaskVersion: { method: "GET", path: "/v1/tasks/{taskId}/versions/{number}", takesKey: false, sends: "json", answers: "json" },
  diffTaskVersions: { method: "GET", path: "/v1/tasks/{taskId}/versions/{number}/diff/{other}", takesKey: false, sends: "json", answers: "json" },
  listTaskEvents: { method: "GET", path: "/v1/tasks/{taskId}/events", takesKey: false, sends: "json", answers: "json" },
  listStepEvents: { method: "GET", path: "/v1/steps/{stepId}/events", takesKey: false, sends: "json", answers: "json" },
  verifyTaskEvents: { method: "GET", path: "/v1/tasks/{taskId}/events/verify", takesKey: false, sends: "json", answers: "json" },
  readFeed: { method: "GET", path: "/v1/events", takesKey: false, sends: "json", answers: "json" },
  streamFeed: { method: "GET", path: "/v1/events/stream", takesKey: false, sends: "json", answers: "bytes" },
  exportTasksCsv: { method: "GET", path: "/v1/tasks/export.csv", takesKey: false, sends: "json", answers: "bytes" },
  exportTasksNdjson: { method: "GET", path: "/v1/tasks/export.ndjson", takesKey: false, sends: "json", answers: "bytes" },
  exportEventsCsv: { method: "GET", path: "/v1/events/export.csv", takesKey: false, sends: "json", answers: "bytes" },
  exportEventsNdjson: { method: "GET", path: "/v1/events/export.ndjson", takesKey: false, sends: "json", answers: "bytes" },
  exportTrialsCsv: { method: "GET", path: "/v1/trials/export.csv", takesKey: false, sends: "json", answers: "bytes" },
  exportTrialsNdjson: { method: "GET", path: "/v1/trials/export.ndjson", takesKey: false, sends: "json", answers: "bytes" },
  exportPromptsCsv: { method: "GET", path: "/v1/prompts/export.csv", takesKey: false, sends: "json", answers: "bytes" },
  exportPromptsNdjson: { method: "GET", path: "/v1/prompts/export.ndjson", takesKey: false, sends: "json", answers: "bytes" },
  archiveTask: { method: "POST", path: "/v1/tasks/{taskId}/archive", takesKey: true, sends: "json", answers: "json" },
  restoreTask: { method: "POST", path: "/v1/tasks/{taskId}/restore", takesKey: true, sends: "json", answers: "json" },
  addNote: { method: "POST", path: "/v1/tasks/{taskId}/notes", takesKey: true, sends: "json", answers: "json" },
  listTaskSteps: { method: "GET", path: "/v1/tasks/{taskId}/steps", takesKey: false, sends: "json", answers: "json" },
  changeGate: { method: "PATCH", path: "/v1/steps/{stepId}/gate", takesKey: true, sends: "json", answers: "json" },
  dispatchPipeline: { method: "POST", path: "/v1/steps/{stepId}/dispatch", takesKey: true, sends: "json", answers: "json" },
  moveTasks: { method: "POST", path: "/v1/moves", takesKey: true, sends: "json", answers: "json" },
  listBulkOperations: { method: "GET", path: "/v1/bulk/operations", takesKey: false, sends: "json", answers: "json" },
  getBulkOperation: { method: "GET", path: "/v1/bulk/operations/{operationId}", takesKey: false, sends: "json", answers: "json" },
  listBulkItems: { method: "GET", path: "/v1/bulk/operations/{operationId}/items", takesKey: false, sends: "json", answers: "json" },
  cancelBulkOperation: { method: "POST", path: "/v1/bulk/operations/{operationId}/cancel", takesKey: true, sends: "json", answers: "json" },
  retryFailedBulkItems: { method: "POST", path: "/v1/bulk/operations/{operationId}/retry-failed", takesKey: true, sends: "json", answers: "json" },
  revertBulkOperation: { method: "POST", path: "/v1/bulk/operations/{operationId}/revert", takesKey: true, sends: "json", answers: "json" },
  listAnalyticsEvents: { method: "GET", path: "/v1/analytics/events", takesKey: false, sends: "json", answers: "json" },
  getOutcomes: { method: "GET", path: "/v1/stats/outcomes", takesKey: false, sends: "json", answers: "json" },
  getThroughput: { method: "GET", path: "/v1/stats/throughput", takesKey: false, sends: "json", answers: "json" },
  getStageTimes: { method: "GET", path: "/v1/stats/stage-times", takesKey: false, sends: "json", answers: "json" },
  getFailures: { method: "GET", path: "/v1/stats/failures", takesKey: false, sends: "json", answers: "json" },
  startRun: { method: "POST", path: "/v1/tasks/{taskId}/worker-runs", takesKey: true, sends: "json", answers: "json" },
  claimRuns: { method: "POST", path: "/v1/worker-runs/claim", takesKey: true, sends: "json", answers: "json" },
  reportRun: { method: "PATCH", path: "/v1/worker-runs/{runId}", takesKey: true, sends: "json", answers: "json" },
  listRuns: { method: "GET", path: "/v1/worker-runs", takesKey: false, sends: "json", answers: "json" },
  listPipelines: { method: "GET", path: "/v1/pipelines", takesKey: false, sends: "json", answers: "json" },
  putPipeline: { method: "PUT", path: "/v1/pipelines/{name}", takesKey: false, sends: "json", answers: "json" },
  rotatePipelineSecret: { method: "POST", path: "/v1/pipelines/{name}/rotate", takesKey: true, sends: "json", answers: "json" },
  listDispatches: { method: "GET", path: "/v1/dispatches", takesKey: false, sends: "json", answers: "json" },
  getDispatch: { method: "GET", path: "/v1/dispatches/{dispatchId}", takesKey: false, sends: "json", answers: "json" },
  retryDispatch: { method: "POST", path: "/v1/dispatches/{dispatchId}/retry", takesKey: true, sends: "json", answers: "json" },
  recallDispatch: { method: "POST", path: "/v1/dispatches/{dispatchId}/recall", takesKey: true, sends: "json", answers: "json" },
  recordPrompt: { method: "POST", path: "/v1/tasks/{taskId}/prompts", takesKey: true, sends: "json", answers: "json" },
  listPrompts: { method: "GET", path: "/v1/prompts", takesKey: false, sends: "json", answers: "json" },
  declareData: { method: "POST", path: "/v1/tasks/{taskId}/data", takesKey: true, sends: "json", answers: "json" },
  listData: { method: "GET", path: "/v1/data", takesKey: false, sends: "json", answers: "json" },
  getData: { method: "GET", path: "/v1/data/{dataId}", takesKey: false, sends: "json", answers: "json" },
  storeContent: { method: "PUT", path: "/v1/data/{dataId}/content", takesKey: false, sends: "bytes", answers: "json" },
  getContent: { method: "GET", path: "/v1/data/{dataId}/content", takesKey: false, sends: "json", answers: "bytes" },
  createEval: { method: "POST", path: "/v1/tasks/{taskId}/evals", takesKey: true, sends: "json", answers: "json" },
  listEvals: { method: "GET", path: "/v1/evals", takesKey: false, sends: "json", answers: "json" },
  getEval: { method: "GET", path: "/v1/evals/{evalId}", takesKey: false, sends: "json", answers: "json" },
  transitionEval: { method: "PATCH", path: "/v1/evals/{evalId}", takesKey: true, sends: "json", answers: "json" },
  listEvalEvents: { method: "GET", path: "/v1/evals/{evalId}/events", takesKey: false, sends: "json", answers: "json" },
  verifyEvalEvents: { method: "GET", path: "/v1/evals/{evalId}/events/verify", takesKey: false, sends: "json", answers: "json" },
  recordEvaluation: { method: "POST", path: "/v1/evals/record", takesKey: true, sends: "json", answers: "json" },
  getEvalSummary: { method: "GET", path: "/v1/evals/{evalId}/summary", takesKey: false, sends: "json", answers: "json" },
  summariseEvals: { method: "GET", path: "/v1/evals/summary", takesKey: false, sends: "json", answers: "json" },
  getDataLineage: { method: "GET", path: "/v1/data/{dataId}/lineage", takesKey: false, sends: "json", answers: "json" },
  getTaskLineage: { method: "GET", path: "/v1/tasks/{taskId}/lineage", takesKey: false, sends: "json", answers: "json" },
  recordTrials: { method: "POST", path: "/v1/evals/{evalId}/trials", takesKey: true, sends: "json", answers: "json" },
  listTrials: { method: "GET", path: "/v1/evals/{evalId}/trials", takesKey: false, sends: "json", answers: "json" },
  transitionTrial: { method: "PATCH", path: "/v1/trials/{trialId}", takesKey: true, sends: "json", answers: "json" },
  retractTrial: { method: "POST", path: "/v1/trials/{trialId}/retract", takesKey: true, sends: "json", answers: "json" },
  createInsight: { method: "POST", path: "/v1/insights", takesKey: true, sends: "json", answers: "json" },
  listInsights: { method: "GET", path: "/v1/insights", takesKey: false, sends: "json", answers: "json" },
  reportInsight: { method: "PATCH", path: "/v1/insights/{insightId}", takesKey: true, sends: "json", answers: "json" },
  putWebhook: { method: "PUT", path: "/v1/webhooks/{name}", takesKey: false, sends: "json", answers: "json" },
  deleteWebhook: { method: "DELETE", path: "/v1/webhooks/{name}", takesKey: false, sends: "json", answers: "json" },
  listWebhooks: { method: "GET", path: "/v1/webhooks", takesKey: false, sends: "json", answers: "json" },
  pingWebhook: { method: "POST", path: "/v1/webhooks/{name}/ping", takesKey: false, sends: "json", answers: "json" },
  rotateWebhookSecret: { method: "POST", path: "/v1/webhooks/{name}/rotate", takesKey: true, sends: "json", answers: "json" },
  listWebhookDeliveries: { method: "GET", path: "/v1/webhooks/{name}/deliveries", takesKey: false, sends: "json", answers: "json" },
  retryWebhookDelivery: { method: "POST", path: "/v1/webhooks/{name}/deliveries/{deliveryId}/retry", takesKey: true, sends: "json", answers: "json" },
  getRegistry: { method: "GET", path: "/v1/registry", takesKey: false, sends: "json", answers: "json" },
  getMe: { method: "GET", path: "/v1/me", takesKey: false, sends: "json", answers: "json" },
  createApiKey: { method: "POST", path: "/v1/api-keys", takesKey: true, sends: "json", answers: "json" },
  listApiKeys: { method: "GET", path: "/v1/api-keys", takesKey: false, sends: "json", answers: "json" },
  revokeApiKey: { method: "DELETE", path: "/v1/api-keys/{keyId}", takesKey: false, sends: "json", answers: "json" },
  getHealth: { method: "GET", path: "/healthz", takesKey: false, sends: "json", answers: "json" },
  getReadiness: { method: "GET", path: "/readyz", takesKey: false, sends: "json", answers: "json" },
} as const satisfies Record<keyof Operations, object>;

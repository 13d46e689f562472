// Generated from the service's contracts by `npm run generate`. Do not edit.

export type TaskLabelChangedMessage = {
  type: "task.label_changed";
  timestamp: string;
  /** A task was created, or its label changed. */
  data: {
    taskId: string;
    externalId: string | null;
    /** The event that caused the change. Of two messages, the one with the higher number is newer. */
    eventSeq: number;
    /** The time of the event. */
    at: string;
    /** The title at that time. */
    title: string;
    /** Null if the event created the task. */
    from: "DRAFT" | "CHECKING_QUALITY" | "QUALITY_CHECK_FAILED" | "READY_TO_SUBMIT" | "SUBMITTED" | "GENERATING_OUTPUT" | "OUTPUT_FAILED" | "IN_REVIEW" | "CHANGES_REQUESTED" | "PASSED" | "DELIVERED" | "REJECTED" | "DUPLICATE" | null;
    to: "DRAFT" | "CHECKING_QUALITY" | "QUALITY_CHECK_FAILED" | "READY_TO_SUBMIT" | "SUBMITTED" | "GENERATING_OUTPUT" | "OUTPUT_FAILED" | "IN_REVIEW" | "CHANGES_REQUESTED" | "PASSED" | "DELIVERED" | "REJECTED" | "DUPLICATE";
    /** The bulk operation that made the change. */
    bulkOperationId: string | null;
  };
};

export type TaskAttentionMessage = {
  type: "task.attention";
  timestamp: string;
  /** The attention codes of a task changed. */
  data: {
    taskId: string;
    externalId: string | null;
    /** The event that caused the change. Of two messages, the one with the higher number is newer. */
    eventSeq: number;
    /** The time of the event. */
    at: string;
    added: ReadonlyArray<"errored" | "blocked" | "revoked" | "cancelled" | "idle" | "standing_failure" | "ready">;
    removed: ReadonlyArray<"errored" | "blocked" | "revoked" | "cancelled" | "idle" | "standing_failure" | "ready">;
    /** All codes after the change. */
    attention: ReadonlyArray<"errored" | "blocked" | "revoked" | "cancelled" | "idle" | "standing_failure" | "ready">;
  };
};

export type BulkFinishedMessage = {
  type: "bulk.finished";
  timestamp: string;
  /** A bulk operation ended. */
  data: {
    operationId: string;
    /** Null if the operation had a target status. */
    action: "advance" | "retry" | "run_pipelines" | "edit" | "archive" | "restore" | "rework" | "revert" | null;
    /** Null if the operation had an action. */
    targetStatus: "DRAFT" | "CHECKING_QUALITY" | "QUALITY_CHECK_FAILED" | "READY_TO_SUBMIT" | "SUBMITTED" | "GENERATING_OUTPUT" | "OUTPUT_FAILED" | "IN_REVIEW" | "CHANGES_REQUESTED" | "PASSED" | "DELIVERED" | "REJECTED" | "DUPLICATE" | null;
    reason: string;
    actor: {
      id: string;
      name: string;
    };
    state: "completed" | "partial" | "failed" | "refused" | "cancelled";
    /** The number of tasks by outcome. */
    counts: {
      requested: number;
      changed: number;
      refused: number;
      stale: number;
      failed: number;
    };
    /** The number of pipelines that were dispatched. */
    dispatched: number;
    /** The number of dispatches that a revert recalled before delivery. */
    recalled: number;
    /** The number of dispatches that a revert could not recall. */
    alreadyDelivered: number;
    /** The operation that it retried or reverted. */
    parentId: string | null;
    createdAt: string;
    finishedAt: string;
  };
};

export type DispatchDeadMessage = {
  type: "dispatch.dead";
  timestamp: string;
  /** A pipeline was requested but could not be called. A person has to look into it. */
  data: {
    dispatchId: string;
    pipeline: "quality_automation" | "output_generation" | "post_qa_scoring" | "payment";
    taskId: string;
    reason: string;
    at: string;
  };
};

export type WebhookPingMessage = {
  type: "webhook.ping";
  timestamp: string;
  data: {
    /** The webhook's name. */
    webhook: string;
  };
};

export type PipelineRequestedMessage = {
  type: "pipeline.requested";
  timestamp: string;
  data: {
    dispatchId: Id;
    pipeline: "quality_automation" | "output_generation" | "post_qa_scoring" | "payment";
    run: {
      id: Id;
      type: "QUALITY_AUTOMATION" | "EXPERT_REVIEW" | "OUTPUT_GENERATION" | "POST_QA_SCORING" | "PAYMENT";
      attempt: number;
      deadlineAt: Timestamp;
    };
    task: Task;
    version: {
      id: Id;
      number: number;
      contentHash: string;
    };
    step: Step;
    /** The path to which the worker reports, relative to the address of this service. */
    reportTo: string;
  };
};

export type Id = string;

export type Timestamp = string;

export type Task = {
  id: Id;
  externalId: string | null;
  title: string;
  taxonomyCode: string | null;
  priority: number;
  assignee: string | null;
  unifiedStatus: UnifiedStatus;
  /** Why the task needs attention. Empty if it needs none. */
  attention: readonly AttentionCode[];
  statusSince: Timestamp;
  currentStep: {
    id: Id;
    kind: StepKind;
    attempt: number;
    status: StepStatus;
    gate: GateState;
    hold: Hold | null;
  };
  activeVersion: {
    id: Id;
    number: number;
  };
  /** The number of the task's newest event. It is the task's version and its `ETag`. */
  eventSeq: number;
  archivedAt: Timestamp | null;
  /** The task that this duplicate names. Null if it names none, or is no duplicate. */
  duplicateOf: Id | null;
  createdAt: Timestamp;
  updatedAt: Timestamp;
};

/** The label that summarizes the task's status, derived from its current step. */
export type UnifiedStatus = "DRAFT" | "CHECKING_QUALITY" | "QUALITY_CHECK_FAILED" | "READY_TO_SUBMIT" | "SUBMITTED" | "GENERATING_OUTPUT" | "OUTPUT_FAILED" | "IN_REVIEW" | "CHANGES_REQUESTED" | "PASSED" | "DELIVERED" | "REJECTED" | "DUPLICATE";

export type AttentionCode = "errored" | "blocked" | "revoked" | "cancelled" | "idle" | "standing_failure" | "ready";

export type StepKind = "ingestion" | "authoring" | "pre_qa" | "output_generation" | "expert_review" | "calibration" | "delivery";

export type StepStatus = "pending" | "queued" | "running" | "paused" | "awaiting_input" | "awaiting_review" | "in_review" | "changes_requested" | "approved" | "rejected" | "duplicate" | "failed" | "cancelled";

export type GateState = "locked" | "pending" | "evaluating" | "awaiting_review" | "blocked" | "passed" | "waived" | "failed" | "errored" | "revoked";

/** A hold on a step. While it lasts, the step's gate is `blocked`, and no decision can be taken on the step. */
export type Hold = {
  /** The number of the event that put the hold. */
  seq: number;
  /** The gate that the step would have without the hold. */
  gate: GateState;
};

export type Step = {
  id: Id;
  taskId: Id;
  versionId: Id;
  kind: StepKind;
  attempt: number;
  status: StepStatus;
  gate: GateState;
  hold: Hold | null;
  /** The workers' reports whose moves wait until the step is neither held nor paused, oldest first. */
  deferred: ReadonlyArray<{
    runId: Id;
    /** The event that recorded the report. */
    seq: number;
    statuses: readonly StepStatus[];
    verdict: "passed" | "failed" | null;
  }>;
  /** Whether this is the task's current step. */
  current: boolean;
};

export type Problem = {
  type: string;
  title: string;
  status: number;
  detail: string;
  /** The request id. */
  instance: string;
  error: ErrorCode;
  /** `same`: the same request can succeed later. `reload`: fetch the current state and decide again. `never`: this request cannot succeed. */
  retry: "same" | "reload" | "never";
  issues?: readonly Issue[] | undefined;
  /** The calls that the task's current state allows. */
  next?: readonly LawfulCall[] | undefined;
  [member: string]: unknown;
};

export type ErrorCode = "validation_failed" | "malformed_json" | "json_too_deep" | "duplicate_key" | "too_many_items" | "invalid_cursor" | "invalid_plan_token" | "url_not_allowed" | "idempotency_key_required" | "unauthenticated" | "forbidden" | "not_a_demo" | "csrf_rejected" | "not_found" | "method_not_allowed" | "request_timeout" | "invalid_transition" | "gate_closed" | "no_next_step" | "already_in_status" | "step_not_current" | "version_sealed" | "archived" | "plan_stale" | "plan_expired" | "not_revertible" | "not_retriable" | "stale" | "lease_lost" | "claim_taken" | "conflict" | "too_many_keys" | "key_ended" | "last_admin_key" | "operation_in_progress" | "version_conflict" | "payload_too_large" | "unsupported_media_type" | "range_not_satisfiable" | "idempotency_key_reused" | "rate_limited" | "internal" | "unavailable";

export type Issue = {
  path: ReadonlyArray<string | number>;
  code: string;
  message: string;
};

export type LawfulCall = {
  method: "PATCH" | "POST";
  path: string;
  body: Record<string, unknown>;
  /** Members of the body that you have to fill in. */
  needs?: readonly string[] | undefined;
};

export type CreateTask = {
  title: string;
  externalId?: ExternalId | undefined;
  taxonomyCode?: string | undefined;
  /** 0 to 100. Higher is more urgent. */
  priority?: number | undefined;
  assignee?: string | undefined;
  content?: TaskContent | undefined;
  /** The step that a task from another system is already at. Requires the `reviewer` role. */
  start?: {
    kind: StageName;
    status?: "queued" | "awaiting_review" | "approved" | "rejected" | "duplicate" | undefined;
    reason: Reason;
  } | undefined;
};

/** The task's id in the system that it comes from. Unique within the tenant. Stored as you sent it. Ids that differ only in Unicode composition (NFC, NFD) or in surrounding blanks are the same id. */
export type ExternalId = string;

export type TaskContent = {
  brief?: string | undefined;
  instructions?: string | undefined;
  metadata?: Metadata | undefined;
};

/** A JSON object of your own, returned as you sent it. */
export type Metadata = Record<string, unknown>;

/** The name of a stage. An alias from an early pilot is accepted too: `intake` (`ingestion`), `drafting` (`authoring`), `preqa` (`pre_qa`), `generation` (`output_generation`), `sme_review` (`expert_review`), `scoring` (`calibration`), `grading` (`calibration`), `handoff` (`delivery`). Answers have the name. */
export type StageName = "ingestion" | "authoring" | "pre_qa" | "output_generation" | "expert_review" | "calibration" | "delivery";

/** Why the change is made, up to 2,000 characters. Stored on the event. */
export type Reason = string;

export type TaskPage = {
  data: readonly Task[];
  /** The `cursor` of the next page; null on the last page. */
  nextCursor: string | null;
  /** Present if more than 5000 tasks match. Only the newest ones were sorted. */
  sortTruncated?: true | undefined;
};

/** Tasks that are duplicates of this task now. */
export type TaskRef = string;

/** A time with any offset from UTC (RFC 3339). Digits after the microsecond are cut off; at most nine are allowed. A date alone includes that day, from its first moment in UTC. */
export type AfterTime = string;

/** A time with any offset from UTC (RFC 3339). Digits after the microsecond are cut off; at most nine are allowed. A date alone means the first moment of that day in UTC. */
export type TimeOrDay = string;

/** A point in the task's history: a time with any offset, or `seq:` followed by the number of an event. */
export type AsOf = string;

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
  /** The calls that the caller can make now. Null with `asOf`. */
  next: readonly LawfulCall[] | null;
  /** The other calls that exist for tasks at this stage, each with the error that it would get now. Null with `asOf`. */
  closed: ReadonlyArray<{
    call: {
      method: "PATCH" | "POST";
      path: string;
      body: Record<string, unknown>;
    };
    code: "validation_failed" | "malformed_json" | "json_too_deep" | "duplicate_key" | "too_many_items" | "invalid_cursor" | "invalid_plan_token" | "url_not_allowed" | "idempotency_key_required" | "unauthenticated" | "forbidden" | "not_a_demo" | "csrf_rejected" | "not_found" | "method_not_allowed" | "request_timeout" | "invalid_transition" | "gate_closed" | "no_next_step" | "already_in_status" | "step_not_current" | "version_sealed" | "archived" | "plan_stale" | "plan_expired" | "not_revertible" | "not_retriable" | "stale" | "lease_lost" | "claim_taken" | "conflict" | "too_many_keys" | "key_ended" | "last_admin_key" | "operation_in_progress" | "version_conflict" | "payload_too_large" | "unsupported_media_type" | "range_not_satisfiable" | "idempotency_key_reused" | "rate_limited" | "internal" | "unavailable";
    detail: string;
    /** The role that the call needs, if that is what is missing. */
    required?: "viewer" | "operator" | "reviewer" | "admin" | "service" | undefined;
  }> | null;
};

/** The first rule whose conditions all hold gives the label. A condition that is null always holds. */
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

/** The facts about the current step that its label depends on. */
export type LabelFacts = {
  kind: StepKind;
  status: StepStatus;
  gate: GateState;
  /** The gate that the step would have without its hold. Rules read it in place of `gate`, because a hold changes no label. */
  heldGate: GateState | null;
  reviewFailed: boolean;
  runningWorkers: readonly WorkerType[];
  idle: boolean;
};

export type Moved = {
  task: Task;
  /** The task's current step after the call. */
  step: Step;
  /** The events that the call wrote, in order. */
  events: readonly StepEvent[];
  /** The pipeline runs that the call requested. */
  dispatched: ReadonlyArray<{
    id: Id;
    pipeline: PipelineName;
  }>;
};

export type StepEvent = {
  stream: "task";
  taskId: Id;
  seq: number;
  actor: Actor;
  reason: string | null;
  /** Details that depend on the event's type. */
  payload?: unknown;
  operationId: Id;
  requestId: string;
  registryVersion: number;
  at: Timestamp;
  /** The text that is hashed: `hash` is `sha256(prevHash || canonical)`. */
  canonical: string;
  prevHash: Sha256;
  hash: Sha256;
  type: StepEventType;
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

/** Who made the change, with the name and role that they had at that time. */
export type Actor = {
  id: string;
  name: string;
  kind: "person" | "key" | "service" | "system";
  role: "viewer" | "operator" | "reviewer" | "admin" | "service";
};

/** A SHA-256 digest in lower-case hex. */
export type Sha256 = string;

export type StepEventType = "task_created" | "step_transitioned" | "gate_changed" | "step_advanced" | "step_reworked" | "version_created" | "review_recorded" | "review_withdrawn" | "worker_run_changed" | "bulk_transitioned" | "bulk_reverted" | "task_updated" | "task_archived" | "task_restored" | "note_added" | "step_idled";

export type PipelineName = "quality_automation" | "output_generation" | "post_qa_scoring" | "payment";

export type TransitionStep = {
  status: StepStatus;
  reason?: Reason | undefined;
  payload?: Metadata | undefined;
  /** A task's id, or `ext:` followed by its external id. */
  duplicateOf?: TaskRef | undefined;
  /** Whether the pipelines attached to the change run. By default they run if a person changes a single task, and do not run for a change of many tasks or for the `service` role. */
  runAttachedWorkflows?: boolean | undefined;
};

export type AdvanceTask = {
  reason?: Reason | undefined;
  hold?: boolean | undefined;
  /** Whether the pipelines attached to the change run. By default they run if a person changes a single task, and do not run for a change of many tasks or for the `service` role. */
  runAttachedWorkflows?: boolean | undefined;
};

export type ReworkTask = {
  toKind: StageName;
  reason: Reason;
  /** Whether the pipelines attached to the change run. By default they run if a person changes a single task, and do not run for a change of many tasks or for the `service` role. */
  runAttachedWorkflows?: boolean | undefined;
};

export type Reviewed = {
  review: {
    id: Id;
    stepId: Id;
    kind: "automated" | "expert";
    outcome: "passed" | "failed";
    /** The review's number within the task. Reviews are ordered by it, not by time. */
    sequence: number;
    notes: string | null;
  };
  task: Task;
  /** The task's current step after the call. */
  step: Step;
  /** The events that the call wrote, in order. */
  events: readonly StepEvent[];
  /** The pipeline runs that the call requested. */
  dispatched: ReadonlyArray<{
    id: Id;
    pipeline: PipelineName;
  }>;
};

export type RecordReview = {
  /** The step that the reviewer has read: `currentStep.id` of the task as it was shown. If the task has moved on from this step, the call is refused and nothing is recorded. */
  stepId?: Id | undefined;
  kind: "automated" | "expert";
  outcome: "passed" | "failed";
  notes?: string | undefined;
  move?: {
    status: StepStatus;
    reason?: Reason | undefined;
    /** A task's id, or `ext:` followed by its external id. */
    duplicateOf?: TaskRef | undefined;
    /** Whether the pipelines attached to the change run. By default they run if a person changes a single task, and do not run for a change of many tasks or for the `service` role. */
    runAttachedWorkflows?: boolean | undefined;
  } | undefined;
};

export type EvalEvent = {
  stream: "eval";
  taskId: Id;
  seq: number;
  actor: Actor;
  reason: string | null;
  /** Details that depend on the event's type. */
  payload?: unknown;
  operationId: Id;
  requestId: string;
  registryVersion: number;
  at: Timestamp;
  /** The text that is hashed: `hash` is `sha256(prevHash || canonical)`. */
  canonical: string;
  prevHash: Sha256;
  hash: Sha256;
  evalId: Id;
  trialId: Id | null;
  type: EvalEventType;
  from: "draft" | "queued" | "running" | "completed" | "failed" | "cancelled" | null;
  to: "draft" | "queued" | "running" | "completed" | "failed" | "cancelled";
};

export type EvalEventType = "eval_created" | "eval_transitioned" | "eval_updated" | "trials_recorded" | "trial_transitioned" | "trial_retracted";

export type EventType = "task_created" | "step_transitioned" | "gate_changed" | "step_advanced" | "step_reworked" | "version_created" | "review_recorded" | "review_withdrawn" | "worker_run_changed" | "bulk_transitioned" | "bulk_reverted" | "task_updated" | "task_archived" | "task_restored" | "note_added" | "step_idled" | "eval_created" | "eval_transitioned" | "eval_updated" | "trials_recorded" | "trial_transitioned" | "trial_retracted";

export type ImportedTasks = {
  counts: {
    requested: number;
    created: number;
    exists: number;
    differs: number;
    invalid: number;
  };
  items: ReadonlyArray<{
    index: number;
    externalId: string | null;
    outcome: "created" | "exists" | "differs" | "invalid";
    id?: Id | undefined;
    differences?: ReadonlyArray<{
      path: readonly string[];
      existing: string | null;
      given: string | null;
    }> | undefined;
    issues?: ReadonlyArray<{
      path: ReadonlyArray<string | number>;
      code: string;
      message: string;
    }> | undefined;
  }>;
};

export type ImportTasks = {
  tasks: readonly CreateTask[];
  /** Only returns what the import would do now; writes nothing. */
  dryRun?: boolean | undefined;
};

export type BulkPreview = {
  targetStatus?: BulkTarget | undefined;
  action?: BulkAction | undefined;
  changes?: BulkEdit | undefined;
  toKind?: StepKind | undefined;
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
    conflict?: number | undefined;
    invalid_transition?: number | undefined;
    no_next_step?: number | undefined;
    no_pipeline?: number | undefined;
    already_dispatched?: number | undefined;
  };
  /** The pipelines that run if `runAttachedWorkflows` is `true`. */
  pipelines: ReadonlyArray<{
    name: PipelineName;
    tasks: number;
    alreadyDispatched: number;
  }>;
  /** The tasks that match the filter. Pass them to the execution. */
  taskIds?: readonly Id[] | undefined;
  /** The first 1000 decisions, and all refusals. */
  items: ReadonlyArray<{
    taskId: string;
    decision: "eligible" | "refused";
    code?: "not_found" | "archived" | "already_in_status" | "illegal_target" | "gate_closed" | "self_duplicate" | "conflict" | "invalid_transition" | "no_next_step" | "no_pipeline" | "already_dispatched" | undefined;
    from: UnifiedStatus | null;
    /** The task's label after the change. For a refused task, the requested target, or null if there is none. */
    to: UnifiedStatus | null;
    allowed?: readonly BulkTarget[] | undefined;
    warnings?: ReadonlyArray<"worker_live" | "no_verdict" | "in_delivery" | "standing_failure"> | undefined;
  }>;
  /** Pass it to the execution, to make sure that tasks have not changed since. */
  planToken: string;
  expiresAt: Timestamp;
  /** The text of a button that executes the plan. */
  primaryLabel: string;
};

export type BulkTarget = "SUBMITTED" | "IN_REVIEW" | "CHANGES_REQUESTED" | "PASSED" | "REJECTED" | "DUPLICATE";

export type BulkAction = "advance" | "retry" | "run_pipelines" | "edit" | "archive" | "restore" | "rework";

export type BulkEdit = {
  assignee?: string | null | undefined;
  /** 0 to 100. Higher is more urgent. */
  priority?: number | undefined;
};

export type PreviewBulk = {
  targetStatus?: BulkTarget | undefined;
  /** The action to apply instead of a `targetStatus`. `advance` opens the next stage of tasks with an open gate. `retry` requeues steps that failed or were cancelled. `run_pipelines` dispatches the pipelines that are attached to waiting steps. `edit` sets the fields in `changes`. `archive` and `restore` put tasks away and bring them back. `rework` opens a new attempt of the stage `toKind`. */
  action?: BulkAction | undefined;
  /** The fields to set. Required for the action `edit`, and not allowed otherwise. */
  changes?: BulkEdit | undefined;
  /** The stage to go back to. Required for the action `rework`, and not allowed otherwise. */
  toKind?: StageName | undefined;
  /** The task that the others duplicate. Only for the target `DUPLICATE`. It must not be a duplicate, rejected or archived itself, or the request returns 409 `conflict`. */
  duplicateOf?: TaskRef | undefined;
  /** Whether the pipelines that are attached to the change run. Must be `true` to execute `run_pipelines`. */
  runAttachedWorkflows?: boolean | undefined;
  /** The tasks to change. Duplicates are ignored. */
  taskIds?: readonly ListedTaskRef[] | undefined;
  filter?: TaskFilter | undefined;
  reason?: Reason | undefined;
  /** Ignored. Accepted so that you can preview the body of an execution. */
  planToken?: string | undefined;
  /** Ignored. Accepted so that you can preview the body of an execution. */
  onStale?: "abort" | "skip" | undefined;
};

/** A task's id, or `ext:` followed by its external id. A malformed one is treated like that of a task that does not exist. */
export type ListedTaskRef = string;

export type TaskFilter = {
  /** Tasks with any of these labels. */
  unifiedStatus?: readonly UnifiedStatus[] | undefined;
  /** Tasks with any of these attention codes. */
  attention?: readonly AttentionCode[] | undefined;
  stepKind?: StageName | undefined;
  stepStatus?: StepStatus | undefined;
  gate?: GateState | undefined;
  taxonomyCode?: string | undefined;
  assignee?: string | undefined;
  externalId?: string | undefined;
  /** Text that the title or the external id contains, ignoring case and Unicode composition. At least 3 characters, or 2 if one of them is Chinese, Japanese or Korean. */
  q?: string | undefined;
  /** Tasks with a prompt, a data item, a trial, or an insight that this model produced. */
  model?: string | undefined;
  /** Tasks that this bulk operation changed. */
  bulkOperationId?: Id | undefined;
  duplicateOf?: TaskRef | undefined;
  createdAfter?: AfterTime | undefined;
  createdBefore?: TimeOrDay | undefined;
  updatedAfter?: AfterTime | undefined;
  /** Tasks whose status has not changed since before this time. */
  statusBefore?: TimeOrDay | undefined;
  /** 0 to 100. Higher is more urgent. */
  priority?: number | undefined;
  /** `true` returns only archived tasks. By default, only tasks that are not archived are returned. */
  archived?: boolean | undefined;
};

export type BulkExecution = {
  operationId: Id;
  state: "completed" | "partial" | "failed" | "refused" | "cancelled";
  counts: {
    requested: number;
    changed: number;
    refused: number;
    stale: number;
    failed: number;
  };
  /** The number of pipelines that were dispatched. */
  dispatched: number;
  /** The number of tasks that were put back. Only for reverts. */
  reverted?: number | undefined;
  /** The number of tasks that changed since and were left as they are. Only for reverts. */
  movedOn?: number | undefined;
  /** The number of dispatches that were recalled before delivery. Only for reverts. */
  recalled?: number | undefined;
  /** The number of dispatches that were already delivered, or were being delivered. Only for reverts. */
  alreadyDelivered?: number | undefined;
  items: ReadonlyArray<{
    taskId: string;
    outcome: "pending" | "changed" | "refused" | "stale" | "failed";
    /** Why the task was not changed. */
    code?: string | undefined;
    from: UnifiedStatus | null;
    /** The task's label after the change. For a refused task, the requested target, or null if there is none. */
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
  /** The action to apply instead of a `targetStatus`. `advance` opens the next stage of tasks with an open gate. `retry` requeues steps that failed or were cancelled. `run_pipelines` dispatches the pipelines that are attached to waiting steps. `edit` sets the fields in `changes`. `archive` and `restore` put tasks away and bring them back. `rework` opens a new attempt of the stage `toKind`. */
  action?: BulkAction | undefined;
  /** The fields to set. Required for the action `edit`, and not allowed otherwise. */
  changes?: BulkEdit | undefined;
  /** The stage to go back to. Required for the action `rework`, and not allowed otherwise. */
  toKind?: StageName | undefined;
  /** The task that the others duplicate. Only for the target `DUPLICATE`. It must not be a duplicate, rejected or archived itself, or the request returns 409 `conflict`. */
  duplicateOf?: TaskRef | undefined;
  /** Whether the pipelines that are attached to the change run. Must be `true` to execute `run_pipelines`. */
  runAttachedWorkflows?: boolean | undefined;
  /** The tasks to change. Duplicates are ignored. */
  taskIds: readonly ListedTaskRef[];
  reason: Reason;
  planToken?: string | undefined;
  onStale?: "abort" | "skip" | undefined;
};

export type Person = {
  id: Id;
  /** The subject of the person's tokens, and the actor's id in the events of these tokens. */
  subject: string | null;
  name: string;
  email: string | null;
  /** The person's role if a token names none. An API key has a role of its own. */
  role: "viewer" | "operator" | "reviewer" | "admin" | null;
  active: boolean;
  createdAt: Timestamp;
  updatedAt: Timestamp;
};

export type PutPerson = {
  name: string;
  subject?: string | null | undefined;
  email?: string | null | undefined;
  role?: "viewer" | "operator" | "reviewer" | "admin" | null | undefined;
  active?: boolean | undefined;
  reason?: Reason | undefined;
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
    idle?: number | undefined;
    standing_failure?: number | undefined;
    ready?: number | undefined;
  };
};

export type TaskIds = {
  ids: readonly Id[];
  /** Whether more than 50000 tasks match. */
  truncated: boolean;
};

export type VersionSummary = {
  id: Id;
  taskId: Id;
  number: number;
  /** The SHA-256 of the content, in hex. */
  contentHash: string;
  /** The version's current step. For a sealed version, the last one. */
  currentStepId: Id;
  reason: string | null;
  createdBy: string;
  createdAt: Timestamp;
  /** Null for the active version. */
  sealedAt: Timestamp | null;
};

export type Version = {
  id: Id;
  taskId: Id;
  number: number;
  /** The SHA-256 of the content, in hex. */
  contentHash: string;
  /** The version's current step. For a sealed version, the last one. */
  currentStepId: Id;
  reason: string | null;
  createdBy: string;
  createdAt: Timestamp;
  /** Null for the active version. */
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
    /** The number of items that both versions have. */
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
      agentRevision: string | null;
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
      agentRevision: string | null;
      provider: string | null;
      role: string;
      contentHash: string;
    }>;
    /** The number of items that both versions have. */
    same: number;
  };
  data: {
    added: ReadonlyArray<{
      id: Id;
      stepId: Id;
      model: string | null;
      modelRevision: string | null;
      agent: string | null;
      agentRevision: string | null;
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
      agentRevision: string | null;
      provider: string | null;
      kind: string;
      sha256: string;
    }>;
    /** The number of items that both versions have. */
    same: number;
  };
  /** Whether a version has more prompts or data than were compared. */
  truncated: boolean;
};

/** A change from the first content to the second. Apply the changes in order. `edited` is a line-by-line change of the brief or the instructions. If the two texts have too little in common, the text is `changed` as a whole. */
export type ContentChange = {
  op: "added";
  /** Object keys and list indexes, from the outermost to the innermost. */
  path: ReadonlyArray<string | number>;
  /** Any JSON value. */
  to?: unknown;
} | {
  op: "removed";
  /** Object keys and list indexes, from the outermost to the innermost. */
  path: ReadonlyArray<string | number>;
  /** Any JSON value. */
  from?: unknown;
} | {
  op: "changed";
  /** Object keys and list indexes, from the outermost to the innermost. */
  path: ReadonlyArray<string | number>;
  /** Any JSON value. */
  from?: unknown;
  /** Any JSON value. */
  to?: unknown;
} | {
  op: "edited";
  /** Object keys and list indexes, from the outermost to the innermost. */
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
  /** The number of events. */
  events: number;
  /** The hash of the newest event, as stored on the task or the eval, in hex. */
  head: string;
  /** The first event that fails verification: it is `missing`, does not link to the previous event (`broken_link`), was `changed`, or does not match the stored head (`head_differs`). Null if the history is valid. */
  firstBroken: {
    seq: number;
    reason: "missing" | "broken_link" | "changed" | "head_differs";
  } | null;
};

export type Feed = {
  data: ReadonlyArray<StepEvent | EvalEvent>;
  nextCursor: string;
  /** Whether the page ends with the newest committed event. A page can be short without this. */
  caughtUp: boolean;
};

export type TrialStatus = "pending" | "running" | "passed" | "failed" | "scored" | "errored";

export type CreateVersion = {
  content: TaskContent;
  reason: Reason;
  firstKind?: FirstKind | undefined;
  /** Whether the pipelines attached to the change run. By default they run if a person changes a single task, and do not run for a change of many tasks or for the `service` role. */
  runAttachedWorkflows?: boolean | undefined;
};

/** The name of a stage at which a new version can begin. An alias from an early pilot is accepted too: `intake` (`ingestion`), `drafting` (`authoring`), `preqa` (`pre_qa`). Answers have the name. */
export type FirstKind = "ingestion" | "authoring" | "pre_qa";

export type EditTask = {
  title?: string | undefined;
  externalId?: ExternalId | null | undefined;
  taxonomyCode?: string | null | undefined;
  /** 0 to 100. Higher is more urgent. */
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
  /** The text of the note, up to 2,000 characters. */
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
    issues?: ReadonlyArray<{
      path: ReadonlyArray<string | number>;
      code: string;
      message: string;
    }> | undefined;
    eventSeq?: number | undefined;
  }>;
};

export type MoveTasks = {
  moves: readonly Move[];
  /** Whether the pipelines attached to the change run. By default they run if a person changes a single task, and do not run for a change of many tasks or for the `service` role. */
  runAttachedWorkflows?: boolean | undefined;
};

export type Move = {
  task: ListedTaskRef;
  status?: StepStatus | undefined;
  advance?: true | undefined;
  /** The stage to go back to. */
  rework?: StageName | undefined;
  reason?: Reason | undefined;
  /** The task's expected `eventSeq`. If it differs, the move is `stale`. */
  ifSeq?: number | undefined;
};

export type BulkOperation = {
  id: Id;
  targetStatus: BulkTarget | null;
  /** The action, if the operation has no target. `revert` reverts the operation `parentId`. */
  action: "advance" | "retry" | "run_pipelines" | "edit" | "archive" | "restore" | "rework" | "revert" | null;
  changes: BulkEdit | null;
  toKind: StepKind | null;
  reason: string;
  duplicateOf: Id | null;
  runAttachedWorkflows: boolean;
  actor: {
    id: string;
    name: string;
  };
  state: "queued" | "running" | "completed" | "partial" | "failed" | "refused" | "cancelled";
  counts: {
    requested: number;
    changed: number;
    refused: number;
    stale: number;
    failed: number;
  };
  dispatched: number;
  /** The number of dispatches that a revert recalled before delivery. */
  recalled: number;
  /** The number of dispatches that a revert could not recall. */
  alreadyDelivered: number;
  progress: {
    done: number;
    pending: number;
    at: Timestamp;
  };
  cancelRequestedAt: Timestamp | null;
  /** The operation that this one retries or reverts. */
  parentId: Id | null;
  revertedBy: Id | null;
  revertible: boolean;
  createdAt: Timestamp;
  finishedAt: Timestamp | null;
};

export type PlanRetryOfBulkItems = Record<string, never>;

export type RetryFailedBulkItems = {
  /** Defaults to the reason of the original operation. */
  reason?: Reason | undefined;
  /** From the plan of the retry. Required, except for a revert. */
  planToken?: string | undefined;
  onStale?: "abort" | "skip" | undefined;
};

export type RevertBulkOperation = {
  reason: Reason;
};

export type BulkOperationItem = {
  position: number;
  taskId: string;
  outcome: "pending" | "changed" | "refused" | "stale" | "failed";
  /** Why the task was not changed. */
  code?: string | undefined;
  from: UnifiedStatus | null;
  /** The task's label after the change. For a refused task, the requested target, or null if there is none. */
  to: UnifiedStatus | null;
  eventSeq?: number | undefined;
  allowed?: readonly BulkTarget[] | undefined;
  /** The task's present title; null if there is no such task. */
  title: string | null;
  /** The task's present external id; null if there is no such task. */
  externalId: string | null;
  error: string | null;
};

export type AnalyticsEvent = {
  id: Id;
  name: AnalyticsEventName;
  bulkOperationId: Id | null;
  /** The event's counts and attributes. */
  properties: Record<string, string | number | boolean>;
  /** When the change was reverted. Null if it was not. */
  revertedAt: Timestamp | null;
  at: Timestamp;
};

export type AnalyticsEventName = "admin_bulk_status_terminal";

export type OutcomeStatistics = {
  /** The start of the window that the statistics cover. */
  from: Timestamp;
  to: Timestamp;
  /** Whether `from` is later than requested, because at most the newest 300000 tasks are read. */
  truncated: boolean;
  tasks: number;
  outcomes: Outcomes;
  stages: ReadonlyArray<{
    kind: StepKind;
    /** The number of tasks that reached this stage or a later one. */
    reached: number;
    outcomes: Outcomes;
  }>;
};

/** The number of tasks by their current terminal label. */
export type Outcomes = {
  /** Tasks with any other label. */
  open: number;
  PASSED: number;
  DELIVERED: number;
  REJECTED: number;
  DUPLICATE: number;
};

export type ThroughputStatistics = {
  bucket: "hour" | "day" | "week";
  timeZone: string;
  /** The start of the window that the statistics cover. */
  from: Timestamp;
  to: Timestamp;
  /** Whether `from` is later than requested, because at most the newest 500000 events are read. */
  truncated: boolean;
  buckets: ReadonlyArray<{
    start: Timestamp;
    created: number;
    /** The number of tasks that completed each stage: they advanced to the next stage, or were delivered from the last one. */
    completed: {
      ingestion?: number | undefined;
      authoring?: number | undefined;
      pre_qa?: number | undefined;
      output_generation?: number | undefined;
      expert_review?: number | undefined;
      calibration?: number | undefined;
      delivery?: number | undefined;
    };
    /** The number of approved steps, by stage. */
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
    /** The number of reworks, to the same or an earlier stage. */
    reworked: number;
    /** The number of new versions, not counting the first of each task. */
    revised: number;
  }>;
};

export type StageTimeStatistics = {
  /** The start of the window that the statistics cover. */
  from: Timestamp;
  to: Timestamp;
  /** Whether there are more than 200000 ends of stays and approvals. Only the newest were read. */
  truncated: boolean;
  stages: ReadonlyArray<{
    kind: StepKind;
    /** The number of stays that ended in the window. */
    stays: number;
    /** The mean and the percentiles of the durations, in seconds. Percentiles are interpolated. Null if there are no stays. */
    seconds: {
      mean: number;
      p50: number;
      p90: number;
      p99: number;
    } | null;
    /** The number of tasks that are at this stage now, regardless of the window. Excludes archived tasks and tasks that are delivered, rejected, or duplicate. */
    waiting: number;
  }>;
};

export type FailureStatistics = {
  /** The start of the window that the statistics cover. */
  from: Timestamp;
  to: Timestamp;
  stages: ReadonlyArray<{
    kind: StepKind;
    /** The number of gates that became `failed`. */
    failed: number;
    /** The number of gates that became `errored`. */
    errored: number;
    /** The number of open gates that became `revoked`. */
    revoked: number;
    /** The number of failed reviews by people and by checks. */
    failedReviews: number;
    /** The number of reworks from this stage. */
    reworked: number;
    /** The 5 most frequent errors of the worker runs that made a gate `errored`, among the newest 20000 of all stages. `error` is null if no run was the cause, or if it reported no error. */
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
  /** The review's number within the task. Reviews are ordered by it, not by time. */
  sequence: number;
  notes: string | null;
  taskId: Id;
  versionId: Id;
  reviewer: {
    id: string;
    name: string;
    /** The person whose API key or token it was. Absent for a machine. */
    personId?: Id | undefined;
  };
  /** When and why the reviewer withdrew it. Null for a review that counts. */
  withdrawn: {
    at: Timestamp;
    reason: string;
  } | null;
  createdAt: Timestamp;
};

export type Withdrawn = {
  review: {
    id: Id;
    stepId: Id;
    kind: "automated" | "expert";
    outcome: "passed" | "failed";
    /** The review's number within the task. Reviews are ordered by it, not by time. */
    sequence: number;
  };
  task: Task;
  /** The task's current step after the call. */
  step: Step;
  /** The events that the call wrote, in order. */
  events: readonly StepEvent[];
  /** The pipeline runs that the call requested. */
  dispatched: ReadonlyArray<{
    id: Id;
    pipeline: PipelineName;
  }>;
  /** How many dispatches of the undone move were recalled in time. */
  recalled: number;
  /** How many dispatches of the undone move were delivered before. */
  alreadyDelivered: number;
};

export type WithdrawReview = {
  reason: Reason;
};

export type ClaimedReviews = {
  data: readonly ReviewWork[];
};

export type ReviewWork = {
  claim: ReviewClaim;
  task: Task;
  version: {
    id: Id;
    number: number;
    contentHash: string;
  };
  step: Step;
};

export type ReviewClaim = {
  id: Id;
  taskId: Id;
  versionId: Id;
  /** Send it as `stepId` of the review. */
  stepId: Id;
  /** The number of expert reviews of the step before, plus one. */
  round: number;
  holder: {
    id: string;
    name: string;
  };
  /** Whether the caller holds it, with this or another credential. */
  isOwn: boolean;
  claimedAt: Timestamp;
  leaseUntil: Timestamp;
  /** The notes that the holder has saved. Null for everyone else. */
  draft: string | null;
};

export type ClaimReviews = {
  taxonomyCode?: string | undefined;
  max?: number | undefined;
  /** How long the caller holds the tasks, in seconds. */
  leaseSeconds?: number | undefined;
  /** Whether the caller's own work is offered too. */
  own?: boolean | undefined;
};

export type RenewReviewClaim = {
  /** By default as long as before. */
  leaseSeconds?: number | undefined;
};

export type DeclineReviewClaim = {
  reason: Reason;
};

export type SaveReviewDraft = {
  draft: string | null;
};

export type WorkerRun = {
  id: Id;
  taskId: Id;
  versionId: Id;
  stepId: Id;
  type: WorkerType;
  state: RunState;
  /** The number of times that a worker claimed the run. */
  attempt: number;
  /** Whether workers can claim the run. */
  offered: boolean;
  /** When the claimant's lease ends. Null after the first report. */
  leaseUntil: Timestamp | null;
  externalRef: string | null;
  deadlineAt: Timestamp;
  /** The verdict that the run ended with. Null if it has none. */
  verdict: "passed" | "failed" | null;
  result?: unknown;
  error: string | null;
  /** The number of reports that came after the run had ended. They changed nothing. `GET /worker-runs/{runId}/late-reports` returns them. */
  lateReports: number;
  /** The newest of them. */
  lateReport: LateReport | null;
  createdAt: Timestamp;
  updatedAt: Timestamp;
};

export type RunState = "QUEUED" | "RUNNING" | "SUCCEEDED" | "FAILED" | "CANCELLED";

export type LateReport = {
  id: Id;
  /** Null in a report that an early release kept. It stored only the result, the error, and the time. */
  state: RunState | null;
  verdict: "passed" | "failed" | null;
  result?: unknown;
  error: string | null;
  /** The attempt that the report named. */
  attempt: number | null;
  reporter: {
    id: string;
    name: string;
  } | null;
  requestId: string | null;
  at: Timestamp;
};

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
  /** The duration of the lease, in seconds: the time until the first report. */
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
  /** What of the report was only recorded: all of it (`run_ended`), or the move that it asks for (`step_left`, `deferred`, `move_refused`). Null if nothing was. */
  keptAside: {
    reason: "run_ended" | "step_left" | "deferred" | "move_refused";
    detail: string;
  } | null;
  task: Task;
  /** The task's current step after the call. */
  step: Step;
  /** The events that the call wrote, in order. */
  events: readonly StepEvent[];
  /** The pipeline runs that the call requested. */
  dispatched: ReadonlyArray<{
    id: Id;
    pipeline: PipelineName;
  }>;
};

export type ReportRun = {
  state: RunState;
  /** The run's `attempt` when the worker claimed it. Required if one did. */
  attempt?: number | undefined;
  verdict?: "passed" | "failed" | undefined;
  /** Any JSON value. */
  result?: unknown;
  error?: string | undefined;
};

export type Pipeline = {
  name: PipelineName;
  /** The URL that dispatches are sent to. Null if workers claim the runs instead. */
  endpoint: string | null;
  /** Until this time, messages are also signed with a secret that was replaced. Null if only the current secret signs. */
  previousSecretUntil: Timestamp | null;
  /** The timeout of a call to the endpoint. */
  timeoutSeconds: number;
  /** How long a run can go without a report before it fails. */
  runDeadlineSeconds: number;
  workerType: WorkerType;
  /** Null if the pipeline has its default settings. */
  updatedAt: Timestamp | null;
};

export type PipelineWithSecret = {
  name: PipelineName;
  /** The URL that dispatches are sent to. Null if workers claim the runs instead. */
  endpoint: string | null;
  /** Until this time, messages are also signed with a secret that was replaced. Null if only the current secret signs. */
  previousSecretUntil: Timestamp | null;
  /** The timeout of a call to the endpoint. */
  timeoutSeconds: number;
  /** How long a run can go without a report before it fails. */
  runDeadlineSeconds: number;
  updatedAt: Timestamp;
  /** The secret that verifies messages, for a Standard Webhooks library. Only the response of the call that created it contains it. Null if the call created none. */
  secret: string | null;
};

export type PutPipeline = {
  /** An https URL of a public host. Null if workers claim the runs. */
  endpoint: string | null;
  /** `whsec_` followed by 24 to 64 bytes in Base64. */
  secret?: string | undefined;
  timeoutSeconds?: number | undefined;
  runDeadlineSeconds?: number | undefined;
  reason?: Reason | undefined;
};

export type RotateSecret = {
  reason?: Reason | undefined;
};

export type Dispatch = {
  id: Id;
  pipeline: PipelineName;
  taskId: Id;
  versionId: Id;
  stepId: Id;
  state: DispatchState;
  /** Whether the dispatch was requested by itself, not by a change of the task. */
  byHand: boolean;
  bulkOperationId: Id | null;
  /** The number of calls to the endpoint so far. */
  attempts: number;
  /** The earliest time of the next call to the endpoint. Null if there is no wait. */
  nextAttemptAt: Timestamp | null;
  lastError: string | null;
  /** The worker run that the dispatch created. */
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
  /** Whether the dispatch was requested by itself, not by a change of the task. */
  byHand: boolean;
  bulkOperationId: Id | null;
  /** The number of calls to the endpoint so far. */
  attempts: number;
  /** The earliest time of the next call to the endpoint. Null if there is no wait. */
  nextAttemptAt: Timestamp | null;
  lastError: string | null;
  /** The worker run that the dispatch created. */
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

export type BatchResult = {
  dryRun: boolean;
  /** The number of all that match, after `after`. */
  matched: number;
  /** How many of them this call looked at: `changed`, and those in `refused`. */
  examined: number;
  /** With `dryRun`, how many the call would change. */
  changed: number;
  /** Those that were left as they are, by the reason. */
  refused: ReadonlyArray<{
    reason: string;
    detail: string;
    count: number;
    /** The ids of the first 5. */
    examples: readonly Id[];
  }>;
  /** Pass it as `after` to go on. Null if no more match. */
  nextAfter: Id | null;
};

export type ChangeDispatches = {
  /** Which dispatches: all that match every given member, as in the list. Without `state`, those in the states that the call is for. */
  filter: {
    state?: DispatchState | undefined;
    pipeline?: PipelineName | undefined;
    /** A task's id, or `ext:` followed by its external id. */
    task?: TaskRef | undefined;
    bulkOperationId?: Id | undefined;
    createdAfter?: AfterTime | undefined;
    createdBefore?: TimeOrDay | undefined;
  };
  reason: Reason;
  /** `nextAfter` of the call before, to go on where it ended. */
  after?: Id | undefined;
  /** How many this call looks at, at most. The oldest come first. */
  limit?: number | undefined;
  /** Whether only to say what the call would do. Nothing is changed then. */
  dryRun?: boolean | undefined;
};

export type Prompt = {
  id: Id;
  taskId: Id;
  versionId: Id;
  stepId: Id;
  role: string;
  content: string;
  /** The SHA-256 of the content in UTF-8, in hex. */
  contentHash: string;
  model: string | null;
  modelRevision: string | null;
  agent: string | null;
  agentRevision: string | null;
  provider: string | null;
  evalId: Id | null;
  trialId: Id | null;
  createdAt: Timestamp;
};

export type RecordPrompt = {
  /** The author of the text: `system`, `user`, `assistant`, `tool`, or a name of your own. */
  role: string;
  content: string;
  stepId?: Id | undefined;
  model?: string | undefined;
  modelRevision?: string | undefined;
  agent?: string | undefined;
  /** At most 180 bytes in UTF-8. */
  agentRevision?: string | undefined;
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
  /** The address of the content if it is stored elsewhere. */
  uri: string | null;
  storedAt: Timestamp | null;
  /** Whether the size and hash were checked against the content. */
  verified: boolean;
  model: string | null;
  modelRevision: string | null;
  agent: string | null;
  agentRevision: string | null;
  provider: string | null;
  promptId: Id | null;
  insightId: Id | null;
  /** The ids of the data items that this one was made from. */
  inputs: readonly Id[];
  createdAt: Timestamp;
};

export type DataKind = "golden" | "source" | "calibrated" | "generated" | "delivery";

export type DeclareData = {
  kind: DataKind;
  contentType: string;
  /** The size of the content in bytes. At most 104857600 without a `uri`. */
  sizeBytes: number;
  /** The SHA-256 of the content, in hex. */
  sha256: string;
  uri?: string | undefined;
  stepId?: Id | undefined;
  model?: string | undefined;
  modelRevision?: string | undefined;
  agent?: string | undefined;
  /** At most 180 bytes in UTF-8. */
  agentRevision?: string | undefined;
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
  /** The members that distinguish trials with the same `k`: always `model`, and any of `modelRevision`, `agent`, `agentRevision`, and `provider`. */
  slotBy: readonly SlotMember[];
  status: EvalStatus;
  /** The newer eval with the same version and name, if there were two before names became unique. Summaries over many evals leave the older one out. */
  twinOf: Id | null;
  /** The number of the eval's newest event. */
  eventSeq: number;
  createdAt: Timestamp;
  updatedAt: Timestamp;
};

export type SlotMember = "model" | "modelRevision" | "agent" | "agentRevision" | "provider";

export type EvalStatus = "draft" | "queued" | "running" | "completed" | "failed" | "cancelled";

export type CreateEval = {
  name: string;
  /** The number of trials for each model, or for each combination that `slotBy` names. */
  k: number;
  /** The members that distinguish trials with the same `k`: always `model`, and any of `modelRevision`, `agent`, `agentRevision`, and `provider`. Default: `model` alone. */
  slotBy?: readonly unknown[] | undefined;
  versionNumber?: number | undefined;
};

export type TransitionEval = {
  status?: EvalStatus | undefined;
  /** The number of trials for each model, or for each combination that `slotBy` names. */
  k?: number | undefined;
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
    /** The recorded trial, or the existing trial on this slot. */
    trialId?: Id | undefined;
    /** For a conflict with a trial: that trial. */
    existing?: {
      id: Id;
    } | undefined;
    /** For a conflict with a trial: every field in which the result differs from it, with both values. Long values are cut. */
    differs?: readonly FieldDifference[] | undefined;
    /** The reason for a conflict. */
    detail?: string | undefined;
  }>;
};

export type FieldDifference = {
  field: string;
  existing?: unknown;
  reported?: unknown;
};

export type RecordEvaluation = {
  name: string;
  /** The number of trials for each model, or for each combination that `slotBy` names. */
  k: number;
  /** The members that distinguish trials with the same `k`, for evals that the call creates. An existing eval must have the same members. Default: that of the existing eval, or `model` alone. */
  slotBy?: readonly unknown[] | undefined;
  results: ReadonlyArray<{
    task: ListedTaskRef;
    model: string;
    modelRevision?: string | undefined;
    agent?: string | undefined;
    /** At most 180 bytes in UTF-8. */
    agentRevision?: string | undefined;
    provider?: string | undefined;
    /** The number of this trial among those of its slot, from 1. */
    k: number;
    /** Sets the status to `passed` or `failed`. Use it instead of `status`. */
    passed?: boolean | undefined;
    /** The score. A score without `status`, `passed`, and `error` sets the status to `scored`, which is final and no verdict. Not allowed if the status is `errored`. */
    score?: number | undefined;
    /** Why the trial has no verdict. Allowed only if the status is `errored`. */
    error?: string | undefined;
    /** The data item of the task that holds the model's output. */
    outputDataId?: Id | undefined;
    /** The resources used, such as tokens, cost, or latency, in your own units. */
    usage?: Metadata | undefined;
  }>;
  /** Whether the evaluation is complete. If `true`, each `running` eval that has one of these results, recorded now or earlier, becomes `completed`, unless its `k` is larger than that of the call. A completed eval still accepts trials. */
  complete?: boolean | undefined;
};

export type EvalSummary = {
  evalId: Id;
  /** The number of trials per slot. For several evals, the largest; 0 for none. */
  k: number;
  /** The number of bootstrap resamples: 2000, or fewer for many tasks and models. 0 if resampling would take too long; intervals then use the normal approximation. */
  resamples: number;
  /** The models, ordered by name. A model has several entries if `slotBy` has other members as well. */
  models: readonly ModelSummary[];
  /** Whether there are more than 100 entries. Only the first ones are returned. */
  modelsTruncated: boolean;
};

export type ModelSummary = {
  model: string;
  /** What this entry is about: the model alone, or the combination that `slotBy` of its evals names. Trials of evals with another `slotBy` are another entry. */
  slot: {
    model?: string | null | undefined;
    modelRevision?: string | null | undefined;
    agent?: string | null | undefined;
    agentRevision?: string | null | undefined;
    provider?: string | null | undefined;
  };
  /** The model's revisions that have trials. */
  modelRevisions: readonly string[];
  /** The number of trials with a verdict, that is, trials that passed or failed. */
  n: number;
  /** The number of trials that passed. */
  c: number;
  /** The number of trials that errored. They have no verdict. */
  errored: number;
  /** The scores of the trials, apart from pass@k. Null if there are none. A trial that was scored counts in no pass@k. */
  scores: {
    /** The number of trials that passed, failed, or were scored, and have a score. */
    n: number;
    /** The number of tasks with such a trial. */
    tasks: number;
    /** The mean over tasks of the mean score of each. With a single task: over its trials. */
    mean: number;
    /** The standard error of the mean, over tasks or over the trials of a single task. Null for a single one. */
    standardError: number | null;
    /** The 95% confidence interval of the mean. Null if all have the same score. */
    interval: readonly [number, number] | null;
    /** `bootstrap`: the percentile interval of resampled means, with a seed that comes from the scores. `normal`: the normal approximation, if there are too many scores. */
    method: "bootstrap" | "normal" | null;
  } | null;
  /** pass@k: the mean over tasks of the unbiased estimator 1 - C(n-c, k) / C(n, k). Null if no task has `k` trials that passed or failed. */
  passAt: Record<string, number | null>;
  /** The number of tasks behind each estimate: the tasks with `k` trials that passed or failed. */
  tasks: Record<string, number>;
  /** The 95% confidence interval of each estimate. */
  interval: Record<string, readonly [number, number]>;
  /** How each interval was computed. `wilson`: over tasks that each either passed or failed, or over trials if all tasks have the same score, as a single task does. Otherwise `bootstrap`: by resampling tasks with a fixed seed; or `normal`: by the normal approximation, if `resamples` is 0. */
  method: Record<string, "wilson" | "bootstrap" | "normal">;
};

export type ScopeSummary = {
  name: string | null;
  /** The number of trials per slot. For several evals, the largest; 0 for none. */
  k: number;
  /** The number of bootstrap resamples: 2000, or fewer for many tasks and models. 0 if resampling would take too long; intervals then use the normal approximation. */
  resamples: number;
  /** The models, ordered by name. A model has several entries if `slotBy` has other members as well. */
  models: readonly ModelSummary[];
  /** Whether there are more than 100 entries. Only the first ones are returned. */
  modelsTruncated: boolean;
  coverage: {
    /** The number of tasks that match. */
    tasksMatched: number;
    /** The number of them with such an eval. */
    tasksWithEval: number;
    /** The number of them with a trial that passed or failed. */
    tasksScored: number;
    /** The number of them with a trial that ended with a score. */
    tasksWithScore: number;
    evals: number;
  };
  /** Whether more than 50000 tasks match. Only the newest are included. */
  tasksTruncated: boolean;
  /** Null unless the query names exactly two models, each with one entry in `models`. */
  comparison: {
    models: readonly [string, string];
    /** pass@k of the first model minus that of the second: the mean over the tasks where both have `k` trials that passed or failed. Null if there is no such task. */
    difference: Record<string, number | null>;
    /** The number of tasks behind each estimate: the tasks with `k` trials that passed or failed. */
    tasks: Record<string, number>;
    /** The 95% confidence interval, from a bootstrap over tasks, or from the normal approximation if `resamples` is 0. Absent if the difference is the same for all tasks. */
    interval: Record<string, readonly [number, number]>;
  } | null;
};

export type Lineage = {
  nodes: readonly LineageNode[];
  edges: readonly LineageEdge[];
  /** Whether the graph is incomplete. `depth`: inputs more than 20 levels away are missing. `size`: there are more than 1000 artifacts, prompts, trials, insights, or verdicts, or more than 10000 steps or versions. */
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
  /** The verdicts on the step's gate, oldest first, with the events that gave them. */
  verdicts: ReadonlyArray<{
    gate: "passed" | "waived" | "failed" | "errored" | "revoked";
    from: GateState | null;
    status: StepStatus;
    seq: number;
    type: "task_created" | "step_transitioned" | "gate_changed" | "step_advanced" | "step_reworked" | "version_created" | "review_recorded" | "review_withdrawn" | "worker_run_changed" | "bulk_transitioned" | "bulk_reverted" | "task_updated" | "task_archived" | "task_restored" | "note_added" | "step_idled";
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
  agentRevision: string | null;
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
  status: "pending" | "running" | "passed" | "failed" | "scored" | "errored";
  retracted: boolean;
} | {
  type: "insight";
  key: string;
  id: Id;
  taskId: Id;
  createdAt: Timestamp;
  kind: string;
  /** Null if the status has changed since `asOf`, because an insight keeps no history. */
  status: "QUEUED" | "RUNNING" | "SUCCEEDED" | "FAILED" | "CANCELLED" | null;
};

/** A relation that reads as a sentence: `from` is `made_by`, `at_step`, `of_version`, or `scored_by` `to`. An artifact is `input_of` the artifact that was made from it. `from` and `to` are keys of nodes. */
export type LineageEdge = {
  type: "made_by" | "from_prompt" | "from_insight" | "input_of" | "at_step" | "of_version" | "of_trial" | "scored_by" | "advanced_from" | "reworked_from" | "follows";
  from: string;
  to: string;
};

export type TaskLineage = {
  taskId: Id;
  nodes: readonly LineageNode[];
  edges: readonly LineageEdge[];
  /** Whether the graph is incomplete. `depth`: inputs more than 20 levels away are missing. `size`: there are more than 1000 artifacts, prompts, trials, insights, or verdicts, or more than 10000 steps or versions. */
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
  agentRevision: string | null;
  provider: string | null;
  status: TrialStatus;
  /** Derived from the status. Null if there is no verdict. */
  passed: boolean | null;
  score: number | null;
  error: string | null;
  outputDataId: Id | null;
  /** The number of the newest event of the eval that concerns this trial. */
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
  /** The number of this trial among those of its slot, from 1 to the eval's `k`. `slotBy` of the eval says what makes a slot. */
  k: number;
  model: string;
  modelRevision?: string | undefined;
  agent?: string | undefined;
  /** At most 180 bytes in UTF-8. */
  agentRevision?: string | undefined;
  provider?: string | undefined;
  /** Defaults to `pending` if `passed`, `score`, and `error` are also absent. */
  status?: TrialStatus | undefined;
  /** Sets the status to `passed` or `failed`. Use it instead of `status`. */
  passed?: boolean | undefined;
  /** The score. A score without `status`, `passed`, and `error` sets the status to `scored`, which is final and no verdict. Not allowed if the status is `errored`. */
  score?: number | undefined;
  /** Why the trial has no verdict. Allowed only if the status is `errored`. */
  error?: string | undefined;
  /** The data item of the task that holds the model's output. */
  outputDataId?: Id | undefined;
};

export type NewTrials = {
  trials: readonly NewTrial[];
};

export type TransitionTrial = {
  status?: TrialStatus | undefined;
  /** Sets the status to `passed` or `failed`. Use it instead of `status`. */
  passed?: boolean | undefined;
  /** The score. A score without `status`, `passed`, and `error` sets the status to `scored`, which is final and no verdict. Not allowed if the status is `errored`. */
  score?: number | undefined;
  /** Why the trial has no verdict. Allowed only if the status is `errored`. */
  error?: string | undefined;
  /** The data item of the task that holds the model's output. */
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
  agentRevision: string | null;
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
  /** A task's id, or `ext:` followed by its external id. */
  taskId: TaskRef;
  kind: string;
  model: string;
  modelRevision?: string | undefined;
  agent?: string | undefined;
  /** At most 180 bytes in UTF-8. */
  agentRevision?: string | undefined;
  provider?: string | undefined;
  evalId?: Id | undefined;
  trialId?: Id | undefined;
  /** Any JSON value. */
  input?: unknown;
  /** Any JSON value. */
  output?: unknown;
  /** The resources used, such as tokens, cost, or latency, in your own units. */
  usage?: Metadata | undefined;
};

export type ReportInsight = {
  status?: RunState | undefined;
  /** Any JSON value. */
  output?: unknown;
  /** The resources used, such as tokens, cost, or latency, in your own units. */
  usage?: Metadata | undefined;
};

export type WebhookWithSecret = {
  name: WebhookName;
  url: string;
  events: readonly WebhookEvent[];
  enabled: boolean;
  /** When the endpoint returned 410 (gone), which disabled the webhook. Enable it again with PUT. Null if it is enabled, or was disabled by an admin. */
  goneAt: Timestamp | null;
  /** Until this time, messages are also signed with a secret that was replaced. Null if only the current secret signs. */
  previousSecretUntil: Timestamp | null;
  createdAt: Timestamp;
  updatedAt: Timestamp;
  /** The secret that verifies messages, for a Standard Webhooks library. Only the response of the call that created it contains it. Null if the call created none. */
  secret: string | null;
};

export type WebhookName = string;

export type WebhookEvent = "task.label_changed" | "task.attention" | "bulk.finished" | "dispatch.dead";

export type PutWebhook = {
  /** An https URL of a public host. */
  url: string;
  events: readonly WebhookEvent[];
  enabled?: boolean | undefined;
  reason?: Reason | undefined;
};

export type Webhook = {
  name: WebhookName;
  url: string;
  events: readonly WebhookEvent[];
  enabled: boolean;
  /** When the endpoint returned 410 (gone), which disabled the webhook. Enable it again with PUT. Null if it is enabled, or was disabled by an admin. */
  goneAt: Timestamp | null;
  /** Until this time, messages are also signed with a secret that was replaced. Null if only the current secret signs. */
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

export type RetryWebhookDeliveries = {
  /** Which deliveries: all that match every given member, as in the list. By default, all that are `dead`. */
  filter?: {
    state?: WebhookDeliveryState | undefined;
    event?: WebhookEvent | undefined;
    responseStatus?: number | undefined;
    createdAfter?: AfterTime | undefined;
    createdBefore?: TimeOrDay | undefined;
  } | undefined;
  reason?: Reason | undefined;
  /** `nextAfter` of the call before, to go on where it ended. */
  after?: Id | undefined;
  /** How many this call looks at, at most. The oldest come first. */
  limit?: number | undefined;
  /** Whether only to say what the call would do. Nothing is changed then. */
  dryRun?: boolean | undefined;
};

export type RetryWebhookDelivery = {
  reason?: Reason | undefined;
};

export type TaxonomyEntry = {
  code: string;
  label: string;
  level: TaxonomyLevel;
  parentCode: string | null;
  position: number;
  /** Whether the entry or one above it is archived. */
  archived: boolean;
  /** When the entry itself was archived. */
  archivedAt: Timestamp | null;
  /** The number of tasks with this code that are not archived. Null unless `counts` is `true`. */
  tasks: number | null;
  createdAt: Timestamp;
  updatedAt: Timestamp;
};

export type TaxonomyLevel = "domain" | "category" | "difficulty";

export type TaxonomyDomain = (TaxonomyEntry) & ({
  children: readonly TaxonomyCategory[];
});

export type TaxonomyCategory = (TaxonomyEntry) & ({
  children: readonly TaxonomyEntry[];
});

export type PutTaxonomyEntry = {
  label: string;
  level: TaxonomyLevel;
  parentCode?: string | null | undefined;
  /** The place among the entries of the same parent, from 0. Equal places are ordered by code. */
  position?: number | undefined;
  archived?: boolean | undefined;
  reason?: Reason | undefined;
};

export type SeedStage = {
  kind: StepKind;
  aliases: readonly string[];
  /** Where objects of the stage can be stored. */
  prefix: string;
  /** The maximum size of one of these objects. */
  bytesMax: number;
  /** The media types of these objects. */
  contentTypes: readonly string[];
  /** How long simulated work at the stage takes: log-normally distributed. */
  pace: {
    medianMinutes: number;
    sigma: number;
  };
};

export type StarterEntry = {
  code: string;
  label: string;
  level: TaxonomyLevel;
  parentCode: string | null;
  position: number;
};

export type SeedObject = {
  path: string;
  contentType: string;
  sizeBytes: number;
  sha256: string;
  /** An address by which `POST /v1/tasks/{taskId}/data` can name the object, with its size and hash. */
  uri: string;
};

export type SeedRun = {
  id: Id;
  /** `active`: the story is being applied, or can be. `ended`: all of it is applied. `deleting`: its tasks are being archived. `deleted`: they are. A tenant has at most one run that is `active` or `deleting`. */
  state: "active" | "ended" | "deleting" | "deleted";
  seed: number;
  tasks: number;
  days: number;
  /** When the story begins. */
  begin: Timestamp;
  /** When the story ends. */
  anchor: Timestamp;
  mix: {
    outcomes: Record<string, number>;
    rates: Record<string, number>;
  };
  /** Simulated seconds per second, up to a week. With 0, the run goes on only when a call advances it. */
  speed: number;
  /** How far the story is applied. Like the two times above, it is simulated. */
  clock: Timestamp;
  /** How far it shall be applied so far, by calls or by its speed. */
  wantedUntil: Timestamp;
  progress: {
    /** How much of the story's time is applied. */
    share: number;
    /** The end of the part that is being applied; null if none is. */
    until: Timestamp | null;
    /** The teams that are done with that part or, if the run is being deleted, whose tasks are archived. */
    teams: {
      done: number;
      total: number;
    };
    /** Actions are refused if someone else has changed their task in a way that the rules do not allow them after. */
    actions: {
      applied: number;
      refused: number;
    };
  };
  /** When something happens next; null if that is not known, or nothing does. */
  nextActionAt: Timestamp | null;
  createdBy: string;
  createdAt: Timestamp;
  updatedAt: Timestamp;
};

export type StartSeedRun = {
  seed: number;
  tasks: number;
  /** When the story ends, to the second. By default now, or as early as the tenant's clock allows. */
  anchor?: string | undefined;
  /** How many days the story lasts. */
  days?: number | undefined;
  /** Simulated seconds per second, up to a week. With 0, the run goes on only when a call advances it. */
  speed?: number | undefined;
  /**
   * Shares from 0 to 1.
   *
   * `outcomes` says how the tasks have ended at the anchor: `delivered`, `approved`, `rejected`, `duplicate`, `in_progress`. These add up to 1; one that is absent is 0, and without `outcomes` all have their defaults. `in_progress` is the share of tasks that have not ended.
   *
   * `rates` says how often each detour happens. One that is absent has its default.
   *
   * - `check_fails`: The first quality check fails.
   * - `output_fails`: The first run that generates the output crashes.
   * - `changes_requested`: The expert asks for changes, and reviews again. Of tasks that an expert approves in the end.
   * - `revised_after_approval`: Work goes on after an approval, and is approved again. Of tasks that are approved in the end.
   * - `held`: Someone blocks the output while its worker runs. Of tasks whose output is generated.
   * - `review_withdrawn`: A reviewer withdraws a verdict and decides again. Of tasks that an expert approves in the end.
   * - `scoring_fails`: The scoring crashes or finds fault. Of tasks that are delivered.
   * - `trial_retracted`: A trial is retracted. Of tasks that are approved in the end.
   * - `optimistic_review`: An expert approves the task while its quality check runs. Of tasks without a failed check.
   * - `optimistic_disagrees`: The check disagrees with such an approval. Of optimistic reviews.
   */
  mix?: {
    outcomes?: {
      delivered?: number | undefined;
      approved?: number | undefined;
      rejected?: number | undefined;
      duplicate?: number | undefined;
      in_progress?: number | undefined;
    } | undefined;
    rates?: {
      check_fails?: number | undefined;
      output_fails?: number | undefined;
      changes_requested?: number | undefined;
      revised_after_approval?: number | undefined;
      held?: number | undefined;
      review_withdrawn?: number | undefined;
      scoring_fails?: number | undefined;
      trial_retracted?: number | undefined;
      optimistic_review?: number | undefined;
      optimistic_disagrees?: number | undefined;
    } | undefined;
  } | undefined;
};

export type CountedSeedRun = (SeedRun) & ({
  counts: {
    /** The tasks that the story has created so far. */
    created: number;
    /** Those of them that are archived. */
    archived: number;
    /** How many of the others have each label. A label that none has is absent. */
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
  };
});

export type AdvanceSeedRun = {
  to?: Time | undefined;
  /** Simulated seconds, from the run's `wantedUntil`. */
  by?: number | undefined;
  /** Simulated seconds per second, up to a week. With 0, the run goes on only when a call advances it. */
  speed?: number | undefined;
};

/** A simulated time. */
export type Time = string;

export type Registry = {
  registryVersion: number;
  stepKinds: readonly string[];
  /** Other names that requests can use for a stage, each with the stage that it means. Answers never have them. */
  stageAliases: Record<string, StepKind>;
  stepStatuses: readonly string[];
  gateStates: readonly string[];
  /** The statuses that a step can change to, by kind and current status. */
  stepTransitions: Record<string, Record<string, readonly string[]>>;
  gateTransitions: Record<string, readonly string[]>;
  gateOnStatus: Record<string, string>;
  /** All labels, in sort order. */
  unifiedStatuses: readonly string[];
  resolver: readonly ResolverRule[];
  attention: ReadonlyArray<{
    code: string;
    kinds: readonly StepKind[] | null;
    statuses: readonly StepStatus[] | null;
    gates: readonly GateState[] | null;
    failureStands: boolean | null;
    idle: true | null;
  }>;
  bulkTargets: readonly string[];
  bulkAllowedTargets: Record<string, readonly string[]>;
  bulkStepStatus: Record<string, string>;
  /** The actions that a bulk change can apply instead of a target label. */
  bulkActions: readonly string[];
  /** The statuses that the bulk action `retry` applies to. */
  bulkRetriedStatuses: readonly string[];
  /** The bulk actions that can be reverted. Every bulk change to a target label can be reverted. */
  bulkRevertibleActions: readonly string[];
  terminalUnified: readonly string[];
  workerTypes: readonly string[];
  statusRelevantWorkerTypes: readonly string[];
  reportEffects: Record<string, {
    stepKind: StepKind;
    becomes: Record<string, StepStatus | Record<string, StepStatus> | null>;
  } | null>;
  /** The statuses to which a review can move its step, by outcome. */
  reviewMoves: Record<string, readonly string[]>;
  pipelines: readonly string[];
  pipelinesOnEntry: ReadonlyArray<{
    kind: StepKind;
    status: StepStatus;
    pipeline: string;
  }>;
  pipelinesOnTarget: Record<string, readonly string[]>;
  /** The pipeline that works on each stage. A step of such a stage is `idle` if it is running and has had no open run for the pipeline's run deadline. */
  stagePipelines: ReadonlyArray<{
    kind: StepKind;
    pipeline: string;
  }>;
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
    /** In a `demo`, life can be simulated. It never changes. */
    kind: "customer" | "demo";
  };
  /** The simulated time of a demo, which dates everything that happens to tasks. Absent if time is real. */
  time?: {
    simulated: true;
    /** What the tenant's clock shows. */
    now: Timestamp;
    /** Simulated seconds per second; 0 while the clock stands still. */
    speed: number;
  } | undefined;
  actor: Actor;
  /** The person whose credential it is. Absent for a machine. */
  person?: {
    id: Id;
    name: string;
    email: string | null;
  } | undefined;
};

export type CreatedApiKey = {
  id: Id;
  name: string;
  role: Role;
  /** Whether a person or a program holds it. */
  kind: "person" | "machine";
  /** The person who holds it. */
  personId: Id | null;
  lastFour: string;
  /** The API key that this one was rotated from. */
  replaces: Id | null;
  createdBy: string;
  createdAt: Timestamp;
  /** When it stops working by itself. Null if it does not expire. */
  expiresAt: Timestamp | null;
  /** When it was last used, to the hour. Null if it was never used. */
  lastUsedAt: Timestamp | null;
  revokedAt: Timestamp | null;
  revokedBy: string | null;
  key: string | null;
};

export type Role = "viewer" | "operator" | "reviewer" | "admin" | "service";

export type CreateApiKey = {
  name: string;
  role: Role;
  /** The person who holds the API key: what they do with it is theirs, and it ends when they are deactivated. Null for a program. It cannot change later. */
  personId?: string | null | undefined;
  /** When the API key stops working. Must be in the future. Null if never. */
  expiresAt?: string | undefined;
  reason?: Reason | undefined;
};

export type RotatedApiKey = {
  id: Id;
  name: string;
  role: Role;
  /** Whether a person or a program holds it. */
  kind: "person" | "machine";
  /** The person who holds it. */
  personId: Id | null;
  lastFour: string;
  /** The API key that this one was rotated from. */
  replaces: Id | null;
  createdBy: string;
  createdAt: Timestamp;
  /** When it stops working by itself. Null if it does not expire. */
  expiresAt: Timestamp | null;
  /** When it was last used, to the hour. Null if it was never used. */
  lastUsedAt: Timestamp | null;
  revokedAt: Timestamp | null;
  revokedBy: string | null;
  key: string | null;
  /** When the old API key stops working. */
  overlapUntil: Timestamp;
};

export type RotateApiKey = {
  /** How long the old API key still works. Another rotation does not change that. To end it earlier, revoke it once the new one is in use. */
  overlapSeconds?: number | undefined;
  /** When the new API key stops working; null if never. By default it gets the lifetime that the old one was created with. */
  expiresAt?: string | undefined;
  reason?: Reason | undefined;
};

export type ApiKey = {
  id: Id;
  name: string;
  role: Role;
  /** Whether a person or a program holds it. */
  kind: "person" | "machine";
  /** The person who holds it. */
  personId: Id | null;
  lastFour: string;
  /** The API key that this one was rotated from. */
  replaces: Id | null;
  createdBy: string;
  createdAt: Timestamp;
  /** When it stops working by itself. Null if it does not expire. */
  expiresAt: Timestamp | null;
  /** When it was last used, to the hour. Null if it was never used. */
  lastUsedAt: Timestamp | null;
  revokedAt: Timestamp | null;
  revokedBy: string | null;
};

export type RevokedApiKey = {
  id: Id;
  name: string;
  role: Role;
  /** Whether a person or a program holds it. */
  kind: "person" | "machine";
  /** The person who holds it. */
  personId: Id | null;
  lastFour: string;
  /** The API key that this one was rotated from. */
  replaces: Id | null;
  createdBy: string;
  createdAt: Timestamp;
  /** When it stops working by itself. Null if it does not expire. */
  expiresAt: Timestamp | null;
  /** When it was last used, to the hour. Null if it was never used. */
  lastUsedAt: Timestamp | null;
  revokedAt: Timestamp | null;
  revokedBy: string | null;
  /** The number of seconds after which the key is no longer accepted. */
  effectiveWithinSeconds: number;
};

export type AdminEvent = {
  /** Its number in the tenant's administration, from 1. */
  seq: number;
  type: AdminEventType;
  /** What was changed: the id of a tenant, an API key or a person, or the name of a pipeline or a webhook. */
  subject: {
    kind: AdminSubject;
    id: string;
  };
  actor: Actor;
  reason: string | null;
  /** The subject's public fields before and after the change, and details that depend on the event's type. Never contains a secret. */
  payload: {
    before: Record<string, unknown> | null;
    after: Record<string, unknown> | null;
    [member: string]: unknown;
  };
  operationId: Id;
  requestId: string;
  at: Timestamp;
  /** The text that is hashed: `hash` is `sha256(prevHash || canonical)`. */
  canonical: string;
  prevHash: Sha256;
  hash: Sha256;
};

export type AdminEventType = "state_imported" | "tenant_created" | "key_created" | "key_rotated" | "key_revoked" | "person_created" | "person_changed" | "person_deactivated" | "pipeline_changed" | "pipeline_secret_rotated" | "webhook_created" | "webhook_changed" | "webhook_secret_rotated" | "webhook_deleted" | "webhook_delivery_retried" | "webhook_deliveries_retried" | "webhook_switched_off" | "taxonomy_created" | "taxonomy_changed" | "taxonomy_archived" | "taxonomy_restored";

export type AdminSubject = "tenant" | "key" | "person" | "pipeline" | "webhook" | "taxonomy";

export type Health = {
  status: "ok";
};

/** The input and the answer of each operation. */
export interface Operations {
  /**
   * Create a task. Creates the task with version 1 and a first step, by default an `ingestion` step with the status `queued`. Returns 409 `conflict` if another task has the external id.
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
   * List tasks. Returns the tasks that match every given filter. With `sort=unifiedStatus` and `sortSource=live`, labels are computed at the time of the request for the newest 5000 matching tasks, and `sortTruncated` is `true` if more tasks match. `sortSource=materialized` sorts by stored labels and has no such limit.
   *
   * Role: `viewer` or above, or `service`.
   */
  listTasks: {
    input: {
      query?: {
        /** Tasks with any of these labels. */
        unifiedStatus?: readonly UnifiedStatus[] | undefined;
        /** Tasks with any of these attention codes. */
        attention?: readonly AttentionCode[] | undefined;
        stepKind?: StageName | undefined;
        stepStatus?: StepStatus | undefined;
        gate?: GateState | undefined;
        taxonomyCode?: string | undefined;
        assignee?: string | undefined;
        externalId?: string | undefined;
        /** Text that the title or the external id contains, ignoring case and Unicode composition. At least 3 characters, or 2 if one of them is Chinese, Japanese or Korean. */
        q?: string | undefined;
        /** Tasks with a prompt, a data item, a trial, or an insight that this model produced. */
        model?: string | undefined;
        /** Tasks that this bulk operation changed. */
        bulkOperationId?: string | undefined;
        /** Tasks that are duplicates of this task now. */
        duplicateOf?: string | undefined;
        /** A time with any offset from UTC (RFC 3339). Digits after the microsecond are cut off; at most nine are allowed. A date alone includes that day, from its first moment in UTC. */
        createdAfter?: string | undefined;
        /** A time with any offset from UTC (RFC 3339). Digits after the microsecond are cut off; at most nine are allowed. A date alone means the first moment of that day in UTC. */
        createdBefore?: string | undefined;
        /** A time with any offset from UTC (RFC 3339). Digits after the microsecond are cut off; at most nine are allowed. A date alone includes that day, from its first moment in UTC. */
        updatedAfter?: string | undefined;
        /** Tasks whose status has not changed since before this time. */
        statusBefore?: string | undefined;
        priority?: number | undefined;
        /** `true` returns only archived tasks. By default, only tasks that are not archived are returned. */
        archived?: boolean | undefined;
        /** The field to sort by. A leading `-` sorts in descending order. */
        sort?: "createdAt" | "-createdAt" | "updatedAt" | "-updatedAt" | "title" | "-title" | "priority" | "-priority" | "statusSince" | "-statusSince" | "unifiedStatus" | "-unifiedStatus" | undefined;
        /** The source of the labels when you sort by `unifiedStatus`. */
        sortSource?: "live" | "materialized" | undefined;
        /** The maximum number of items on a page. */
        limit?: number | undefined;
        /** The `nextCursor` of the previous page. Omit it for the first page. */
        cursor?: string | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: TaskPage;
  };
  /**
   * Retrieve a task. Returns the task. With `asOf`, returns the task as it was at that point, computed from its history.
   *
   * Role: `viewer` or above, or `service`.
   */
  getTask: {
    input: {
      params: {
        /** A task's id, or `ext:` followed by its external id. */
        taskId: TaskRef;
      };
      query?: {
        /** A point in the task's history: a time with any offset, or `seq:` followed by the number of an event. */
        asOf?: string | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: Task;
  };
  /**
   * Update a task. Sets the given fields. A null clears a field. If nothing changes, no event is written. Returns 409 `conflict` if another task has the external id.
   *
   * Role: `operator` or above.
   */
  editTask: {
    input: {
      params: {
        /** A task's id, or `ext:` followed by its external id. */
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
   * Explain a task's label. Returns the task's label, the rule that gave it, the facts that the rule matched, and the conditions that each earlier rule did not meet; and what the caller can do with the task now, and what not, and why. With `asOf`, explains the label as it was at that point.
   *
   * Role: `viewer` or above, or `service`.
   */
  getTaskStatus: {
    input: {
      params: {
        /** A task's id, or `ext:` followed by its external id. */
        taskId: TaskRef;
      };
      query?: {
        /** A point in the task's history: a time with any offset, or `seq:` followed by the number of an event. */
        asOf?: string | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: TaskStatus;
  };
  /**
   * Change a step's status. Changes the status of the task's current step, as the transition table of the step's kind allows. Any other change returns 409 `invalid_transition` with the statuses in `allowed`. A duplicate can name the task that it duplicates, which must not be a duplicate, rejected or archived itself; a task that duplicates name cannot become one. Both return 409 `conflict`. `rejected` and `duplicate` require a `reason`. So does `approved` while a failed review of the step stands; it requires the role `reviewer`, and the call records a passed review before the approval.
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
  /**
   * Retrieve a step. Returns the step with its status and gate.
   *
   * Role: `viewer` or above, or `service`.
   */
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
   * Advance a task. Opens a step at the next stage. The gate of the current step must be `passed` or `waived`; otherwise the call returns 409 `gate_closed`, as it does while a failed review of the step stands and the gate is not waived. The new step is `queued`, or `pending` with `hold: true`.
   *
   * Role: `operator` or above, or `service`.
   */
  advanceTask: {
    input: {
      params: {
        /** A task's id, or `ext:` followed by its external id. */
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
   * Rework a task. Opens a new attempt of the current stage or an earlier one. Revokes the `passed` and `waived` gates from that stage on, and cancels open worker runs. Earlier attempts are kept.
   *
   * Role: `operator` or above.
   */
  reworkTask: {
    input: {
      params: {
        /** A task's id, or `ext:` followed by its external id. */
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
   * Record a review. Records a verdict on the task's current step. With `stepId`, which every client that shows a task should send, the verdict lands on that step or nowhere: if the step is no longer current, the call returns `step_not_current` with the text of the review in `draft`. With `move`, also changes the step's status; either both succeed or neither does. A `passed` review can carry `approved`; a `failed` one can carry `changes_requested`, `rejected` or `duplicate`, of which the last two require a `reason`. The `service` role can record `automated` reviews only, and without a `move`.
   *
   * Role: `reviewer` or above, or `service`.
   */
  recordReview: {
    input: {
      params: {
        /** A task's id, or `ext:` followed by its external id. */
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
   * List a task's reviews. Returns the reviews of all steps of the task, in the order of `sequence`.
   *
   * Role: `viewer` or above, or `service`.
   */
  listTaskReviews: {
    input: {
      params: {
        /** A task's id, or `ext:` followed by its external id. */
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
   * List a task's timeline. Returns the events of a task and of its evals that match every given filter, in the order in which they were written, or with `sort=-at` the newest first. `stream` says which kind an event is.
   *
   * Role: `viewer` or above, or `service`.
   */
  getTaskTimeline: {
    input: {
      params: {
        /** A task's id, or `ext:` followed by its external id. */
        taskId: TaskRef;
      };
      query?: {
        /** Events of any of these types. */
        type?: readonly EventType[] | undefined;
        /** The id of an actor, as events have it, or of a person. A person's id finds what the person did with any of their API keys and tokens. */
        actor?: string | undefined;
        /** `at` sorts from the oldest event to the newest, and `-at` from the newest to the oldest. */
        sort?: "at" | "-at" | undefined;
        /** The maximum number of items on a page. */
        limit?: number | undefined;
        /** The `nextCursor` of the previous page. Omit it for the first page. */
        cursor?: string | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: {
      data: ReadonlyArray<StepEvent | EvalEvent>;
      /** The `cursor` of the next page; null on the last page. */
      nextCursor: string | null;
    };
  };
  /**
   * Import tasks. Creates up to 500 tasks. Each item is validated separately, so an invalid item does not affect the others. A body that cannot be parsed, for example because of a duplicate key or a NUL character, fails the whole request. An external id that already exists creates no task; its item returns the id of the existing task. The outcome is `exists` if the item has the title, the taxonomy code and the content that the task was created with or has now, and `differs` otherwise; `differences` then lists the fields, with values cut to 200 characters. You can therefore repeat an import until it is complete, and a record that only shares its id with a task is never taken for that task.
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
   * Preview a bulk change. Returns what a bulk change would do to each of up to 50000 tasks, by the same rules as the execution. Changes nothing. Name the tasks by `taskIds` or by `filter`.
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
   * Execute a bulk change. Changes up to 50000 tasks. Each task succeeds or fails separately, and is never changed in part. With a `planToken`, tasks that have changed since the preview fail the whole request with 409 `plan_stale` (`onStale: abort`) or are skipped (`skip`). Up to 1000 tasks are changed before the response. A larger change returns 202 and continues in the background; its operation reports the progress. A retry with the same `Idempotency-Key` returns the same response.
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
   * Create or update a person. Sets everything about a person; what is left out becomes null, and `active` becomes true. Someone who signs in with a token is created by that, and a newer token changes the name and the email address again. To invite someone, enter their verified email address and a role: their first sign-in sets `subject`. With `active: false`, all API keys of the person are revoked and their tokens are rejected; a credential that was used recently can be accepted for up to 30 more seconds, but not for administration. Returns 409 `conflict` if another person has the subject.
   *
   * Role: `admin`.
   */
  putPerson: {
    input: {
      params: {
        personId: Id;
      };
      body: PutPerson;
      requestId?: string | undefined;
    };
    answer: Person;
  };
  /** Retrieve a person. Role: `viewer` or above. */
  getPerson: {
    input: {
      params: {
        personId: Id;
      };
      requestId?: string | undefined;
    };
    answer: Person;
  };
  /**
   * List people. Returns the people of the tenant that match every given filter, newest first.
   *
   * Role: `viewer` or above.
   */
  listPeople: {
    input: {
      query?: {
        active?: boolean | undefined;
        role?: "viewer" | "operator" | "reviewer" | "admin" | undefined;
        subject?: string | undefined;
        email?: string | undefined;
        /** The actor's id in an event or a review: finds the person whose API key or token it was. */
        actorId?: string | undefined;
        /** The maximum number of items on a page. */
        limit?: number | undefined;
        /** The `nextCursor` of the previous page. Omit it for the first page. */
        cursor?: string | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: {
      data: readonly Person[];
      /** The `cursor` of the next page; null on the last page. */
      nextCursor: string | null;
    };
  };
  /**
   * Look up tasks by id. Finds up to 50000 tasks by id or external id, with or without the `ext:` prefix. Includes archived tasks. `found` and `unresolved` keep the order of the request. A malformed or overlong id is unresolved, like one that does not exist. The answer to more than 2500 names is streamed while they are looked up. If an error occurs meanwhile, the connection is closed early.
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
   * Count tasks by label and attention code. Returns exact counts of the tasks that match the filters, all from one snapshot. Every filter applies to every count, including `unifiedStatus` and `attention`; omit those two to count all labels, for example for a label picker. The counts by label add up to `total`. The counts by attention code do not, because a task can have several codes or none.
   *
   * Role: `viewer` or above, or `service`.
   */
  countTasks: {
    input: {
      query?: {
        /** Tasks with any of these labels. */
        unifiedStatus?: readonly UnifiedStatus[] | undefined;
        /** Tasks with any of these attention codes. */
        attention?: readonly AttentionCode[] | undefined;
        stepKind?: StageName | undefined;
        stepStatus?: StepStatus | undefined;
        gate?: GateState | undefined;
        taxonomyCode?: string | undefined;
        assignee?: string | undefined;
        externalId?: string | undefined;
        /** Text that the title or the external id contains, ignoring case and Unicode composition. At least 3 characters, or 2 if one of them is Chinese, Japanese or Korean. */
        q?: string | undefined;
        /** Tasks with a prompt, a data item, a trial, or an insight that this model produced. */
        model?: string | undefined;
        /** Tasks that this bulk operation changed. */
        bulkOperationId?: string | undefined;
        /** Tasks that are duplicates of this task now. */
        duplicateOf?: string | undefined;
        /** A time with any offset from UTC (RFC 3339). Digits after the microsecond are cut off; at most nine are allowed. A date alone includes that day, from its first moment in UTC. */
        createdAfter?: string | undefined;
        /** A time with any offset from UTC (RFC 3339). Digits after the microsecond are cut off; at most nine are allowed. A date alone means the first moment of that day in UTC. */
        createdBefore?: string | undefined;
        /** A time with any offset from UTC (RFC 3339). Digits after the microsecond are cut off; at most nine are allowed. A date alone includes that day, from its first moment in UTC. */
        updatedAfter?: string | undefined;
        /** Tasks whose status has not changed since before this time. */
        statusBefore?: string | undefined;
        priority?: number | undefined;
        /** `true` returns only archived tasks. By default, only tasks that are not archived are returned. */
        archived?: boolean | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: TaskCounts;
  };
  /**
   * List the ids of matching tasks. Returns the ids of all tasks that match the filters in one response, oldest first, up to 50000. A bulk preview with the same filter covers the same tasks.
   *
   * Role: `viewer` or above, or `service`.
   */
  listTaskIds: {
    input: {
      query?: {
        /** Tasks with any of these labels. */
        unifiedStatus?: readonly UnifiedStatus[] | undefined;
        /** Tasks with any of these attention codes. */
        attention?: readonly AttentionCode[] | undefined;
        stepKind?: StageName | undefined;
        stepStatus?: StepStatus | undefined;
        gate?: GateState | undefined;
        taxonomyCode?: string | undefined;
        assignee?: string | undefined;
        externalId?: string | undefined;
        /** Text that the title or the external id contains, ignoring case and Unicode composition. At least 3 characters, or 2 if one of them is Chinese, Japanese or Korean. */
        q?: string | undefined;
        /** Tasks with a prompt, a data item, a trial, or an insight that this model produced. */
        model?: string | undefined;
        /** Tasks that this bulk operation changed. */
        bulkOperationId?: string | undefined;
        /** Tasks that are duplicates of this task now. */
        duplicateOf?: string | undefined;
        /** A time with any offset from UTC (RFC 3339). Digits after the microsecond are cut off; at most nine are allowed. A date alone includes that day, from its first moment in UTC. */
        createdAfter?: string | undefined;
        /** A time with any offset from UTC (RFC 3339). Digits after the microsecond are cut off; at most nine are allowed. A date alone means the first moment of that day in UTC. */
        createdBefore?: string | undefined;
        /** A time with any offset from UTC (RFC 3339). Digits after the microsecond are cut off; at most nine are allowed. A date alone includes that day, from its first moment in UTC. */
        updatedAfter?: string | undefined;
        /** Tasks whose status has not changed since before this time. */
        statusBefore?: string | undefined;
        priority?: number | undefined;
        /** `true` returns only archived tasks. By default, only tasks that are not archived are returned. */
        archived?: boolean | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: TaskIds;
  };
  /**
   * List a task's versions. Returns the versions of a task by number, without their content.
   *
   * Role: `viewer` or above, or `service`.
   */
  listTaskVersions: {
    input: {
      params: {
        /** A task's id, or `ext:` followed by its external id. */
        taskId: TaskRef;
      };
      query?: {
        /** The maximum number of items on a page. */
        limit?: number | undefined;
        /** The `nextCursor` of the previous page. Omit it for the first page. */
        cursor?: string | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: {
      data: readonly VersionSummary[];
      /** The `cursor` of the next page; null on the last page. */
      nextCursor: string | null;
    };
  };
  /**
   * Create a version. Creates the next version of the task with the given content, and opens its first step. Seals the previous version, so that its steps can no longer change. If the task is passed, delivered, rejected or a duplicate, this requires the role `reviewer`.
   *
   * Role: `operator` or above.
   */
  createVersion: {
    input: {
      params: {
        /** A task's id, or `ext:` followed by its external id. */
        taskId: TaskRef;
      };
      body: CreateVersion;
      requestId?: string | undefined;
      idempotencyKey?: string | undefined;
      ifMatch?: number | undefined;
    };
    answer: Moved;
  };
  /**
   * Retrieve a version. Returns a version with its content.
   *
   * Role: `viewer` or above, or `service`.
   */
  getTaskVersion: {
    input: {
      params: {
        /** A task's id, or `ext:` followed by its external id. */
        taskId: TaskRef;
        number: number;
      };
      requestId?: string | undefined;
    };
    answer: Version;
  };
  /**
   * Compare two versions. Returns the differences from version `number` to version `other`, in either order. Steps are compared by kind and attempt. Prompts and data are compared by their content and by the model, revision, agent, and provider that made them. At most the oldest 1000 prompts and data items of each version are compared.
   *
   * Role: `viewer` or above, or `service`.
   */
  diffTaskVersions: {
    input: {
      params: {
        /** A task's id, or `ext:` followed by its external id. */
        taskId: TaskRef;
        number: number;
        other: number;
      };
      requestId?: string | undefined;
    };
    answer: VersionDiff;
  };
  /**
   * List a task's events. Returns the events of a task that match every given filter. They are numbered from 1 without gaps, and each event's hash covers its own content and the hash of the previous event.
   *
   * Role: `viewer` or above, or `service`.
   */
  listTaskEvents: {
    input: {
      params: {
        /** A task's id, or `ext:` followed by its external id. */
        taskId: TaskRef;
      };
      query?: {
        /** Events of any of these types. */
        type?: readonly StepEventType[] | undefined;
        /** The id of an actor, as events have it, or of a person. A person's id finds what the person did with any of their API keys and tokens. */
        actor?: string | undefined;
        /** `seq` sorts from the oldest event to the newest, and `-seq` from the newest to the oldest. */
        sort?: "seq" | "-seq" | undefined;
        /** The maximum number of items on a page. */
        limit?: number | undefined;
        /** The `nextCursor` of the previous page. Omit it for the first page. */
        cursor?: string | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: {
      data: readonly StepEvent[];
      /** The `cursor` of the next page; null on the last page. */
      nextCursor: string | null;
    };
  };
  /**
   * List a step's events. Returns the events of the task that concern this step and match every given filter.
   *
   * Role: `viewer` or above, or `service`.
   */
  listStepEvents: {
    input: {
      params: {
        stepId: Id;
      };
      query?: {
        /** Events of any of these types. */
        type?: readonly StepEventType[] | undefined;
        /** The id of an actor, as events have it, or of a person. A person's id finds what the person did with any of their API keys and tokens. */
        actor?: string | undefined;
        /** `seq` sorts from the oldest event to the newest, and `-seq` from the newest to the oldest. */
        sort?: "seq" | "-seq" | undefined;
        /** The maximum number of items on a page. */
        limit?: number | undefined;
        /** The `nextCursor` of the previous page. Omit it for the first page. */
        cursor?: string | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: {
      data: readonly StepEvent[];
      /** The `cursor` of the next page; null on the last page. */
      nextCursor: string | null;
    };
  };
  /**
   * Verify a task's history. Rebuilds the canonical text of every event from its stored fields, recomputes the hash chain, and compares it with the head that is stored on the task.
   *
   * Role: `viewer` or above, or `service`.
   */
  verifyTaskEvents: {
    input: {
      params: {
        /** A task's id, or `ext:` followed by its external id. */
        taskId: TaskRef;
      };
      requestId?: string | undefined;
    };
    answer: HistoryVerdict;
  };
  /**
   * Read the event feed. Returns the next events of all tasks and evals. Each event appears once, in the order in which the transactions that wrote the events began. The events of a task are in the order of `seq`; so are the events of an eval, unless their transactions overlapped. An event appears when no earlier event can still be committed, so a slow transaction delays the feed but is never skipped. With `wait`, the call waits up to that many seconds for an event before it returns an empty page.
   *
   * Role: `viewer` or above, or `service`.
   */
  readFeed: {
    input: {
      query?: {
        /** A cursor of the feed, or `now` to read only new events. By default, the feed starts with the tenant's first event. */
        after?: string | undefined;
        /** The maximum number of items on a page. */
        limit?: number | undefined;
        /** How long to wait for an event, in seconds. */
        wait?: number | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: Feed;
  };
  /**
   * Stream the event feed. Sends the events of all tasks and evals as server-sent events. `data` is an event, and `id` is the cursor after it. Each event appears once, in the order in which the transactions that wrote the events began. The events of a task are in the order of `seq`; so are the events of an eval, unless their transactions overlapped. An event appears when no earlier event can still be committed, so a slow transaction delays the feed but is never skipped. The stream ends after `wait` seconds, or earlier. If the credential ends, or its role no longer suffices, the last message has the type `problem`, and `data` has its `error` and `detail`. Reconnect with `Last-Event-ID` to continue without missing an event; it overrides `after`.
   *
   * Role: `viewer` or above, or `service`.
   */
  streamFeed: {
    input: {
      query?: {
        /** A cursor of the feed, or `now` to read only new events. By default, the feed starts with the tenant's first event. */
        after?: string | undefined;
        /** The maximum duration of the stream, in seconds. */
        wait?: number | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: Response;
  };
  /**
   * Export tasks as CSV. Exports all tasks that match the filter, each once, in the order in which they were created. The export is not a snapshot: a task that changes during the export can appear in its old or its new state. The file is CSV (RFC 4180) with a header row. Text that a spreadsheet would read as a formula is prefixed with an apostrophe. The file is named after what it holds and the day (UTC), such as `tasks-2026-11-30.csv`. It is streamed. If an error occurs while it is being sent, the connection is closed early, so a response that ends normally is complete.
   *
   * Role: `viewer` or above, or `service`.
   */
  exportTasksCsv: {
    input: {
      query?: {
        /** Tasks with any of these labels. */
        unifiedStatus?: readonly UnifiedStatus[] | undefined;
        /** Tasks with any of these attention codes. */
        attention?: readonly AttentionCode[] | undefined;
        stepKind?: StageName | undefined;
        stepStatus?: StepStatus | undefined;
        gate?: GateState | undefined;
        taxonomyCode?: string | undefined;
        assignee?: string | undefined;
        externalId?: string | undefined;
        /** Text that the title or the external id contains, ignoring case and Unicode composition. At least 3 characters, or 2 if one of them is Chinese, Japanese or Korean. */
        q?: string | undefined;
        /** Tasks with a prompt, a data item, a trial, or an insight that this model produced. */
        model?: string | undefined;
        /** Tasks that this bulk operation changed. */
        bulkOperationId?: string | undefined;
        /** Tasks that are duplicates of this task now. */
        duplicateOf?: string | undefined;
        /** A time with any offset from UTC (RFC 3339). Digits after the microsecond are cut off; at most nine are allowed. A date alone includes that day, from its first moment in UTC. */
        createdAfter?: string | undefined;
        /** A time with any offset from UTC (RFC 3339). Digits after the microsecond are cut off; at most nine are allowed. A date alone means the first moment of that day in UTC. */
        createdBefore?: string | undefined;
        /** A time with any offset from UTC (RFC 3339). Digits after the microsecond are cut off; at most nine are allowed. A date alone includes that day, from its first moment in UTC. */
        updatedAfter?: string | undefined;
        /** Tasks whose status has not changed since before this time. */
        statusBefore?: string | undefined;
        priority?: number | undefined;
        /** `true` returns only archived tasks. By default, only tasks that are not archived are returned. */
        archived?: boolean | undefined;
        /** How the CSV is written. `standard` is UTF-8 with commas (RFC 4180). `excel` is what Excel opens by a double-click where lists are separated by semicolons: a byte order mark, semicolons between cells, and a decimal comma in numbers. */
        dialect?: "standard" | "excel" | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: Response;
  };
  /**
   * Export tasks as JSON Lines. Exports all tasks that match the filter, each once, in the order in which they were created. The export is not a snapshot: a task that changes during the export can appear in its old or its new state. The file has one JSON object per line, in the same shape as in other responses. The file is named after what it holds and the day (UTC), such as `tasks-2026-11-30.ndjson`. It is streamed. If an error occurs while it is being sent, the connection is closed early, so a response that ends normally is complete.
   *
   * Role: `viewer` or above, or `service`.
   */
  exportTasksNdjson: {
    input: {
      query?: {
        /** Tasks with any of these labels. */
        unifiedStatus?: readonly UnifiedStatus[] | undefined;
        /** Tasks with any of these attention codes. */
        attention?: readonly AttentionCode[] | undefined;
        stepKind?: StageName | undefined;
        stepStatus?: StepStatus | undefined;
        gate?: GateState | undefined;
        taxonomyCode?: string | undefined;
        assignee?: string | undefined;
        externalId?: string | undefined;
        /** Text that the title or the external id contains, ignoring case and Unicode composition. At least 3 characters, or 2 if one of them is Chinese, Japanese or Korean. */
        q?: string | undefined;
        /** Tasks with a prompt, a data item, a trial, or an insight that this model produced. */
        model?: string | undefined;
        /** Tasks that this bulk operation changed. */
        bulkOperationId?: string | undefined;
        /** Tasks that are duplicates of this task now. */
        duplicateOf?: string | undefined;
        /** A time with any offset from UTC (RFC 3339). Digits after the microsecond are cut off; at most nine are allowed. A date alone includes that day, from its first moment in UTC. */
        createdAfter?: string | undefined;
        /** A time with any offset from UTC (RFC 3339). Digits after the microsecond are cut off; at most nine are allowed. A date alone means the first moment of that day in UTC. */
        createdBefore?: string | undefined;
        /** A time with any offset from UTC (RFC 3339). Digits after the microsecond are cut off; at most nine are allowed. A date alone includes that day, from its first moment in UTC. */
        updatedAfter?: string | undefined;
        /** Tasks whose status has not changed since before this time. */
        statusBefore?: string | undefined;
        priority?: number | undefined;
        /** `true` returns only archived tasks. By default, only tasks that are not archived are returned. */
        archived?: boolean | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: Response;
  };
  /**
   * Export events as CSV. Exports all events of tasks and evals that match the filter and were written before the call, in the order of the feed. The file is CSV (RFC 4180) with a header row. Text that a spreadsheet would read as a formula is prefixed with an apostrophe. The file is named after what it holds and the day (UTC), such as `events-2026-11-30.csv`. It is streamed. If an error occurs while it is being sent, the connection is closed early, so a response that ends normally is complete.
   *
   * Role: `viewer` or above, or `service`.
   */
  exportEventsCsv: {
    input: {
      query?: {
        /** A task's id, or `ext:` followed by its external id. */
        task?: string | undefined;
        /** A time with any offset from UTC (RFC 3339). Digits after the microsecond are cut off; at most nine are allowed. A date alone includes that day, from its first moment in UTC. */
        createdAfter?: string | undefined;
        /** A time with any offset from UTC (RFC 3339). Digits after the microsecond are cut off; at most nine are allowed. A date alone means the first moment of that day in UTC. */
        createdBefore?: string | undefined;
        /** How the CSV is written. `standard` is UTF-8 with commas (RFC 4180). `excel` is what Excel opens by a double-click where lists are separated by semicolons: a byte order mark, semicolons between cells, and a decimal comma in numbers. */
        dialect?: "standard" | "excel" | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: Response;
  };
  /**
   * Export events as JSON Lines. Exports all events of tasks and evals that match the filter and were written before the call, in the order of the feed. The file has one JSON object per line, in the same shape as in other responses. The file is named after what it holds and the day (UTC), such as `events-2026-11-30.ndjson`. It is streamed. If an error occurs while it is being sent, the connection is closed early, so a response that ends normally is complete.
   *
   * Role: `viewer` or above, or `service`.
   */
  exportEventsNdjson: {
    input: {
      query?: {
        /** A task's id, or `ext:` followed by its external id. */
        task?: string | undefined;
        /** A time with any offset from UTC (RFC 3339). Digits after the microsecond are cut off; at most nine are allowed. A date alone includes that day, from its first moment in UTC. */
        createdAfter?: string | undefined;
        /** A time with any offset from UTC (RFC 3339). Digits after the microsecond are cut off; at most nine are allowed. A date alone means the first moment of that day in UTC. */
        createdBefore?: string | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: Response;
  };
  /**
   * Export trials as CSV. Exports all trials that match the filter, including retracted ones, each once, in the order in which they were recorded. The file is CSV (RFC 4180) with a header row. Text that a spreadsheet would read as a formula is prefixed with an apostrophe. The file is named after what it holds and the day (UTC), such as `trials-2026-11-30.csv`. It is streamed. If an error occurs while it is being sent, the connection is closed early, so a response that ends normally is complete.
   *
   * Role: `viewer` or above, or `service`.
   */
  exportTrialsCsv: {
    input: {
      query?: {
        /** A task's id, or `ext:` followed by its external id. */
        task?: string | undefined;
        evalId?: string | undefined;
        model?: string | undefined;
        modelRevision?: string | undefined;
        agent?: string | undefined;
        /** At most 180 bytes in UTF-8. */
        agentRevision?: string | undefined;
        provider?: string | undefined;
        status?: TrialStatus | undefined;
        /** `true` returns only retracted trials; `false` returns only trials that are not retracted. */
        retracted?: boolean | undefined;
        /** How the CSV is written. `standard` is UTF-8 with commas (RFC 4180). `excel` is what Excel opens by a double-click where lists are separated by semicolons: a byte order mark, semicolons between cells, and a decimal comma in numbers. */
        dialect?: "standard" | "excel" | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: Response;
  };
  /**
   * Export trials as JSON Lines. Exports all trials that match the filter, including retracted ones, each once, in the order in which they were recorded. The file has one JSON object per line, in the same shape as in other responses. The file is named after what it holds and the day (UTC), such as `trials-2026-11-30.ndjson`. It is streamed. If an error occurs while it is being sent, the connection is closed early, so a response that ends normally is complete.
   *
   * Role: `viewer` or above, or `service`.
   */
  exportTrialsNdjson: {
    input: {
      query?: {
        /** A task's id, or `ext:` followed by its external id. */
        task?: string | undefined;
        evalId?: string | undefined;
        model?: string | undefined;
        modelRevision?: string | undefined;
        agent?: string | undefined;
        /** At most 180 bytes in UTF-8. */
        agentRevision?: string | undefined;
        provider?: string | undefined;
        status?: TrialStatus | undefined;
        /** `true` returns only retracted trials; `false` returns only trials that are not retracted. */
        retracted?: boolean | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: Response;
  };
  /**
   * Export prompts as CSV. Exports all prompts that match the filter, each once, in the order in which they were recorded. The file is CSV (RFC 4180) with a header row. Text that a spreadsheet would read as a formula is prefixed with an apostrophe. The file is named after what it holds and the day (UTC), such as `prompts-2026-11-30.csv`. It is streamed. If an error occurs while it is being sent, the connection is closed early, so a response that ends normally is complete.
   *
   * Role: `viewer` or above, or `service`.
   */
  exportPromptsCsv: {
    input: {
      query?: {
        /** A task's id, or `ext:` followed by its external id. */
        task?: string | undefined;
        /** A version's id, or its number within the task. */
        version?: number | string | undefined;
        step?: string | undefined;
        model?: string | undefined;
        modelRevision?: string | undefined;
        agent?: string | undefined;
        /** At most 180 bytes in UTF-8. */
        agentRevision?: string | undefined;
        provider?: string | undefined;
        /** How the CSV is written. `standard` is UTF-8 with commas (RFC 4180). `excel` is what Excel opens by a double-click where lists are separated by semicolons: a byte order mark, semicolons between cells, and a decimal comma in numbers. */
        dialect?: "standard" | "excel" | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: Response;
  };
  /**
   * Export prompts as JSON Lines. Exports all prompts that match the filter, each once, in the order in which they were recorded. The file has one JSON object per line, in the same shape as in other responses. The file is named after what it holds and the day (UTC), such as `prompts-2026-11-30.ndjson`. It is streamed. If an error occurs while it is being sent, the connection is closed early, so a response that ends normally is complete.
   *
   * Role: `viewer` or above, or `service`.
   */
  exportPromptsNdjson: {
    input: {
      query?: {
        /** A task's id, or `ext:` followed by its external id. */
        task?: string | undefined;
        /** A version's id, or its number within the task. */
        version?: number | string | undefined;
        step?: string | undefined;
        model?: string | undefined;
        modelRevision?: string | undefined;
        agent?: string | undefined;
        /** At most 180 bytes in UTF-8. */
        agentRevision?: string | undefined;
        provider?: string | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: Response;
  };
  /**
   * Archive a task. Removes the task from lists, counts, and bulk changes. Nothing is deleted, and you can restore the task. Returns 409 `already_in_status` if the task is already archived.
   *
   * Role: `reviewer` or above.
   */
  archiveTask: {
    input: {
      params: {
        /** A task's id, or `ext:` followed by its external id. */
        taskId: TaskRef;
      };
      body?: ArchiveTask | undefined;
      requestId?: string | undefined;
      idempotencyKey?: string | undefined;
      ifMatch?: number | undefined;
    };
    answer: Moved;
  };
  /**
   * Restore a task. Restores an archived task as it was. Returns 409 `already_in_status` if the task is not archived.
   *
   * Role: `reviewer` or above.
   */
  restoreTask: {
    input: {
      params: {
        /** A task's id, or `ext:` followed by its external id. */
        taskId: TaskRef;
      };
      body?: RestoreTask | undefined;
      requestId?: string | undefined;
      idempotencyKey?: string | undefined;
      ifMatch?: number | undefined;
    };
    answer: Moved;
  };
  /**
   * Add a note to a task. Adds a note to the task's history. The task's status does not change.
   *
   * Role: `operator` or above.
   */
  addNote: {
    input: {
      params: {
        /** A task's id, or `ext:` followed by its external id. */
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
   * List a task's steps. Returns every step of the task, with all attempts of all versions, in the order in which the steps were opened.
   *
   * Role: `viewer` or above, or `service`.
   */
  listTaskSteps: {
    input: {
      params: {
        /** A task's id, or `ext:` followed by its external id. */
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
   * Change a step's gate. Sets the gate of the task's current step to `waived`, `blocked`, or `errored`. A `waived` gate can become `revoked`. `blocked` holds the step: until the hold ends, approving, advancing, waiving, and `errored` return 409 `gate_closed`, and the moves of workers' reports are deferred. Set the gate in the step's `hold` to end the hold; then the deferred moves are made. A verdict such as `passed` or `failed` follows from a status and cannot be set here. Every change requires a `reason`, except to `errored`.
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
   * Dispatch a pipeline. Requests a run of a pipeline that is attached to the step's current state, or that works on the stage of an idle step. Returns 409 `conflict` if a dispatch of this pipeline is still open, or if the version's payment was already requested.
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
   * Move tasks. Applies up to 1000 moves, each to a different task: a status change, an advance, or a rework. Each move succeeds or fails separately, as the call for a single task would. A move that lacks a required reason is refused with `validation_failed` and its `issues`. A move that the caller's role may never make fails the whole request with 403 `forbidden`. Attached pipelines run only if `runAttachedWorkflows` is `true`.
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
  /**
   * List bulk operations. Returns the bulk operations, newest first.
   *
   * Role: `viewer` or above, or `service`.
   */
  listBulkOperations: {
    input: {
      query?: {
        /** The maximum number of items on a page. */
        limit?: number | undefined;
        /** The `nextCursor` of the previous page. Omit it for the first page. */
        cursor?: string | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: {
      data: readonly BulkOperation[];
      /** The `cursor` of the next page; null on the last page. */
      nextCursor: string | null;
    };
  };
  /**
   * Retrieve a bulk operation. Returns the operation with its counts and its progress.
   *
   * Role: `viewer` or above, or `service`.
   */
  getBulkOperation: {
    input: {
      params: {
        operationId: Id;
      };
      requestId?: string | undefined;
    };
    answer: BulkOperation;
  };
  /**
   * Cancel a bulk operation. Cancels a queued operation immediately, and a running one after its current chunk of tasks. Tasks that are already changed stay changed; you can revert them.
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
   * Plan the retry of a bulk operation. Returns what a retry would do to the tasks that failed or were stale, in their current state. Changes nothing. Pass its `planToken` to the retry. Returns 409 `not_retriable` if a retry would not do what was agreed to: the operation has not ended, was cancelled or reverted, has nothing left to retry, or names an original that can no longer be named.
   *
   * Role: `viewer` or above, or `service`.
   */
  planRetryOfBulkItems: {
    input: {
      params: {
        operationId: Id;
      };
      body?: PlanRetryOfBulkItems | undefined;
      requestId?: string | undefined;
    };
    answer: BulkPreview;
  };
  /**
   * Retry the failed items of a bulk operation. Creates a child operation for the tasks that failed or were stale, as the plan of the retry has it. Requires that plan's `planToken`, and treats tasks that have changed since like an execution. Tasks that an earlier retry has changed are left out. The retry of a revert has no plan and no token, because it changes only tasks that failed and have not changed since. The example retries a revert. Returns 409 `not_retriable` if a retry would not do what was agreed to.
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
   * Revert a bulk operation. Puts every task that has not changed since back to its previous state, and recalls its dispatches that are not delivered yet. The response reports the tasks and dispatches that could not be reverted. Returns 409 `not_revertible` if the operation has not ended, was already reverted, changed nothing, or is a revert or an `advance`.
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
   * List the items of a bulk operation. Returns the outcome of each task of the operation.
   *
   * Role: `viewer` or above, or `service`.
   */
  listBulkItems: {
    input: {
      params: {
        operationId: Id;
      };
      query?: {
        /** The maximum number of items on a page. */
        limit?: number | undefined;
        /** The `nextCursor` of the previous page. Omit it for the first page. */
        cursor?: string | undefined;
        outcome?: "pending" | "changed" | "refused" | "stale" | "failed" | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: {
      data: readonly BulkOperationItem[];
      /** The `cursor` of the next page; null on the last page. */
      nextCursor: string | null;
    };
  };
  /**
   * Export bulk items as CSV. Exports the outcome of each task of the operation, in the order of the tasks in the request. The titles and external ids are those that the tasks have now. While the operation is running, an item can appear in its old or its new state. The file is CSV (RFC 4180) with a header row. Text that a spreadsheet would read as a formula is prefixed with an apostrophe. The file is named after what it holds and the day (UTC), such as `bulk-items-2026-11-30.csv`. It is streamed. If an error occurs while it is being sent, the connection is closed early, so a response that ends normally is complete.
   *
   * Role: `viewer` or above, or `service`.
   */
  exportBulkItemsCsv: {
    input: {
      params: {
        operationId: Id;
      };
      query?: {
        outcome?: "pending" | "changed" | "refused" | "stale" | "failed" | undefined;
        /** How the CSV is written. `standard` is UTF-8 with commas (RFC 4180). `excel` is what Excel opens by a double-click where lists are separated by semicolons: a byte order mark, semicolons between cells, and a decimal comma in numbers. */
        dialect?: "standard" | "excel" | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: Response;
  };
  /**
   * Export bulk items as JSON Lines. Exports the outcome of each task of the operation, in the order of the tasks in the request. The titles and external ids are those that the tasks have now. While the operation is running, an item can appear in its old or its new state. The file has one JSON object per line, in the same shape as in other responses. The file is named after what it holds and the day (UTC), such as `bulk-items-2026-11-30.ndjson`. It is streamed. If an error occurs while it is being sent, the connection is closed early, so a response that ends normally is complete.
   *
   * Role: `viewer` or above, or `service`.
   */
  exportBulkItemsNdjson: {
    input: {
      params: {
        operationId: Id;
      };
      query?: {
        outcome?: "pending" | "changed" | "refused" | "stale" | "failed" | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: Response;
  };
  /**
   * List product events. Returns one event for each bulk change that moved tasks to a terminal label, newest first.
   *
   * Role: `viewer` or above, or `service`.
   */
  listAnalyticsEvents: {
    input: {
      query?: {
        /** The maximum number of items on a page. */
        limit?: number | undefined;
        /** The `nextCursor` of the previous page. Omit it for the first page. */
        cursor?: string | undefined;
        name?: AnalyticsEventName | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: {
      data: readonly AnalyticsEvent[];
      /** The `cursor` of the next page; null on the last page. */
      nextCursor: string | null;
    };
  };
  /**
   * Retrieve task outcomes. Returns the funnel of the tasks that were created in the window, as of now: how many tasks reached each stage or a later one, whichever stage they started at, and the outcomes of the tasks that got no further. Archived tasks are excluded by default.
   *
   * Role: `viewer` or above, or `service`.
   */
  getOutcomes: {
    input: {
      query?: {
        /** Only tasks with this code. */
        taxonomyCode?: string | undefined;
        /** The start of the window, inclusive. Defaults to 30 days before `to`; at most 366 days before. */
        from?: string | undefined;
        /** The end of the window, exclusive. Defaults to the current time. */
        to?: string | undefined;
        /** `true` counts only archived tasks. By default, only tasks that are not archived are counted. */
        archived?: boolean | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: OutcomeStatistics;
  };
  /**
   * Retrieve throughput. Counts the changes in the history by time bucket. Days and weeks start at midnight of `timeZone`, so a day with a change of summer time has 23 or 25 hours; weeks start on Monday. The window is extended to whole buckets, at most 400; the last bucket may not be over yet. Changes that were reverted are not counted. Tasks that were archived since are counted.
   *
   * Role: `viewer` or above, or `service`.
   */
  getThroughput: {
    input: {
      query?: {
        /** Only tasks with this code. */
        taxonomyCode?: string | undefined;
        /** A time in the first bucket. Defaults to a window of 48 hours, or 30 days, or 26 weeks. */
        from?: string | undefined;
        /** The end of the window. Defaults to the end of the current bucket. */
        to?: string | undefined;
        bucket?: "hour" | "day" | "week" | undefined;
        /** The time zone of the buckets: a name of the IANA database with its area, or `UTC`. */
        timeZone?: string | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: ThroughputStatistics;
  };
  /**
   * Retrieve stage times. Returns how long tasks stayed at each stage, for the stays that ended in the window. A stay starts with the event that opens the step. It ends with the event that opens the task's next step (advance, rework, or new version), or earlier with the event that makes the task rejected, duplicate, or delivered, unless that was reverted. At most the newest 200000 ends of stays and approvals are read.
   *
   * Role: `viewer` or above, or `service`.
   */
  getStageTimes: {
    input: {
      query?: {
        /** Only tasks with this code. */
        taxonomyCode?: string | undefined;
        /** The start of the window, inclusive. Defaults to 30 days before `to`; at most 366 days before. */
        from?: string | undefined;
        /** The end of the window, exclusive. Defaults to the current time. */
        to?: string | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: StageTimeStatistics;
  };
  /**
   * Retrieve failures by stage. Counts the failures in the history. `failed` means that a person or a check gave a negative verdict; `errored` means that there was no verdict. Each change counts once. A failed review can count in addition to the gate that it closes. Changes that were reverted are not counted. Tasks that were archived since are counted.
   *
   * Role: `viewer` or above, or `service`.
   */
  getFailures: {
    input: {
      query?: {
        /** Only tasks with this code. */
        taxonomyCode?: string | undefined;
        /** The start of the window, inclusive. Defaults to 30 days before `to`; at most 366 days before. */
        from?: string | undefined;
        /** The end of the window, exclusive. Defaults to the current time. */
        to?: string | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: FailureStatistics;
  };
  /**
   * Withdraw a review. Takes back a review of one's own, as long as nothing has happened to its task since. The review stays readable and no longer counts. The move that came with it is undone: the step gets its status and gate back, and undelivered dispatches that the move requested, such as a payment, are recalled. Worker runs that the move cancelled stay cancelled. Own is what the same person recorded, with any of their credentials.
   *
   * Role: `reviewer` or above, or `service`.
   */
  withdrawReview: {
    input: {
      params: {
        reviewId: Id;
      };
      body: WithdrawReview;
      requestId?: string | undefined;
      idempotencyKey?: string | undefined;
      ifMatch?: number | undefined;
    };
    answer: Withdrawn;
  };
  /**
   * List reviews. Returns the reviews of all tasks that match every given filter, newest first. Withdrawn reviews are included unless `withdrawn` is false.
   *
   * Role: `viewer` or above, or `service`.
   */
  listReviews: {
    input: {
      query?: {
        /** A task's id, or `ext:` followed by its external id. */
        task?: string | undefined;
        stepId?: string | undefined;
        kind?: "automated" | "expert" | undefined;
        outcome?: "passed" | "failed" | undefined;
        withdrawn?: boolean | undefined;
        /** The credential that recorded it: an API key's id, or a token's subject. */
        reviewerId?: string | undefined;
        /** The person who recorded it, with any of their credentials. */
        personId?: string | undefined;
        /** A time with any offset from UTC (RFC 3339). Digits after the microsecond are cut off; at most nine are allowed. A date alone includes that day, from its first moment in UTC. */
        createdAfter?: string | undefined;
        /** A time with any offset from UTC (RFC 3339). Digits after the microsecond are cut off; at most nine are allowed. A date alone means the first moment of that day in UTC. */
        createdBefore?: string | undefined;
        /** The maximum number of items on a page. */
        limit?: number | undefined;
        /** The `nextCursor` of the previous page. Omit it for the first page. */
        cursor?: string | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: {
      data: readonly Review[];
      /** The `cursor` of the next page; null on the last page. */
      nextCursor: string | null;
    };
  };
  /**
   * Export reviews as CSV. Exports all reviews that match the filter, including withdrawn ones, each once, in the order in which they were recorded. The file is CSV (RFC 4180) with a header row. Text that a spreadsheet would read as a formula is prefixed with an apostrophe. The file is named after what it holds and the day (UTC), such as `reviews-2026-11-30.csv`. It is streamed. If an error occurs while it is being sent, the connection is closed early, so a response that ends normally is complete.
   *
   * Role: `viewer` or above, or `service`.
   */
  exportReviewsCsv: {
    input: {
      query?: {
        /** A task's id, or `ext:` followed by its external id. */
        task?: string | undefined;
        stepId?: string | undefined;
        kind?: "automated" | "expert" | undefined;
        outcome?: "passed" | "failed" | undefined;
        withdrawn?: boolean | undefined;
        /** The credential that recorded it: an API key's id, or a token's subject. */
        reviewerId?: string | undefined;
        /** The person who recorded it, with any of their credentials. */
        personId?: string | undefined;
        /** A time with any offset from UTC (RFC 3339). Digits after the microsecond are cut off; at most nine are allowed. A date alone includes that day, from its first moment in UTC. */
        createdAfter?: string | undefined;
        /** A time with any offset from UTC (RFC 3339). Digits after the microsecond are cut off; at most nine are allowed. A date alone means the first moment of that day in UTC. */
        createdBefore?: string | undefined;
        /** How the CSV is written. `standard` is UTF-8 with commas (RFC 4180). `excel` is what Excel opens by a double-click where lists are separated by semicolons: a byte order mark, semicolons between cells, and a decimal comma in numbers. */
        dialect?: "standard" | "excel" | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: Response;
  };
  /**
   * Export reviews as JSON Lines. Exports all reviews that match the filter, including withdrawn ones, each once, in the order in which they were recorded. The file has one JSON object per line, in the same shape as in other responses. The file is named after what it holds and the day (UTC), such as `reviews-2026-11-30.ndjson`. It is streamed. If an error occurs while it is being sent, the connection is closed early, so a response that ends normally is complete.
   *
   * Role: `viewer` or above, or `service`.
   */
  exportReviewsNdjson: {
    input: {
      query?: {
        /** A task's id, or `ext:` followed by its external id. */
        task?: string | undefined;
        stepId?: string | undefined;
        kind?: "automated" | "expert" | undefined;
        outcome?: "passed" | "failed" | undefined;
        withdrawn?: boolean | undefined;
        /** The credential that recorded it: an API key's id, or a token's subject. */
        reviewerId?: string | undefined;
        /** The person who recorded it, with any of their credentials. */
        personId?: string | undefined;
        /** A time with any offset from UTC (RFC 3339). Digits after the microsecond are cut off; at most nine are allowed. A date alone includes that day, from its first moment in UTC. */
        createdAfter?: string | undefined;
        /** A time with any offset from UTC (RFC 3339). Digits after the microsecond are cut off; at most nine are allowed. A date alone means the first moment of that day in UTC. */
        createdBefore?: string | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: Response;
  };
  /**
   * Claim the next reviews. Hands out tasks that wait for an expert review: those with the highest priority first, then those that wait longest. No one else gets a task that someone holds. A task waits if its step in `expert_review` is `queued`, `awaiting_review` or `in_review`, is not held, and the task is not archived. Tasks that the caller created or wrote the active version of are left out, and so are those that the caller declined. The claim ends with the caller's review, when it is released or declined, or when its lease runs out. It writes no event.
   *
   * Role: `reviewer` or above.
   */
  claimReviews: {
    input: {
      body?: ClaimReviews | undefined;
      requestId?: string | undefined;
      idempotencyKey?: string | undefined;
    };
    answer: ClaimedReviews;
  };
  /**
   * Renew a claim. Extends the lease of a claim that the caller holds, counted from now. Refused with `lease_lost` once the lease has run out, or if the step has ended or is no longer current.
   *
   * Role: `reviewer` or above.
   */
  renewReviewClaim: {
    input: {
      params: {
        claimId: Id;
      };
      body?: RenewReviewClaim | undefined;
      requestId?: string | undefined;
      idempotencyKey?: string | undefined;
    };
    answer: ReviewClaim;
  };
  /**
   * Release a claim. Gives the task back. It is offered again, also to the caller, who then finds the saved draft.
   *
   * Role: `reviewer` or above.
   */
  releaseReviewClaim: {
    input: {
      params: {
        claimId: Id;
      };
      requestId?: string | undefined;
      idempotencyKey?: string | undefined;
    };
    answer: ReviewClaim;
  };
  /**
   * Decline a claim. Gives the task back with a reason. It is offered to others, and not to the caller again until someone else has reviewed it.
   *
   * Role: `reviewer` or above.
   */
  declineReviewClaim: {
    input: {
      params: {
        claimId: Id;
      };
      body: DeclineReviewClaim;
      requestId?: string | undefined;
      idempotencyKey?: string | undefined;
    };
    answer: ReviewClaim;
  };
  /**
   * Save the draft of a review. Saves the notes of a review that is not finished, on the claim. Only the holder reads them. They are lost when someone else takes the task.
   *
   * Role: `reviewer` or above.
   */
  saveReviewDraft: {
    input: {
      params: {
        claimId: Id;
      };
      body: SaveReviewDraft;
      requestId?: string | undefined;
    };
    answer: ReviewClaim;
  };
  /**
   * List claims. Returns the claims that are held and whose step has not ended, newest first: those of the caller, or with `all` those of everyone.
   *
   * Role: `viewer` or above, or `service`.
   */
  listReviewClaims: {
    input: {
      query?: {
        /** A task's id, or `ext:` followed by its external id. */
        task?: string | undefined;
        stepId?: string | undefined;
        all?: boolean | undefined;
        /** The maximum number of items on a page. */
        limit?: number | undefined;
        /** The `nextCursor` of the previous page. Omit it for the first page. */
        cursor?: string | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: {
      data: readonly ReviewClaim[];
      /** The `cursor` of the next page; null on the last page. */
      nextCursor: string | null;
    };
  };
  /**
   * Start a worker run. Creates a worker run for the task's current step. It stays `QUEUED` until its worker reports.
   *
   * Role: `admin`, or `service`.
   */
  startRun: {
    input: {
      params: {
        /** A task's id, or `ext:` followed by its external id. */
        taskId: TaskRef;
      };
      body: StartRun;
      requestId?: string | undefined;
      idempotencyKey?: string | undefined;
    };
    answer: WorkerRun;
  };
  /**
   * Claim worker runs. Claims queued runs for a worker that polls. Pipelines without an endpoint queue their runs here. Each run is leased to one caller. After the caller's first report the lease no longer matters, only the run's deadline. If a lease ends before the first report, the run can be claimed again with the next `attempt`. Runs are claimed by task priority, highest first, and then by age. Returns an empty list if no run is waiting.
   *
   * Role: `admin`, or `service`.
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
   * Report on a worker run. Reports the state of a run and renews its deadline. If the run's step is still the task's current step, the report also changes the step's status, as the table `reportEffects` of `GET /v1/registry` says. A successful quality check must include a `verdict`, and a successful scoring can. A report after the run has ended changes nothing. It is kept among the late reports of the run, unless it only repeats how the run ended. `keptAside` says if a report, or the move that it asks for, was only recorded. If a worker claimed the run, every report requires the `attempt` of the claim. The first report must come from the holder of the lease; otherwise the call returns 409 `lease_lost`, as it does for a different `attempt`.
   *
   * Role: `admin`, or `service`.
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
  /**
   * List worker runs. Returns the worker runs that match every given filter, newest first.
   *
   * Role: `viewer` or above, or `service`.
   */
  listRuns: {
    input: {
      query?: {
        /** A task's id, or `ext:` followed by its external id. */
        task?: string | undefined;
        stepId?: string | undefined;
        type?: WorkerType | undefined;
        state?: RunState | undefined;
        /** The maximum number of items on a page. */
        limit?: number | undefined;
        /** The `nextCursor` of the previous page. Omit it for the first page. */
        cursor?: string | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: {
      data: readonly WorkerRun[];
      /** The `cursor` of the next page; null on the last page. */
      nextCursor: string | null;
    };
  };
  /**
   * List a run's late reports. Returns the reports that came after the run had ended, newest first. Each is kept whole and changed nothing.
   *
   * Role: `viewer` or above, or `service`.
   */
  listLateReports: {
    input: {
      params: {
        runId: Id;
      };
      query?: {
        /** The maximum number of items on a page. */
        limit?: number | undefined;
        /** The `nextCursor` of the previous page. Omit it for the first page. */
        cursor?: string | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: {
      data: readonly LateReport[];
      /** The `cursor` of the next page; null on the last page. */
      nextCursor: string | null;
    };
  };
  /**
   * List pipelines. Returns every pipeline with their settings, including those with default settings. Does not return secrets.
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
   * Configure a pipeline. Sets the pipeline's endpoint and limits. With an `endpoint`, each dispatch is sent there with POST, signed as defined by Standard Webhooks. Without one, its run waits for a worker to claim it. The first call creates a signing secret, unless you provide one, and only that response contains it. A new `secret` replaces the current one, which stays valid for 24 hours.
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
   * Rotate a pipeline's secret. Returns a new secret. The secret that it replaces stays valid for 24 hours, and so does every secret that was replaced in the last 24 hours: messages have one signature for each, the newest first. A retry with the same `Idempotency-Key` returns the same secret, as long as it is valid. At most 10 secrets are valid at once.
   *
   * Role: `admin`.
   */
  rotatePipelineSecret: {
    input: {
      params: {
        name: PipelineName;
      };
      body?: RotateSecret | undefined;
      requestId?: string | undefined;
      idempotencyKey?: string | undefined;
    };
    answer: PipelineWithSecret;
  };
  /**
   * List dispatches. Returns the dispatches that match every given filter, newest first.
   *
   * Role: `viewer` or above, or `service`.
   */
  listDispatches: {
    input: {
      query?: {
        state?: DispatchState | undefined;
        pipeline?: PipelineName | undefined;
        /** A task's id, or `ext:` followed by its external id. */
        task?: string | undefined;
        bulkOperationId?: string | undefined;
        /** A time with any offset from UTC (RFC 3339). Digits after the microsecond are cut off; at most nine are allowed. A date alone includes that day, from its first moment in UTC. */
        createdAfter?: string | undefined;
        /** A time with any offset from UTC (RFC 3339). Digits after the microsecond are cut off; at most nine are allowed. A date alone means the first moment of that day in UTC. */
        createdBefore?: string | undefined;
        /** The maximum number of items on a page. */
        limit?: number | undefined;
        /** The `nextCursor` of the previous page. Omit it for the first page. */
        cursor?: string | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: {
      data: readonly Dispatch[];
      /** The `cursor` of the next page; null on the last page. */
      nextCursor: string | null;
    };
  };
  /**
   * Retrieve a dispatch. Returns the dispatch with its log, which records every change of its state, who made it, and why.
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
   * Retry a dead dispatch. Delivers a `dead` dispatch again, with the full number of attempts and the same worker run. Returns 409 `invalid_transition` if that run has started or ended, or if the task no longer needs the pipeline; in the first case, dispatch the pipeline again. A version has only one payment, so a payment whose run timed out gets a new run instead.
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
   * Recall a dispatch. Withdraws a dispatch before it is delivered, and cancels its waiting run if there is one. Returns 409 `invalid_transition` while the dispatch is being delivered and after it was delivered.
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
   * Retry dead dispatches. Delivers all `dead` dispatches that match again. Each is judged by itself, as if it were the only one, and those that cannot be changed are counted by their reason. A call looks at up to 1,000, the oldest first, and `nextAfter` says where to go on. With `dryRun`, it only says what it would do. Of several dead dispatches of one step and pipeline, only the newest is delivered.
   *
   * Role: `operator` or above.
   */
  retryDispatches: {
    input: {
      body: ChangeDispatches;
      requestId?: string | undefined;
      idempotencyKey?: string | undefined;
    };
    answer: BatchResult;
  };
  /**
   * Recall dispatches. Withdraws all dispatches that match and are not delivered yet. Each is judged by itself, as if it were the only one, and those that cannot be changed are counted by their reason. A call looks at up to 1,000, the oldest first, and `nextAfter` says where to go on. With `dryRun`, it only says what it would do.
   *
   * Role: `operator` or above.
   */
  recallDispatches: {
    input: {
      body: ChangeDispatches;
      requestId?: string | undefined;
      idempotencyKey?: string | undefined;
    };
    answer: BatchResult;
  };
  /**
   * Record a prompt. Records a prompt or a model's reply. It belongs to the task's current step, unless `stepId` names another step of the task. The eval and the trial must belong to the task.
   *
   * Role: `operator` or above, or `service`.
   */
  recordPrompt: {
    input: {
      params: {
        /** A task's id, or `ext:` followed by its external id. */
        taskId: TaskRef;
      };
      body: RecordPrompt;
      requestId?: string | undefined;
      idempotencyKey?: string | undefined;
    };
    answer: Prompt;
  };
  /**
   * List prompts. Returns the prompts that match every given filter, by default the newest first. A page can have fewer prompts than `limit` if they are long.
   *
   * Role: `viewer` or above, or `service`.
   */
  listPrompts: {
    input: {
      query?: {
        /** A task's id, or `ext:` followed by its external id. */
        task?: string | undefined;
        /** A version's id, or its number within the task. */
        version?: number | string | undefined;
        step?: string | undefined;
        model?: string | undefined;
        modelRevision?: string | undefined;
        agent?: string | undefined;
        /** At most 180 bytes in UTF-8. */
        agentRevision?: string | undefined;
        provider?: string | undefined;
        /** The field to sort by, and then by id. A leading `-` sorts in descending order. Prompts without the field come last in either order. */
        sort?: "createdAt" | "-createdAt" | "model" | "-model" | "agent" | "-agent" | "provider" | "-provider" | undefined;
        /** The maximum number of items on a page. */
        limit?: number | undefined;
        /** The `nextCursor` of the previous page. Omit it for the first page. */
        cursor?: string | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: {
      data: readonly Prompt[];
      /** The `cursor` of the next page; null on the last page. */
      nextCursor: string | null;
    };
  };
  /**
   * Declare a data item. Declares a data item of the task. Upload its content with `PUT /v1/data/{dataId}/content` within a day, or the data item is deleted. With `uri`, registers content that is stored elsewhere; it is never fetched, and so it stays unverified. The data item belongs to the current step, unless `stepId` names another step of the task. Returns 409 `conflict` if the step already has the same content with the same kind, model, revision, agent, and provider. The prompt and the insight must belong to the task. Inputs can belong to any task. Returns 409 `version_sealed` for `golden` and `source` data of a version that is sealed or delivered.
   *
   * Role: `operator` or above, or `service`.
   */
  declareData: {
    input: {
      params: {
        /** A task's id, or `ext:` followed by its external id. */
        taskId: TaskRef;
      };
      body: DeclareData;
      requestId?: string | undefined;
      idempotencyKey?: string | undefined;
    };
    answer: Data;
  };
  /**
   * List data. Returns the data items that match every given filter, newest first.
   *
   * Role: `viewer` or above, or `service`.
   */
  listData: {
    input: {
      query?: {
        /** A task's id, or `ext:` followed by its external id. */
        task?: string | undefined;
        kind?: DataKind | undefined;
        model?: string | undefined;
        modelRevision?: string | undefined;
        agent?: string | undefined;
        /** At most 180 bytes in UTF-8. */
        agentRevision?: string | undefined;
        provider?: string | undefined;
        /** Whether the content is stored here. It is not if it was not uploaded yet or is stored elsewhere. */
        stored?: boolean | undefined;
        /** Artifacts that passed the gate of this stage: the gate of a step that followed from the artifact's step is `passed`. A `waived` or `revoked` gate does not count, nor does a step that follows a later attempt at the artifact's stage or an earlier one. */
        passedGate?: StageName | undefined;
        /** The maximum number of items on a page. */
        limit?: number | undefined;
        /** The `nextCursor` of the previous page. Omit it for the first page. */
        cursor?: string | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: {
      data: readonly Data[];
      /** The `cursor` of the next page; null on the last page. */
      nextCursor: string | null;
    };
  };
  /**
   * Retrieve a data item. Returns the data item without its content.
   *
   * Role: `viewer` or above, or `service`.
   */
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
   * Upload the content of a data item. The request body is the content. It is stored only if its size and SHA-256 match the declaration; otherwise the call returns 400 `validation_failed`. A `Content-Type` that differs from the declared one returns 415 `unsupported_media_type`. Stored content never changes. A repeated upload is checked again. Returns 409 `version_sealed` if the first upload of `golden` or `source` data comes after the version was sealed or delivered.
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
   * Download the content of a data item. Returns the content as an attachment. The `ETag` is its SHA-256. Media types that a browser could execute are sent as `application/octet-stream`. Returns 404 `not_found` if the content was not uploaded yet or is stored elsewhere.
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
   * Export data as CSV. Exports all data items that match the filter, without their content, each once, in the order in which they were declared. The file is CSV (RFC 4180) with a header row. Text that a spreadsheet would read as a formula is prefixed with an apostrophe. The file is named after what it holds and the day (UTC), such as `data-2026-11-30.csv`. It is streamed. If an error occurs while it is being sent, the connection is closed early, so a response that ends normally is complete.
   *
   * Role: `viewer` or above, or `service`.
   */
  exportDataCsv: {
    input: {
      query?: {
        /** A task's id, or `ext:` followed by its external id. */
        task?: string | undefined;
        kind?: DataKind | undefined;
        model?: string | undefined;
        modelRevision?: string | undefined;
        agent?: string | undefined;
        /** At most 180 bytes in UTF-8. */
        agentRevision?: string | undefined;
        provider?: string | undefined;
        /** Whether the content is stored here. It is not if it was not uploaded yet or is stored elsewhere. */
        stored?: boolean | undefined;
        /** Artifacts that passed the gate of this stage: the gate of a step that followed from the artifact's step is `passed`. A `waived` or `revoked` gate does not count, nor does a step that follows a later attempt at the artifact's stage or an earlier one. */
        passedGate?: StageName | undefined;
        /** How the CSV is written. `standard` is UTF-8 with commas (RFC 4180). `excel` is what Excel opens by a double-click where lists are separated by semicolons: a byte order mark, semicolons between cells, and a decimal comma in numbers. */
        dialect?: "standard" | "excel" | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: Response;
  };
  /**
   * Export data as JSON Lines. Exports all data items that match the filter, without their content, each once, in the order in which they were declared. The file has one JSON object per line, in the same shape as in other responses. The file is named after what it holds and the day (UTC), such as `data-2026-11-30.ndjson`. It is streamed. If an error occurs while it is being sent, the connection is closed early, so a response that ends normally is complete.
   *
   * Role: `viewer` or above, or `service`.
   */
  exportDataNdjson: {
    input: {
      query?: {
        /** A task's id, or `ext:` followed by its external id. */
        task?: string | undefined;
        kind?: DataKind | undefined;
        model?: string | undefined;
        modelRevision?: string | undefined;
        agent?: string | undefined;
        /** At most 180 bytes in UTF-8. */
        agentRevision?: string | undefined;
        provider?: string | undefined;
        /** Whether the content is stored here. It is not if it was not uploaded yet or is stored elsewhere. */
        stored?: boolean | undefined;
        /** Artifacts that passed the gate of this stage: the gate of a step that followed from the artifact's step is `passed`. A `waived` or `revoked` gate does not count, nor does a step that follows a later attempt at the artifact's stage or an earlier one. */
        passedGate?: StageName | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: Response;
  };
  /**
   * Create an eval. Creates an eval with the status `draft` for a version of the task, by default the active one. Returns 409 `conflict` with the existing eval if the version already has one with this name that is not cancelled.
   *
   * Role: `operator` or above, or `service`.
   */
  createEval: {
    input: {
      params: {
        /** A task's id, or `ext:` followed by its external id. */
        taskId: TaskRef;
      };
      body: CreateEval;
      requestId?: string | undefined;
      idempotencyKey?: string | undefined;
    };
    answer: Eval;
  };
  /**
   * List evals. Returns the evals that match every given filter, newest first.
   *
   * Role: `viewer` or above, or `service`.
   */
  listEvals: {
    input: {
      query?: {
        /** A task's id, or `ext:` followed by its external id. */
        task?: string | undefined;
        name?: string | undefined;
        status?: EvalStatus | undefined;
        /** Evals with a trial of this model that is not retracted. */
        model?: string | undefined;
        /** The maximum number of items on a page. */
        limit?: number | undefined;
        /** The `nextCursor` of the previous page. Omit it for the first page. */
        cursor?: string | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: {
      data: readonly Eval[];
      /** The `cursor` of the next page; null on the last page. */
      nextCursor: string | null;
    };
  };
  /**
   * Retrieve an eval. Returns the eval with its status.
   *
   * Role: `viewer` or above, or `service`.
   */
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
   * Change an eval. Changes the status as the table `evalTransitions` of `GET /v1/registry` allows, or raises `k`, or both. A cancelled eval accepts no more trials. Returns 409 `conflict` for a `k` that is smaller than the eval's, because `k` never falls.
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
   * List an eval's events. Returns the events of the eval's own history, which is separate from the task's, that match every given filter. Events are numbered from 1 without gaps, and each event's hash covers its own content and the hash of the previous event.
   *
   * Role: `viewer` or above, or `service`.
   */
  listEvalEvents: {
    input: {
      params: {
        evalId: Id;
      };
      query?: {
        /** Events of any of these types. */
        type?: readonly EvalEventType[] | undefined;
        /** The id of an actor, as events have it, or of a person. A person's id finds what the person did with any of their API keys and tokens. */
        actor?: string | undefined;
        /** `seq` sorts from the oldest event to the newest, and `-seq` from the newest to the oldest. */
        sort?: "seq" | "-seq" | undefined;
        /** The maximum number of items on a page. */
        limit?: number | undefined;
        /** The `nextCursor` of the previous page. Omit it for the first page. */
        cursor?: string | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: {
      data: readonly EvalEvent[];
      /** The `cursor` of the next page; null on the last page. */
      nextCursor: string | null;
    };
  };
  /**
   * Verify an eval's history. Rebuilds the canonical text of every event from its stored fields, recomputes the hash chain, and compares it with the head that is stored on the eval.
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
   * Record an evaluation. Records up to 1000 results of one evaluation across many tasks. Each result becomes a trial of the eval with that name on the task's active version; if there is no such eval, one is created with the status `running`. Each result succeeds or fails separately. A result whose slot has a trial returns `exists` if everything about it is equal, including its maker, score, error, output, and usage. Otherwise it returns `conflict` with `existing` and `differs`. It also returns `conflict` if the eval has another `slotBy` than the call names, or if the task is archived and has no such eval. An eval with a smaller `k` is raised to that of the call; one with a larger `k` keeps it. `usage` is stored as an insight of kind `trial`, which is kept if the trial is retracted. You can repeat a call in whole or in part.
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
   * Export evals as CSV. Exports all evals that match the filter, each once, in the order in which they were created. The file is CSV (RFC 4180) with a header row. Text that a spreadsheet would read as a formula is prefixed with an apostrophe. The file is named after what it holds and the day (UTC), such as `evals-2026-11-30.csv`. It is streamed. If an error occurs while it is being sent, the connection is closed early, so a response that ends normally is complete.
   *
   * Role: `viewer` or above, or `service`.
   */
  exportEvalsCsv: {
    input: {
      query?: {
        /** A task's id, or `ext:` followed by its external id. */
        task?: string | undefined;
        name?: string | undefined;
        status?: EvalStatus | undefined;
        /** Evals with a trial of this model that is not retracted. */
        model?: string | undefined;
        /** How the CSV is written. `standard` is UTF-8 with commas (RFC 4180). `excel` is what Excel opens by a double-click where lists are separated by semicolons: a byte order mark, semicolons between cells, and a decimal comma in numbers. */
        dialect?: "standard" | "excel" | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: Response;
  };
  /**
   * Export evals as JSON Lines. Exports all evals that match the filter, each once, in the order in which they were created. The file has one JSON object per line, in the same shape as in other responses. The file is named after what it holds and the day (UTC), such as `evals-2026-11-30.ndjson`. It is streamed. If an error occurs while it is being sent, the connection is closed early, so a response that ends normally is complete.
   *
   * Role: `viewer` or above, or `service`.
   */
  exportEvalsNdjson: {
    input: {
      query?: {
        /** A task's id, or `ext:` followed by its external id. */
        task?: string | undefined;
        name?: string | undefined;
        status?: EvalStatus | undefined;
        /** Evals with a trial of this model that is not retracted. */
        model?: string | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: Response;
  };
  /**
   * Summarize an eval. Returns pass@1 to pass@k and the scores of each model, with 95% confidence intervals. Retracted trials are ignored.
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
   * Summarize evals across tasks. Returns pass@k and the scores of each model over the tasks that match the filters, at most the newest 50000. Every task has the same weight and contributes the trials of its newest version that has such an eval. Cancelled evals, retracted trials, and evals that a newer one with the same name has replaced (`twinOf`) are ignored. `coverage` says how many of the tasks have evals, verdicts, and scores.
   *
   * Role: `viewer` or above, or `service`.
   */
  summariseEvals: {
    input: {
      query?: {
        /** Tasks with any of these labels. */
        unifiedStatus?: readonly UnifiedStatus[] | undefined;
        /** Tasks with any of these attention codes. */
        attention?: readonly AttentionCode[] | undefined;
        stepKind?: StageName | undefined;
        stepStatus?: StepStatus | undefined;
        gate?: GateState | undefined;
        taxonomyCode?: string | undefined;
        assignee?: string | undefined;
        externalId?: string | undefined;
        /** Text that the title or the external id contains, ignoring case and Unicode composition. At least 3 characters, or 2 if one of them is Chinese, Japanese or Korean. */
        q?: string | undefined;
        /** Tasks with a prompt, a data item, a trial, or an insight that this model produced. */
        model?: string | undefined;
        /** Tasks that this bulk operation changed. */
        bulkOperationId?: string | undefined;
        /** Tasks that are duplicates of this task now. */
        duplicateOf?: string | undefined;
        /** A time with any offset from UTC (RFC 3339). Digits after the microsecond are cut off; at most nine are allowed. A date alone includes that day, from its first moment in UTC. */
        createdAfter?: string | undefined;
        /** A time with any offset from UTC (RFC 3339). Digits after the microsecond are cut off; at most nine are allowed. A date alone means the first moment of that day in UTC. */
        createdBefore?: string | undefined;
        /** A time with any offset from UTC (RFC 3339). Digits after the microsecond are cut off; at most nine are allowed. A date alone includes that day, from its first moment in UTC. */
        updatedAfter?: string | undefined;
        /** Tasks whose status has not changed since before this time. */
        statusBefore?: string | undefined;
        priority?: number | undefined;
        /** `true` returns only archived tasks. By default, only tasks that are not archived are returned. */
        archived?: boolean | undefined;
        /** Only evals with this name. */
        name?: string | undefined;
        /** A comma-separated list of up to 20 models. If you name exactly two, they are compared task by task. */
        models?: string | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: ScopeSummary;
  };
  /**
   * Retrieve the lineage of an artifact. Returns where an artifact comes from: the model revision that made it, its prompt, its step and version, its inputs and their inputs, the verdicts on the gates of those versions, and the trials that scored it. A data item without stored content or a `uri` is not an artifact and returns 404 `not_found`.
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
   * Retrieve the lineage of a task. Returns the task's versions and steps with the verdicts on their gates, its prompts, artifacts with their inputs, trials, and insights, and the models that made them. With `asOf`, returns the lineage as it was at that point.
   *
   * Role: `viewer` or above, or `service`.
   */
  getTaskLineage: {
    input: {
      params: {
        /** A task's id, or `ext:` followed by its external id. */
        taskId: TaskRef;
      };
      query?: {
        /** A point in the task's history: a time with any offset, or `seq:` followed by the number of an event. */
        asOf?: string | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: TaskLineage;
  };
  /**
   * Record trials. Records one trial, or up to 1000 trials in `trials`. Several trials are recorded together with one event, or not at all. Returns 409 `conflict` if a trial that is not retracted has the same slot: the same `k` and the same members of `slotBy` of the eval. `existing` is that trial, and `differs` lists every field in which it differs, with both values; it is empty if all are equal. For several trials, `taken` lists every taken slot, each with `outcome` `exists` or `conflict`.
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
   * List an eval's trials. Returns the trials of the eval, oldest first, including retracted ones.
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
        modelRevision?: string | undefined;
        agent?: string | undefined;
        /** At most 180 bytes in UTF-8. */
        agentRevision?: string | undefined;
        provider?: string | undefined;
        status?: TrialStatus | undefined;
        /** `true` returns only retracted trials; `false` returns only trials that are not retracted. */
        retracted?: boolean | undefined;
        /** The maximum number of items on a page. */
        limit?: number | undefined;
        /** The `nextCursor` of the previous page. Omit it for the first page. */
        cursor?: string | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: {
      data: readonly Trial[];
      /** The `cursor` of the next page; null on the last page. */
      nextCursor: string | null;
    };
  };
  /**
   * Report a trial's result. Changes the trial's status as the table `trialTransitions` of `GET /v1/registry` allows. An `errored` trial can run again, which clears its error. A trial that has passed, failed, been scored, or been retracted cannot change.
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
   * Retract a trial. Retracts the trial, so that another trial with the same slot and `k` can be recorded. The retracted trial and its insights can still be read.
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
   * Create an insight. Creates the record of an inference job. Its status is `QUEUED`, or `SUCCEEDED` if the request has an `output`. With `trialId`, the insight also belongs to the trial's eval.
   *
   * Role: `admin`, or `service`.
   */
  createInsight: {
    input: {
      body: CreateInsight;
      requestId?: string | undefined;
      idempotencyKey?: string | undefined;
    };
    answer: Insight;
  };
  /**
   * List insights. Returns the insights that match every given filter, newest first.
   *
   * Role: `viewer` or above, or `service`.
   */
  listInsights: {
    input: {
      query?: {
        /** A task's id, or `ext:` followed by its external id. */
        task?: string | undefined;
        evalId?: string | undefined;
        trialId?: string | undefined;
        kind?: string | undefined;
        status?: RunState | undefined;
        model?: string | undefined;
        modelRevision?: string | undefined;
        agent?: string | undefined;
        /** At most 180 bytes in UTF-8. */
        agentRevision?: string | undefined;
        provider?: string | undefined;
        /** The maximum number of items on a page. */
        limit?: number | undefined;
        /** The `nextCursor` of the previous page. Omit it for the first page. */
        cursor?: string | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: {
      data: readonly Insight[];
      /** The `cursor` of the next page; null on the last page. */
      nextCursor: string | null;
    };
  };
  /**
   * Report an insight's result. Reports the status, the output, and the usage of an inference job. Repeating the current status changes nothing. After the job has ended, you can still report an output or a usage that is missing; a second report of either returns 409 `conflict`.
   *
   * Role: `admin`, or `service`.
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
   * Export insights as CSV. Exports all insights that match the filter, each once, in the order in which they were created. In CSV, `input`, `output` and `usage` are JSON. The file is CSV (RFC 4180) with a header row. Text that a spreadsheet would read as a formula is prefixed with an apostrophe. The file is named after what it holds and the day (UTC), such as `insights-2026-11-30.csv`. It is streamed. If an error occurs while it is being sent, the connection is closed early, so a response that ends normally is complete.
   *
   * Role: `viewer` or above, or `service`.
   */
  exportInsightsCsv: {
    input: {
      query?: {
        /** A task's id, or `ext:` followed by its external id. */
        task?: string | undefined;
        evalId?: string | undefined;
        trialId?: string | undefined;
        kind?: string | undefined;
        status?: RunState | undefined;
        model?: string | undefined;
        modelRevision?: string | undefined;
        agent?: string | undefined;
        /** At most 180 bytes in UTF-8. */
        agentRevision?: string | undefined;
        provider?: string | undefined;
        /** How the CSV is written. `standard` is UTF-8 with commas (RFC 4180). `excel` is what Excel opens by a double-click where lists are separated by semicolons: a byte order mark, semicolons between cells, and a decimal comma in numbers. */
        dialect?: "standard" | "excel" | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: Response;
  };
  /**
   * Export insights as JSON Lines. Exports all insights that match the filter, each once, in the order in which they were created. In CSV, `input`, `output` and `usage` are JSON. The file has one JSON object per line, in the same shape as in other responses. The file is named after what it holds and the day (UTC), such as `insights-2026-11-30.ndjson`. It is streamed. If an error occurs while it is being sent, the connection is closed early, so a response that ends normally is complete.
   *
   * Role: `viewer` or above, or `service`.
   */
  exportInsightsNdjson: {
    input: {
      query?: {
        /** A task's id, or `ext:` followed by its external id. */
        task?: string | undefined;
        evalId?: string | undefined;
        trialId?: string | undefined;
        kind?: string | undefined;
        status?: RunState | undefined;
        model?: string | undefined;
        modelRevision?: string | undefined;
        agent?: string | undefined;
        /** At most 180 bytes in UTF-8. */
        agentRevision?: string | undefined;
        provider?: string | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: Response;
  };
  /**
   * Create or update a webhook. Sends messages about the chosen events to your URL. Messages are signed as defined by Standard Webhooks, and delivery is attempted for about a day. docs/webhooks.md describes the messages. A webhook that is new, or enabled again, receives the events that are committed from then on.
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
   * Delete a webhook. Deletes the webhook and its secrets. Nothing more is sent to it, and its deliveries can no longer be read. A new webhook with the same name starts without them.
   *
   * Role: `admin`.
   */
  deleteWebhook: {
    input: {
      params: {
        name: WebhookName;
      };
      query?: {
        /** Why the change is made, up to 2,000 characters. Stored on the event. */
        reason?: string | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: Webhook;
  };
  /**
   * List webhooks. Returns the webhooks of the tenant by name. Does not return secrets.
   *
   * Role: `admin`.
   */
  listWebhooks: {
    input: {
      query?: {
        /** The maximum number of items on a page. */
        limit?: number | undefined;
        /** The `nextCursor` of the previous page. Omit it for the first page. */
        cursor?: string | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: {
      data: readonly Webhook[];
      /** The `cursor` of the next page; null on the last page. */
      nextCursor: string | null;
    };
  };
  /**
   * Ping a webhook. Sends a signed `webhook.ping` immediately and once, even if the webhook is disabled. Returns how the endpoint responded.
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
   * Rotate a webhook's secret. Returns a new secret. The secret that it replaces stays valid for 24 hours, and so does every secret that was replaced in the last 24 hours: messages have one signature for each, the newest first. A retry with the same `Idempotency-Key` returns the same secret, as long as it is valid. At most 10 secrets are valid at once.
   *
   * Role: `admin`.
   */
  rotateWebhookSecret: {
    input: {
      params: {
        name: WebhookName;
      };
      body?: RotateSecret | undefined;
      requestId?: string | undefined;
      idempotencyKey?: string | undefined;
    };
    answer: WebhookWithSecret;
  };
  /**
   * List a webhook's deliveries. Returns the webhook's deliveries, newest first. `id` is the `webhook-id` of the message.
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
        responseStatus?: number | undefined;
        /** A time with any offset from UTC (RFC 3339). Digits after the microsecond are cut off; at most nine are allowed. A date alone includes that day, from its first moment in UTC. */
        createdAfter?: string | undefined;
        /** A time with any offset from UTC (RFC 3339). Digits after the microsecond are cut off; at most nine are allowed. A date alone means the first moment of that day in UTC. */
        createdBefore?: string | undefined;
        /** The maximum number of items on a page. */
        limit?: number | undefined;
        /** The `nextCursor` of the previous page. Omit it for the first page. */
        cursor?: string | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: {
      data: readonly WebhookDelivery[];
      /** The `cursor` of the next page; null on the last page. */
      nextCursor: string | null;
    };
  };
  /**
   * Retry webhook deliveries. Sends all messages that match again, each with its own `webhook-id` and the full number of attempts. A call looks at up to 1,000, the oldest first, and `nextAfter` says where to go on. With `dryRun`, it only says what it would do. A webhook that is disabled keeps them until it is enabled.
   *
   * Role: `admin`.
   */
  retryWebhookDeliveries: {
    input: {
      params: {
        name: WebhookName;
      };
      body?: RetryWebhookDeliveries | undefined;
      requestId?: string | undefined;
      idempotencyKey?: string | undefined;
    };
    answer: BatchResult;
  };
  /**
   * Retry a webhook delivery. Sends the message again, whatever its state, with the same `webhook-id` and the full number of attempts.
   *
   * Role: `admin`.
   */
  retryWebhookDelivery: {
    input: {
      params: {
        name: WebhookName;
        deliveryId: Id;
      };
      body?: RetryWebhookDelivery | undefined;
      requestId?: string | undefined;
      idempotencyKey?: string | undefined;
    };
    answer: WebhookDelivery;
  };
  /**
   * List the taxonomy. Returns the entries that match every given filter, in the order of the tree: each domain, followed by its categories with their difficulties. The taxonomy only proposes codes. A task can have any code.
   *
   * Role: `viewer` or above, or `service`.
   */
  listTaxonomy: {
    input: {
      query?: {
        /** Text that the code or the label contains, in any case. Use it to complete a code. */
        q?: string | undefined;
        level?: TaxonomyLevel | undefined;
        /** The entries directly below this one. */
        parentCode?: string | undefined;
        /** `true` returns the entries that are archived or below an archived one. By default, only the others are returned. */
        archived?: boolean | undefined;
        /** `true` also returns the number of tasks with each code. By default, `tasks` is null. */
        counts?: boolean | undefined;
        /** The maximum number of items on a page. */
        limit?: number | undefined;
        /** The `nextCursor` of the previous page. Omit it for the first page. */
        cursor?: string | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: {
      data: readonly TaxonomyEntry[];
      /** The `cursor` of the next page; null on the last page. */
      nextCursor: string | null;
    };
  };
  /**
   * Retrieve the taxonomy as a tree. Returns a page of domains, each with everything below it.
   *
   * Role: `viewer` or above, or `service`.
   */
  getTaxonomyTree: {
    input: {
      query?: {
        /** `true` includes archived entries. By default, they and what is below them are left out. */
        archived?: boolean | undefined;
        /** `true` also returns the number of tasks with each code. By default, `tasks` is null. */
        counts?: boolean | undefined;
        /** The maximum number of items on a page. */
        limit?: number | undefined;
        /** The `nextCursor` of the previous page. Omit it for the first page. */
        cursor?: string | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: {
      data: readonly TaxonomyDomain[];
      /** The `cursor` of the next page; null on the last page. */
      nextCursor: string | null;
    };
  };
  /**
   * Create or update an entry of the taxonomy. Sets everything about an entry; what is left out gets its default. A category needs a domain as its parent, and a difficulty a category. Returns 404 `not_found` if there is no such parent. The code and the level cannot change: 409 `conflict` if the code exists at another level, or if the taxonomy has 5000 entries. Entries are archived, never deleted. Tasks keep their codes. Entries below an archived one are not proposed either, until it is restored.
   *
   * Role: `admin`.
   */
  putTaxonomyEntry: {
    input: {
      params: {
        code: string;
      };
      body: PutTaxonomyEntry;
      requestId?: string | undefined;
    };
    answer: TaxonomyEntry;
  };
  /**
   * List the stages of demos. Returns each stage with its aliases, its objects, and its pace.
   *
   * Role: `viewer` or above, or `service`.
   */
  listSeedStages: {
    input: {
      requestId?: string | undefined;
    };
    answer: {
      data: readonly SeedStage[];
      nextCursor: null;
    };
  };
  /**
   * List the starter taxonomy. Returns the taxonomy that a demo starts with, in the order of its tree. `GET /v1/taxonomy` returns the tenant's own.
   *
   * Role: `viewer` or above, or `service`.
   */
  listSeedTaxonomy: {
    input: {
      requestId?: string | undefined;
    };
    answer: {
      data: readonly StarterEntry[];
      nextCursor: null;
    };
  };
  /**
   * Store an object of a demo. Stores the request body under a path that begins with the prefix of a stage, such as `demo/ingestion/cases.json`. The slashes of the path can be percent-encoded. Returns 400 `validation_failed` for any other path, 413 `payload_too_large` above the stage's ceiling, 415 `unsupported_media_type` for a `Content-Type` that the stage does not take, and 409 `conflict` if the path has an object: nothing is ever overwritten.
   *
   * Role: `admin`.
   */
  putSeedObject: {
    input: {
      params: {
        /** Up to 300 letters, digits, `_`, `-`, `.` and slashes. */
        path: string;
      };
      body: Blob | Uint8Array<ArrayBuffer>;
      requestId?: string | undefined;
    };
    answer: SeedObject;
  };
  /**
   * Start a seed run. Starts a story of simulated people and workers, sets the tenant's clock to its beginning, and enters its people and the starter taxonomy. Everything that happens follows from `seed`, `tasks`, `anchor`, `days` and `mix`. Nothing of it is applied yet: use `POST /v1/seed/runs/{runId}/advance`, or a `speed`. Returns 409 `conflict` with the run that is not over, if there is one, and 400 `validation_failed` with the code `too_early` if the story would begin before what the tenant's clock shows, which never falls.
   *
   * Role: `admin`.
   */
  startSeedRun: {
    input: {
      body: StartSeedRun;
      requestId?: string | undefined;
      idempotencyKey?: string | undefined;
    };
    answer: SeedRun;
  };
  /**
   * List seed runs. Returns the runs of the tenant, newest first, including those that are over.
   *
   * Role: `viewer` or above, or `service`.
   */
  listSeedRuns: {
    input: {
      query?: {
        /** The maximum number of items on a page. */
        limit?: number | undefined;
        /** The `nextCursor` of the previous page. Omit it for the first page. */
        cursor?: string | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: {
      data: readonly SeedRun[];
      /** The `cursor` of the next page; null on the last page. */
      nextCursor: string | null;
    };
  };
  /**
   * Retrieve a seed run. Returns the run with its progress, and with the counts of its tasks.
   *
   * Role: `viewer` or above, or `service`.
   */
  getSeedRun: {
    input: {
      params: {
        runId: Id;
      };
      requestId?: string | undefined;
    };
    answer: CountedSeedRun;
  };
  /**
   * Delete a seed run. Ends the story where it is and archives the tasks of the run. Nothing deletes history. Returns 200 if all of them are archived, and 202 if that goes on in the background. A run that is over can only be deleted while no other run is open: 409 `conflict`.
   *
   * Role: `admin`.
   */
  deleteSeedRun: {
    input: {
      params: {
        runId: Id;
      };
      requestId?: string | undefined;
    };
    answer: SeedRun;
  };
  /**
   * Advance a seed run. Applies the story up to a time, or by some seconds more, to its end at most. Returns 200 if all of that is applied, and 202 if it goes on in the background. `speed` changes the speed from now on: 0 pauses the run. Returns 400 `validation_failed` with the code `too_early` for a time before the run's `clock`, and 409 `conflict` if the run is over.
   *
   * Role: `admin`.
   */
  advanceSeedRun: {
    input: {
      params: {
        runId: Id;
      };
      body: AdvanceSeedRun;
      requestId?: string | undefined;
      idempotencyKey?: string | undefined;
    };
    answer: SeedRun;
  };
  /**
   * Retrieve the registry. Returns the tables that the service decides by: the transitions of steps, gates, runs, and evals, the rules that give labels, the effects of worker reports, and the bulk changes that are allowed. Also returns the aliases of stages.
   *
   * Role: `viewer` or above, or `service`.
   */
  getRegistry: {
    input: {
      requestId?: string | undefined;
    };
    answer: Registry;
  };
  /**
   * Retrieve the caller. Returns the tenant and the actor of the credential, and whose it is.
   *
   * Role: `viewer` or above, or `service`.
   */
  getMe: {
    input: {
      requestId?: string | undefined;
    };
    answer: Me;
  };
  /**
   * Create an API key. Only this response contains the key; the service stores its digest. A retry with the same `Idempotency-Key` returns the same API key with `key: null`. If you lost the first response, revoke the API key and create another. A tenant can have 100 working API keys of programs.
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
   * List API keys. Returns the API keys of the tenant, newest first, including those that have ended.
   *
   * Role: `admin`.
   */
  listApiKeys: {
    input: {
      query?: {
        /** The maximum number of items on a page. */
        limit?: number | undefined;
        /** The `nextCursor` of the previous page. Omit it for the first page. */
        cursor?: string | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: {
      data: readonly ApiKey[];
      /** The `cursor` of the next page; null on the last page. */
      nextCursor: string | null;
    };
  };
  /**
   * Rotate an API key. Creates an API key with the same name and role, which only this response contains. The old one works until the overlap is over. A retry with the same `Idempotency-Key` returns `key: null`. If you lost the first response, rotate the old API key again.
   *
   * Role: `admin`.
   */
  rotateApiKey: {
    input: {
      params: {
        keyId: Id;
      };
      body?: RotateApiKey | undefined;
      requestId?: string | undefined;
      idempotencyKey?: string | undefined;
    };
    answer: RotatedApiKey;
  };
  /**
   * Revoke an API key. Revokes the API key permanently. If it was used recently, it can be accepted for up to 30 more seconds, but not for administration. The last admin key cannot be revoked: another one has to work at least as long.
   *
   * Role: `admin`.
   */
  revokeApiKey: {
    input: {
      params: {
        keyId: Id;
      };
      query?: {
        /** Why the change is made, up to 2,000 characters. Stored on the event. */
        reason?: string | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: RevokedApiKey;
  };
  /**
   * List administrative events. Returns the changes of API keys, people, pipelines, webhooks and the tenant itself, by default the newest first: who changed what, when and why. The events form a hash chain of their own.
   *
   * Role: `admin`.
   */
  listAdminEvents: {
    input: {
      query?: {
        /** Events of any of these types. */
        type?: readonly AdminEventType[] | undefined;
        /** The id of an actor, as events have it, or of a person. A person's id finds what the person did with any of their API keys and tokens. */
        actor?: string | undefined;
        subjectKind?: AdminSubject | undefined;
        subjectId?: string | undefined;
        /** The id of one actor. */
        actorId?: string | undefined;
        /** A time with any offset from UTC (RFC 3339). Digits after the microsecond are cut off; at most nine are allowed. A date alone includes that day, from its first moment in UTC. */
        createdAfter?: string | undefined;
        /** A time with any offset from UTC (RFC 3339). Digits after the microsecond are cut off; at most nine are allowed. A date alone means the first moment of that day in UTC. */
        createdBefore?: string | undefined;
        /** `seq` sorts from the oldest event to the newest, and `-seq` from the newest to the oldest. */
        sort?: "seq" | "-seq" | undefined;
        /** The maximum number of items on a page. */
        limit?: number | undefined;
        /** The `nextCursor` of the previous page. Omit it for the first page. */
        cursor?: string | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: {
      data: readonly AdminEvent[];
      /** The `cursor` of the next page; null on the last page. */
      nextCursor: string | null;
    };
  };
  /**
   * Export admin events as CSV. Exports the administrative events that match the filter, oldest first. The file is CSV (RFC 4180) with a header row. Text that a spreadsheet would read as a formula is prefixed with an apostrophe. The file is named after what it holds and the day (UTC), such as `admin-events-2026-11-30.csv`. It is streamed. If an error occurs while it is being sent, the connection is closed early, so a response that ends normally is complete.
   *
   * Role: `admin`.
   */
  exportAdminEventsCsv: {
    input: {
      query?: {
        /** Events of any of these types. */
        type?: readonly AdminEventType[] | undefined;
        /** The id of an actor, as events have it, or of a person. A person's id finds what the person did with any of their API keys and tokens. */
        actor?: string | undefined;
        subjectKind?: AdminSubject | undefined;
        subjectId?: string | undefined;
        /** The id of one actor. */
        actorId?: string | undefined;
        /** A time with any offset from UTC (RFC 3339). Digits after the microsecond are cut off; at most nine are allowed. A date alone includes that day, from its first moment in UTC. */
        createdAfter?: string | undefined;
        /** A time with any offset from UTC (RFC 3339). Digits after the microsecond are cut off; at most nine are allowed. A date alone means the first moment of that day in UTC. */
        createdBefore?: string | undefined;
        /** How the CSV is written. `standard` is UTF-8 with commas (RFC 4180). `excel` is what Excel opens by a double-click where lists are separated by semicolons: a byte order mark, semicolons between cells, and a decimal comma in numbers. */
        dialect?: "standard" | "excel" | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: Response;
  };
  /**
   * Export admin events as JSON Lines. Exports the administrative events that match the filter, oldest first. The file has one JSON object per line, in the same shape as in other responses. The file is named after what it holds and the day (UTC), such as `admin-events-2026-11-30.ndjson`. It is streamed. If an error occurs while it is being sent, the connection is closed early, so a response that ends normally is complete.
   *
   * Role: `admin`.
   */
  exportAdminEventsNdjson: {
    input: {
      query?: {
        /** Events of any of these types. */
        type?: readonly AdminEventType[] | undefined;
        /** The id of an actor, as events have it, or of a person. A person's id finds what the person did with any of their API keys and tokens. */
        actor?: string | undefined;
        subjectKind?: AdminSubject | undefined;
        subjectId?: string | undefined;
        /** The id of one actor. */
        actorId?: string | undefined;
        /** A time with any offset from UTC (RFC 3339). Digits after the microsecond are cut off; at most nine are allowed. A date alone includes that day, from its first moment in UTC. */
        createdAfter?: string | undefined;
        /** A time with any offset from UTC (RFC 3339). Digits after the microsecond are cut off; at most nine are allowed. A date alone means the first moment of that day in UTC. */
        createdBefore?: string | undefined;
      } | undefined;
      requestId?: string | undefined;
    };
    answer: Response;
  };
  /**
   * Check liveness. Returns 200 if the Worker is running. Does not check the database or the bucket.
   *
   * Requires no credential.
   */
  getHealth: {
    input: object;
    answer: Health;
  };
  /**
   * Check readiness. Returns 200 if the database can be written and the bucket responds, and 503 otherwise. A result is reused for 3 seconds.
   *
   * Requires no credential.
   */
  getReadiness: {
    input: object;
    answer: Health;
  };
}

/** The HTTP request of each operation. */
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
  putPerson: { method: "PUT", path: "/v1/people/{personId}", takesKey: false, sends: "json", answers: "json" },
  getPerson: { method: "GET", path: "/v1/people/{personId}", takesKey: false, sends: "json", answers: "json" },
  listPeople: { method: "GET", path: "/v1/people", takesKey: false, sends: "json", answers: "json" },
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
  cancelBulkOperation: { method: "POST", path: "/v1/bulk/operations/{operationId}/cancel", takesKey: true, sends: "json", answers: "json" },
  planRetryOfBulkItems: { method: "POST", path: "/v1/bulk/operations/{operationId}/retry-plan", takesKey: false, sends: "json", answers: "json" },
  retryFailedBulkItems: { method: "POST", path: "/v1/bulk/operations/{operationId}/retry-failed", takesKey: true, sends: "json", answers: "json" },
  revertBulkOperation: { method: "POST", path: "/v1/bulk/operations/{operationId}/revert", takesKey: true, sends: "json", answers: "json" },
  listBulkItems: { method: "GET", path: "/v1/bulk/operations/{operationId}/items", takesKey: false, sends: "json", answers: "json" },
  exportBulkItemsCsv: { method: "GET", path: "/v1/bulk/operations/{operationId}/items.csv", takesKey: false, sends: "json", answers: "bytes" },
  exportBulkItemsNdjson: { method: "GET", path: "/v1/bulk/operations/{operationId}/items.ndjson", takesKey: false, sends: "json", answers: "bytes" },
  listAnalyticsEvents: { method: "GET", path: "/v1/analytics/events", takesKey: false, sends: "json", answers: "json" },
  getOutcomes: { method: "GET", path: "/v1/stats/outcomes", takesKey: false, sends: "json", answers: "json" },
  getThroughput: { method: "GET", path: "/v1/stats/throughput", takesKey: false, sends: "json", answers: "json" },
  getStageTimes: { method: "GET", path: "/v1/stats/stage-times", takesKey: false, sends: "json", answers: "json" },
  getFailures: { method: "GET", path: "/v1/stats/failures", takesKey: false, sends: "json", answers: "json" },
  withdrawReview: { method: "POST", path: "/v1/reviews/{reviewId}/withdraw", takesKey: true, sends: "json", answers: "json" },
  listReviews: { method: "GET", path: "/v1/reviews", takesKey: false, sends: "json", answers: "json" },
  exportReviewsCsv: { method: "GET", path: "/v1/reviews/export.csv", takesKey: false, sends: "json", answers: "bytes" },
  exportReviewsNdjson: { method: "GET", path: "/v1/reviews/export.ndjson", takesKey: false, sends: "json", answers: "bytes" },
  claimReviews: { method: "POST", path: "/v1/reviews/claim", takesKey: true, sends: "json", answers: "json" },
  renewReviewClaim: { method: "POST", path: "/v1/reviews/claims/{claimId}/renew", takesKey: true, sends: "json", answers: "json" },
  releaseReviewClaim: { method: "POST", path: "/v1/reviews/claims/{claimId}/release", takesKey: true, sends: "json", answers: "json" },
  declineReviewClaim: { method: "POST", path: "/v1/reviews/claims/{claimId}/decline", takesKey: true, sends: "json", answers: "json" },
  saveReviewDraft: { method: "PUT", path: "/v1/reviews/claims/{claimId}/draft", takesKey: false, sends: "json", answers: "json" },
  listReviewClaims: { method: "GET", path: "/v1/reviews/claims", takesKey: false, sends: "json", answers: "json" },
  startRun: { method: "POST", path: "/v1/tasks/{taskId}/worker-runs", takesKey: true, sends: "json", answers: "json" },
  claimRuns: { method: "POST", path: "/v1/worker-runs/claim", takesKey: true, sends: "json", answers: "json" },
  reportRun: { method: "PATCH", path: "/v1/worker-runs/{runId}", takesKey: true, sends: "json", answers: "json" },
  listRuns: { method: "GET", path: "/v1/worker-runs", takesKey: false, sends: "json", answers: "json" },
  listLateReports: { method: "GET", path: "/v1/worker-runs/{runId}/late-reports", takesKey: false, sends: "json", answers: "json" },
  listPipelines: { method: "GET", path: "/v1/pipelines", takesKey: false, sends: "json", answers: "json" },
  putPipeline: { method: "PUT", path: "/v1/pipelines/{name}", takesKey: false, sends: "json", answers: "json" },
  rotatePipelineSecret: { method: "POST", path: "/v1/pipelines/{name}/rotate", takesKey: true, sends: "json", answers: "json" },
  listDispatches: { method: "GET", path: "/v1/dispatches", takesKey: false, sends: "json", answers: "json" },
  getDispatch: { method: "GET", path: "/v1/dispatches/{dispatchId}", takesKey: false, sends: "json", answers: "json" },
  retryDispatch: { method: "POST", path: "/v1/dispatches/{dispatchId}/retry", takesKey: true, sends: "json", answers: "json" },
  recallDispatch: { method: "POST", path: "/v1/dispatches/{dispatchId}/recall", takesKey: true, sends: "json", answers: "json" },
  retryDispatches: { method: "POST", path: "/v1/dispatches/retry", takesKey: true, sends: "json", answers: "json" },
  recallDispatches: { method: "POST", path: "/v1/dispatches/recall", takesKey: true, sends: "json", answers: "json" },
  recordPrompt: { method: "POST", path: "/v1/tasks/{taskId}/prompts", takesKey: true, sends: "json", answers: "json" },
  listPrompts: { method: "GET", path: "/v1/prompts", takesKey: false, sends: "json", answers: "json" },
  declareData: { method: "POST", path: "/v1/tasks/{taskId}/data", takesKey: true, sends: "json", answers: "json" },
  listData: { method: "GET", path: "/v1/data", takesKey: false, sends: "json", answers: "json" },
  getData: { method: "GET", path: "/v1/data/{dataId}", takesKey: false, sends: "json", answers: "json" },
  storeContent: { method: "PUT", path: "/v1/data/{dataId}/content", takesKey: false, sends: "bytes", answers: "json" },
  getContent: { method: "GET", path: "/v1/data/{dataId}/content", takesKey: false, sends: "json", answers: "bytes" },
  exportDataCsv: { method: "GET", path: "/v1/data/export.csv", takesKey: false, sends: "json", answers: "bytes" },
  exportDataNdjson: { method: "GET", path: "/v1/data/export.ndjson", takesKey: false, sends: "json", answers: "bytes" },
  createEval: { method: "POST", path: "/v1/tasks/{taskId}/evals", takesKey: true, sends: "json", answers: "json" },
  listEvals: { method: "GET", path: "/v1/evals", takesKey: false, sends: "json", answers: "json" },
  getEval: { method: "GET", path: "/v1/evals/{evalId}", takesKey: false, sends: "json", answers: "json" },
  transitionEval: { method: "PATCH", path: "/v1/evals/{evalId}", takesKey: true, sends: "json", answers: "json" },
  listEvalEvents: { method: "GET", path: "/v1/evals/{evalId}/events", takesKey: false, sends: "json", answers: "json" },
  verifyEvalEvents: { method: "GET", path: "/v1/evals/{evalId}/events/verify", takesKey: false, sends: "json", answers: "json" },
  recordEvaluation: { method: "POST", path: "/v1/evals/record", takesKey: true, sends: "json", answers: "json" },
  exportEvalsCsv: { method: "GET", path: "/v1/evals/export.csv", takesKey: false, sends: "json", answers: "bytes" },
  exportEvalsNdjson: { method: "GET", path: "/v1/evals/export.ndjson", takesKey: false, sends: "json", answers: "bytes" },
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
  exportInsightsCsv: { method: "GET", path: "/v1/insights/export.csv", takesKey: false, sends: "json", answers: "bytes" },
  exportInsightsNdjson: { method: "GET", path: "/v1/insights/export.ndjson", takesKey: false, sends: "json", answers: "bytes" },
  putWebhook: { method: "PUT", path: "/v1/webhooks/{name}", takesKey: false, sends: "json", answers: "json" },
  deleteWebhook: { method: "DELETE", path: "/v1/webhooks/{name}", takesKey: false, sends: "json", answers: "json" },
  listWebhooks: { method: "GET", path: "/v1/webhooks", takesKey: false, sends: "json", answers: "json" },
  pingWebhook: { method: "POST", path: "/v1/webhooks/{name}/ping", takesKey: false, sends: "json", answers: "json" },
  rotateWebhookSecret: { method: "POST", path: "/v1/webhooks/{name}/rotate", takesKey: true, sends: "json", answers: "json" },
  listWebhookDeliveries: { method: "GET", path: "/v1/webhooks/{name}/deliveries", takesKey: false, sends: "json", answers: "json" },
  retryWebhookDeliveries: { method: "POST", path: "/v1/webhooks/{name}/deliveries/retry", takesKey: true, sends: "json", answers: "json" },
  retryWebhookDelivery: { method: "POST", path: "/v1/webhooks/{name}/deliveries/{deliveryId}/retry", takesKey: true, sends: "json", answers: "json" },
  listTaxonomy: { method: "GET", path: "/v1/taxonomy", takesKey: false, sends: "json", answers: "json" },
  getTaxonomyTree: { method: "GET", path: "/v1/taxonomy/tree", takesKey: false, sends: "json", answers: "json" },
  putTaxonomyEntry: { method: "PUT", path: "/v1/taxonomy/{code}", takesKey: false, sends: "json", answers: "json" },
  listSeedStages: { method: "GET", path: "/v1/seed/stages", takesKey: false, sends: "json", answers: "json" },
  listSeedTaxonomy: { method: "GET", path: "/v1/seed/taxonomy", takesKey: false, sends: "json", answers: "json" },
  putSeedObject: { method: "PUT", path: "/v1/seed/objects/{path}", takesKey: false, sends: "bytes", answers: "json" },
  startSeedRun: { method: "POST", path: "/v1/seed/runs", takesKey: true, sends: "json", answers: "json" },
  listSeedRuns: { method: "GET", path: "/v1/seed/runs", takesKey: false, sends: "json", answers: "json" },
  getSeedRun: { method: "GET", path: "/v1/seed/runs/{runId}", takesKey: false, sends: "json", answers: "json" },
  deleteSeedRun: { method: "DELETE", path: "/v1/seed/runs/{runId}", takesKey: false, sends: "json", answers: "json" },
  advanceSeedRun: { method: "POST", path: "/v1/seed/runs/{runId}/advance", takesKey: true, sends: "json", answers: "json" },
  getRegistry: { method: "GET", path: "/v1/registry", takesKey: false, sends: "json", answers: "json" },
  getMe: { method: "GET", path: "/v1/me", takesKey: false, sends: "json", answers: "json" },
  createApiKey: { method: "POST", path: "/v1/api-keys", takesKey: true, sends: "json", answers: "json" },
  listApiKeys: { method: "GET", path: "/v1/api-keys", takesKey: false, sends: "json", answers: "json" },
  rotateApiKey: { method: "POST", path: "/v1/api-keys/{keyId}/rotate", takesKey: true, sends: "json", answers: "json" },
  revokeApiKey: { method: "DELETE", path: "/v1/api-keys/{keyId}", takesKey: false, sends: "json", answers: "json" },
  listAdminEvents: { method: "GET", path: "/v1/admin/events", takesKey: false, sends: "json", answers: "json" },
  exportAdminEventsCsv: { method: "GET", path: "/v1/admin/events/export.csv", takesKey: false, sends: "json", answers: "bytes" },
  exportAdminEventsNdjson: { method: "GET", path: "/v1/admin/events/export.ndjson", takesKey: false, sends: "json", answers: "bytes" },
  getHealth: { method: "GET", path: "/healthz", takesKey: false, sends: "json", answers: "json" },
  getReadiness: { method: "GET", path: "/readyz", takesKey: false, sends: "json", answers: "json" },
} as const satisfies Record<keyof Operations, object>;

import type { UnifiedStatus } from "../../src/domain/status/unified.ts";

// The rows of one task, which SQL multiplies. They have slots instead of ids, and milliseconds since the creation of the
// task instead of times. Members have the names of the template tables' columns, for json_to_recordset.

interface EventTemplate {
  seq: number;
  at_ms: number;
  version_slot: number;
  step_slot: number;
  type: string;
  from_status: string | null;
  to_status: string;
  from_gate: string | null;
  to_gate: string;
  actor_id: string;
  actor_name: string;
  actor_kind: string;
  actor_role: string;
  reason: string | null;
  payload_format: string;
  /** True if the event marks the task as a duplicate of the task with the preceding ordinal. */
  is_duplicate: boolean;
  operation_slot: number;
}

interface VersionTemplate {
  slot: number;
  at_ms: number;
  number: number;
  content: unknown;
  content_hash: string;
  step_slot: number;
  reason: string | null;
  created_by: string;
  sealed_ms: number | null;
}

interface StepTemplate {
  slot: number;
  at_ms: number;
  version_slot: number;
  kind: string;
  attempt: number;
  status: string;
  gate: string;
  event_seq: number;
}

interface ReviewTemplate {
  slot: number;
  at_ms: number;
  version_slot: number;
  step_slot: number;
  kind: string;
  outcome: string;
  sequence: number;
  notes: string | null;
  reviewer_id: string;
  reviewer_name: string;
}

export interface RunTemplate {
  slot: number;
  at_ms: number;
  version_slot: number;
  step_slot: number;
  type: string;
  state: string;
  verdict: string | null;
  result: unknown;
  error: string | null;
  updated_ms: number;
  created_by: string;
}

interface TaskTemplate {
  has_external_id: boolean;
  has_assignee: boolean;
  priority: number;
  step_slot: number;
  version_slot: number;
  status_since_ms: number;
  archived_ms: number | null;
  updated_ms: number;
  created_by: string;
}

/** An id of the task and the time of its creation, with which the id begins. */
interface SlotTemplate {
  slot: number;
  at_ms: number;
}

export interface Template {
  /** The task's label according to the resolver. */
  label: UnifiedStatus;
  task: TaskTemplate;
  slots: SlotTemplate[];
  versions: VersionTemplate[];
  steps: StepTemplate[];
  events: EventTemplate[];
  reviews: ReviewTemplate[];
  runs: RunTemplate[];
}

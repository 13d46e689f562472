import type { UnifiedStatus } from "../../src/domain/status/unified.ts";

// The rows of one task with slots in place of ids and milliseconds since its creation in place of times: an archetype
// that SQL multiplies. Names are those of the columns that they become, so that they can be read with json_to_recordset.

export interface EventTemplate {
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
  /** Whether it calls the task a duplicate of the one that was made before it. */
  is_duplicate: boolean;
  operation_slot: number;
}

export interface VersionTemplate {
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

export interface StepTemplate {
  slot: number;
  at_ms: number;
  version_slot: number;
  kind: string;
  attempt: number;
  status: string;
  gate: string;
  event_seq: number;
}

export interface ReviewTemplate {
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
  result: unknown;
  error: string | null;
  updated_ms: number;
  created_by: string;
}

export interface TaskTemplate {
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

/** Each id that a task of this kind has, and when it is made: the time stands at its beginning. */
export interface SlotTemplate {
  slot: number;
  at_ms: number;
}

export interface Template {
  /** What the resolver says of it. */
  label: UnifiedStatus;
  task: TaskTemplate;
  slots: SlotTemplate[];
  versions: VersionTemplate[];
  steps: StepTemplate[];
  events: EventTemplate[];
  reviews: ReviewTemplate[];
  runs: RunTemplate[];
}

import { sql } from "drizzle-orm";
import { MODEL_ALONE } from "../../domain/evals/slot.ts";
import type { EvalSnapshot, TrialSnapshot } from "../../domain/evals/snapshot.ts";

/** An eval, as responses show it. */
export interface EvalRecord extends EvalSnapshot {
  versionNumber: number;
  eventSeq: number;
  createdAt: string;
  updatedAt: string;
}

/** A trial, as it is read from the database. */
export interface TrialRecord extends Omit<TrialSnapshot, "retracted"> {
  evalId: string;
  taskId: string;
  retractedAt: string | null;
  retractedBy: string | null;
  retractReason: string | null;
  createdAt: string;
}

const EVAL_MEMBERS = sql`'id', e.id, 'taskId', e.task_id, 'versionId', e.version_id, 'name', e.name, 'k', e.k,
    'slotBy', coalesce(to_json(e.slot_by), ${JSON.stringify(MODEL_ALONE)}::json), 'status', e.status,
    'twinOf', e.twin_of`;

/** An EvalSnapshot, from the alias e. */
export const EVAL_SNAPSHOT_JSON = sql`json_build_object(${EVAL_MEMBERS})`;

/** An EvalRecord, from the aliases e (eval) and v (its version). */
export const EVAL_JSON = sql`json_build_object(${EVAL_MEMBERS}, 'versionNumber', v.number, 'eventSeq', e.event_seq,
    'createdAt', iso(e.created_at), 'updatedAt', iso(e.updated_at))`;

const TRIAL_MEMBERS = sql`'id', x.id, 'k', x.k, 'model', x.model, 'modelRevision', x.model_revision,
    'agent', x.agent, 'agentRevision', x.agent_revision, 'provider', x.provider, 'status', x.status, 'score', x.score, 'error', x.error,
    'outputDataId', x.output_data_id, 'eventSeq', x.event_seq`;

/** A TrialSnapshot, from the alias x. */
export const TRIAL_SNAPSHOT_JSON = sql`json_build_object(${TRIAL_MEMBERS},
    'retracted', x.retracted_at is not null)`;

/** A HeldTrial, from the alias x. Its usage is in its oldest insight of kind `trial`. */
export const HELD_TRIAL_JSON = sql`json_build_object(${TRIAL_MEMBERS}, 'retracted', x.retracted_at is not null,
    'usage', (select i.usage from insights i where i.tenant_id = x.tenant_id and i.trial_id = x.id and i.kind = 'trial'
      order by i.id limit 1))`;

/** A TrialRecord, from the alias x. */
export const TRIAL_JSON = sql`json_build_object(${TRIAL_MEMBERS}, 'evalId', x.eval_id, 'taskId', x.task_id,
    'retractedAt', iso(x.retracted_at), 'retractedBy', x.retracted_by, 'retractReason', x.retract_reason,
    'createdAt', iso(x.created_at))`;

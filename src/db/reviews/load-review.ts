import { type SQL, sql } from "drizzle-orm";
import type { ActorKind } from "../../domain/actor.ts";
import type { RecordedReview } from "../../domain/lifecycle/commands.ts";
import { EVENTS_PER_CALL_MAX } from "../../domain/lifecycle/decision.ts";
import { NAMED_BEFORE } from "../tasks/duplicates.ts";
import { IS_RECORDED_BY } from "./review-json.ts";

/** A stored review, with who recorded it and what has happened to its task since. */
export interface LoadedReview extends Omit<RecordedReview, "isOwn"> {
  reviewer: { kind: ActorKind; id: string; personId: string | null };
}

/** Selects a review as JSON. A call has a limited number of events, so more than these belong to later calls. */
export function reviewQuery(reviewId: string): SQL {
  return sql`(select json_build_object('id', r.id, 'stepId', r.step_id, 'kind', r.kind, 'outcome', r.outcome,
      'sequence', r.sequence, 'isWithdrawn', r.withdrawn_seq is not null,
      'reviewer', json_build_object('kind', e.actor_kind, 'id', e.actor_id,
        'personId', person_of(r.tenant_id, e.actor_kind, e.actor_id)),
      'isReported', exists (select from step_events w where w.tenant_id = r.tenant_id and w.task_id = r.task_id
        and w.operation_id = e.operation_id and w.type = 'worker_run_changed'),
      'namedBefore', ${NAMED_BEFORE},
      'events', (select json_agg(json_build_object('seq', x.seq, 'type', x.type, 'stepId', x.step_id,
          'fromStatus', x.from_status, 'fromGate', x.from_gate, 'operationId', x.operation_id,
          'payload', x.payload::json) order by x.seq)
        from (select * from step_events a where a.tenant_id = r.tenant_id and a.task_id = r.task_id and a.seq >= e.seq
          order by a.seq limit ${EVENTS_PER_CALL_MAX + 1}) x))
    from reviews r join step_events e on ${IS_RECORDED_BY} where r.id = ${reviewId}::uuid)`;
}

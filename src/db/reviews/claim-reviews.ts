import { sql } from "drizzle-orm";
import type { Actor } from "../../domain/actor.ts";
import type { StepSnapshot } from "../../domain/lifecycle/snapshot.ts";
import type { Operation, TenantDatabase, Written } from "../connection/client.ts";
import { keepOrDrop } from "../ledger/operations.ts";
import { stepJson, TASK_JOINS, TASK_MEMBERS, type TaskRecord } from "../tasks/task-json.ts";
import { type ClaimRecord, claimJson } from "./slots.ts";

/** A claimed task with everything that its reviewer needs to begin. */
export interface ClaimedReview {
  claim: ClaimRecord;
  task: TaskRecord;
  version: { id: string; number: number; contentHash: string };
  step: StepSnapshot;
}

export interface WantedReviews {
  taxonomyCode?: string | undefined;
  max: number;
  leaseSeconds: number;
  /** Whether the claimant's own work is offered too. */
  own: boolean;
}

/** Who claims: `person` identifies them across credentials (`identityOf`). */
export interface Claimant {
  actor: Actor;
  person: string;
  personId: string | null;
}

/**
 * Claims tasks that wait for a reviewer, in one round trip. Each goes to one person. If none waits, the operation is
 * dropped, and a repeat looks again.
 */
export function claimReviews(
  database: TenantDatabase,
  { taxonomyCode, max, leaseSeconds, own }: WantedReviews,
  { actor, person, personId, operation }: Claimant & { operation: Operation },
): Promise<Written<{ claimed: ClaimedReview[] }>> {
  const { tenantId } = database;
  return database.write(operation, [
    sql`select claim_reviews(${tenantId}::uuid, ${taxonomyCode ?? null}::text, ${max}::integer, ${leaseSeconds}::integer,
      ${own}::boolean, ${person}::text, ${personId}::uuid, ${actor.id}::text, ${actor.name}::text, ${operation.id}::uuid)`,
    sql`
with
handed_out as materialized (
  select json_agg(json_build_object(
    'claim', ${claimJson(person, sql`c`)},
    'task', json_build_object(${TASK_MEMBERS}),
    'version', json_build_object('id', v.id, 'number', v.number, 'contentHash', v.content_hash),
    'step', ${stepJson(sql`s`)}) order by t.priority desc, t.status_since, t.id) as reviews
  from (select * from review_slots o where o.tenant_id = ${tenantId}::uuid and o.operation_id = ${operation.id}::uuid) c
    join tasks t on t.tenant_id = c.tenant_id and t.id = c.task_id ${TASK_JOINS}
),
${keepOrDrop(
  { tenantId, operation },
  {
    from: sql`handed_out`,
    result: sql`handed_out.reviews`,
    when: { keepIf: sql`handed_out.reviews is not null`, dropIf: sql`handed_out.reviews is null` },
  },
)}
select coalesce(reviews, '[]') as claimed from handed_out`,
  ]);
}

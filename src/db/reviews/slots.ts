import { type SQL, sql } from "drizzle-orm";
import { ENDED_STEP_STATUSES } from "../../domain/lifecycle/right-for.ts";
import type { Operation, TenantDatabase, Written } from "../connection/client.ts";
import type { Bound } from "../connection/prepared.ts";
import { keepOrDrop } from "../ledger/operations.ts";
import { listed } from "../sql/listed.ts";

/** A claim as answers show it. */
export interface ClaimRecord {
  id: string;
  taskId: string;
  versionId: string;
  stepId: string;
  /** The number of expert reviews of the step before the claim, plus one. */
  round: number;
  holder: { id: string; name: string };
  isOwn: boolean;
  claimedAt: string;
  leaseUntil: string;
  /** The notes that the holder has saved. Null for everyone else. */
  draft: string | null;
}

/** The condition that a slot of the alias is held: its lease has not run out. */
export const isHeld = (slot: SQL): SQL =>
  sql`(${slot}.slot is not null and ${slot}.lease_until > now())`;

/** A ClaimRecord as JSON, from an alias of `review_slots`, as this person sees it. */
export const claimJson = (person: string, slot: SQL): SQL => sql`json_build_object('id', ${slot}.id,
  'taskId', ${slot}.task_id, 'versionId', ${slot}.version_id, 'stepId', ${slot}.step_id, 'round', ${slot}.round,
  'holder', json_build_object('id', ${slot}.actor_id, 'name', ${slot}.actor_name),
  'isOwn', ${slot}.person = ${person}::text, 'claimedAt', iso(${slot}.claimed_at), 'leaseUntil', iso(${slot}.lease_until),
  'draft', case when ${slot}.person = ${person}::text then ${slot}.draft end)`;

/** The row of a change of a claim. `claim` is null if the person does not hold it. */
export interface ChangedClaim {
  claim: ClaimRecord | null;
  isKnown: boolean;
}

/** What happens to a claim. */
export type ClaimChange =
  | { kind: "renewed"; leaseSeconds: number | null }
  | { kind: "released" }
  | { kind: "declined"; reason: string }
  | { kind: "drafted"; draft: string | null };

/** Changes a claim that the person holds. A claim of a step that has ended or is no longer current is not renewed. */
export function changeClaim(
  database: TenantDatabase,
  { id, person, change }: { id: string; person: string; change: ClaimChange },
  operation: Operation,
): Promise<Written<ChangedClaim>> {
  const { tenantId } = database;
  const isRenewal = change.kind === "renewed";
  return database.write(operation, [
    sql`
with
changed as (
  update review_slots s set ${assignmentsOf(change)}
  where s.tenant_id = ${tenantId}::uuid and s.id = ${id}::uuid and s.person = ${person}::text and ${isHeld(sql`s`)}
    and ${isRenewal ? IS_OPEN : sql`true`}
  returning ${claimJson(person, sql`s`)} as claim
),
${keepOrDrop({ tenantId, operation }, { from: sql`changed`, result: sql`changed.claim` })}
select (select claim from changed) as claim,
  exists (select from review_slots k where k.tenant_id = ${tenantId}::uuid and k.id = ${id}::uuid) as "isKnown"`,
  ]);
}

/** Returns a change as the assignments of an UPDATE of the alias s. */
function assignmentsOf(change: ClaimChange): SQL {
  switch (change.kind) {
    case "renewed": {
      const seconds = sql`coalesce(${change.leaseSeconds}::integer, s.lease_seconds)`;
      return sql`lease_seconds = ${seconds}, lease_until = now() + make_interval(secs => ${seconds})`;
    }
    case "released":
      return sql`lease_until = now()`;
    case "declined":
      return sql`slot = null, lease_until = now(), declined_at = now(), decline_reason = ${change.reason}::text`;
    case "drafted":
      return sql`draft = ${change.draft}::text`;
  }
}

/** The condition that the step of slot s is still the current one and has not ended. */
export const IS_OPEN: SQL = sql`exists (select from tasks t join steps x on x.tenant_id = t.tenant_id and x.id = t.current_step_id
    where t.tenant_id = s.tenant_id and t.id = s.task_id and t.current_step_id = s.step_id and t.archived_at is null
      and x.status not in (${listed(ENDED_STEP_STATUSES)}))`;

/**
 * The condition, with a leading AND, that no one else holds the review of the task t. Claims are made under the task's
 * lock, so that none comes between this and the review.
 */
export function hasNoOtherClaim(tenantId: Bound<string>, claimants: Bound<string>): SQL {
  return sql`and not exists (
    select from json_to_recordset(${claimants}) as c(task_id uuid, step_id uuid, person text)
      join review_slots s on s.tenant_id = ${tenantId}::uuid and s.step_id = c.step_id
    where c.task_id = t.id and s.person <> c.person and ${isHeld(sql`s`)})`;
}

/** The CTE that ends the claims of those who have reviewed. It reads from `newest`. */
export function endedClaims(tenantId: Bound<string>, claimants: Bound<string>): SQL {
  return sql`ended_claims as (
  update review_slots s set lease_until = now()
  from json_to_recordset(${claimants}) as c(task_id uuid, step_id uuid, person text) join newest n using (task_id)
  where s.tenant_id = ${tenantId}::uuid and s.step_id = c.step_id and s.person = c.person and ${isHeld(sql`s`)}
),`;
}

/** Selects who holds the review of the current step of the task in `wanted`, as a JSON array of HeldSlot. */
export const heldSlotsQuery = sql`(select coalesce(json_agg(json_build_object('person', s.person,
    'leaseUntil', iso(s.lease_until))), '[]')
  from wanted join tasks t on t.id = wanted.id
    join review_slots s on s.tenant_id = t.tenant_id and s.step_id = t.current_step_id
  where ${isHeld(sql`s`)})`;

export interface HeldSlot {
  person: string;
  leaseUntil: string;
}

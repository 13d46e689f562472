import type { BulkPlan } from "../../domain/bulk/plan.ts";
import { changedSincePlan, planTokenFault, stalePlan } from "../../domain/bulk/plan-token.ts";
import type { Original } from "../../domain/lifecycle/duplicates.ts";
import { invalidPlanToken, type Outcome, refuse, succeed } from "../../domain/refusals.ts";
import type { ActionCall } from "../call/call.ts";
import { type BulkChange, tokenRequest } from "./plan-change.ts";
import { digestPlan, openPlan, type PlanSeal } from "./plan-token.ts";

/** What a plan token is checked with. */
export interface Agreed {
  /** Who calls. The plan token must be theirs. */
  identity: string;
  seal: PlanSeal;
  now: Date;
}

/** What the caller agreed to. */
export interface Agreement {
  planToken: string;
  /** If some tasks have changed since the preview: whether to change nothing, or only the other tasks. */
  onStale: "abort" | "skip";
}

/**
 * Returns the ids of the tasks whose state differs from the plan token. A token is only given if the original could be
 * named, so an original that has ended since makes every task stale that would name it.
 */
export async function staleTasks(
  { seal, database, identity, now }: ActionCall & Agreed,
  agreed: {
    change: BulkChange;
    agreement: Agreement;
    plan: BulkPlan;
    duplicateOf: Original | null;
  },
): Promise<Outcome<ReadonlySet<string>>> {
  const { change, agreement, plan, duplicateOf } = agreed;
  const contents = await openPlan(seal, agreement.planToken);
  if (contents === null) return refuse(invalidPlanToken());
  const caller = { tenantId: database.tenantId, actorId: identity };
  const request = tokenRequest(caller, change, duplicateOf);
  const digests = digestPlan(seal, plan);
  const fault = planTokenFault(contents, request, digests, now.getTime());
  if (fault) return refuse(fault);
  const changed = changedSincePlan(contents, plan, digests);
  if (changed.length > 0 && agreement.onStale === "abort") return refuse(stalePlan(changed));
  return succeed(new Set(changed.map(({ taskId }) => taskId)));
}

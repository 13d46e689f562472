import type { TenantDatabase } from "../../db/connection/client.ts";
import { planTokenFor } from "../../domain/bulk/plan-token.ts";
import { succeed, type Outcome, refuse } from "../../domain/refusals.ts";
import { type BulkPreview, plannedItemView } from "../views/bulk-views.ts";
import { type BulkChange, changeMisuse, originalMisuse, tokenRequest } from "./plan-change.ts";
import { type BulkSelection, planInParts } from "./plan-in-parts.ts";
import { digestPlan, type PlanSeal, sealPlan } from "./plan-token.ts";
import { PREVIEWED_ITEMS_MAX } from "../../domain/bulk/limits.ts";

export interface ShowPlanCall {
  database: TenantDatabase;
  /** Who calls. The plan token is theirs, whichever credential they use. */
  identity: string;
  seal: PlanSeal;
  now: Date;
}

/**
 * Returns what a bulk change would do, with a signed token that lets execution detect tasks that have changed since.
 * Writes nothing. Takes one round trip for each 5,000 tasks.
 */
export async function showPlan(
  { database, identity, seal, now }: ShowPlanCall,
  change: BulkChange,
  selection: BulkSelection,
): Promise<Outcome<BulkPreview>> {
  const misuse = changeMisuse(change);
  if (misuse) return refuse(misuse);
  const planned = await planInParts({ database, operation: null }, change, selection);
  if (!planned.ok) return planned;

  const { plan, taskIds, duplicateOf } = planned.value;
  const ended = originalMisuse(duplicateOf);
  if (ended) return refuse(ended);
  const caller = { tenantId: database.tenantId, actorId: identity };
  const token = planTokenFor(
    tokenRequest(caller, change, duplicateOf),
    digestPlan(seal, plan),
    now.getTime(),
  );
  const shown = plan.items.filter(
    ({ decision }, index) => index < PREVIEWED_ITEMS_MAX || decision === "refused",
  );
  return succeed({
    ...plan.intent,
    counts: plan.counts,
    bySource: plan.bySource,
    byCode: plan.byCode,
    pipelines: [...plan.pipelines],
    ...("filter" in selection && { taskIds: [...taskIds] }),
    items: shown.map((item) => plannedItemView(item, plan.intent)),
    planToken: await sealPlan(seal, token),
    expiresAt: new Date(token.expiresAt).toISOString(),
    primaryLabel: plan.primaryLabel,
  });
}

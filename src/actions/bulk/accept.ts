import { acceptBulk, acceptRevert, type AcceptedItem } from "../../db/bulk/accept-bulk.ts";
import type { BulkOpening } from "../../db/bulk/bulk-ledger.ts";
import type { Written } from "../../db/connection/client.ts";
import type { BulkOutcome } from "../../domain/bulk/outcomes.ts";
import type { BulkPlan } from "../../domain/bulk/plan.ts";
import { succeed, type Outcome, refuse } from "../../domain/refusals.ts";
import type { ActionCall, Done } from "../call/call.ts";
import { inProgress } from "../call/replay.ts";
import type { BulkAccepted, BulkExecution } from "../views/bulk-views.ts";
import { acceptedAnswer, replayBulk } from "./answer.ts";
import { STALE } from "./rows.ts";

type Accepted = Outcome<Done<BulkExecution | BulkAccepted>>;

/** Stores a plan that is too large for one request, for a consumer to work through. */
export async function acceptPlan(
  call: ActionCall,
  planned: { plan: BulkPlan; stale: ReadonlySet<string>; opening: BulkOpening },
): Promise<Accepted> {
  const { plan, stale, opening } = planned;
  const items = plan.items.map((item): AcceptedItem => {
    const { taskId, eventSeq: plannedSeq, from: fromLabel, to: toLabel } = item;
    const known = { taskId, plannedSeq, fromLabel, toLabel };
    if (stale.has(taskId)) return { ...known, outcome: "stale", code: STALE };
    return item.decision === "refused"
      ? { ...known, outcome: "refused", code: item.code }
      : { ...known, outcome: "pending", code: null };
  });
  const { operation } = call;
  return answerAcceptance(call, await acceptBulk(call.database, { operation, opening }, items));
}

/** Stores a revert for a consumer to work through. The database copies its items from the source operation. */
export async function acceptTakeBack(
  call: ActionCall,
  opening: BulkOpening,
  source: { operationId: string; outcomes: readonly BulkOutcome[]; items: number },
): Promise<Accepted> {
  const { operation } = call;
  return answerAcceptance(call, await acceptRevert(call.database, { operation, opening }, source));
}

async function answerAcceptance(call: ActionCall, written: Written<unknown>): Promise<Accepted> {
  if (written.outcome === "in_progress") return refuse(inProgress());
  if (written.outcome === "replayed") return replayBulk(call, written.operation);
  return succeed({ value: acceptedAnswer(call.operation.id), replayed: false });
}

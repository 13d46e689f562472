import { type InsightRecord, loadInsight, recordInsight } from "../../db/evals/insights.ts";
import { decideInsight, type InsightReport } from "../../domain/evals/insights.ts";
import { notFound, type Outcome, refuse } from "../../domain/refusals.ts";
import type { ActionCall, Done } from "../call/call.ts";
import { decideAgain, LOST_RACE } from "../call/decide-again.ts";
import { asStored, conclude } from "../call/conclude.ts";
import { replay } from "../call/replay.ts";

/** Records a report on an inference job. An insight is independent of its trial, even if that is retracted. */
export function reportInsight(
  call: ActionCall,
  { insightId, ...report }: InsightReport & { insightId: string },
): Promise<Outcome<Done<InsightRecord>>> {
  const { database, operation } = call;
  return decideAgain("insight", async () => {
    const { insight, stored } = await loadInsight(database, insightId, operation);
    if (stored) return replay(operation, stored, asStored<InsightRecord>);
    if (insight === null) return refuse(notFound());
    const decided = decideInsight(insight, report);
    if (!decided.ok) return decided;
    const seenAt = insight.updatedAt;
    const recorded = await recordInsight(database, decided.value, { seenAt, operation });
    return conclude(operation, recorded, {
      result: (row) => row.insight,
      render: asStored,
      unwritten: () => LOST_RACE,
    });
  });
}

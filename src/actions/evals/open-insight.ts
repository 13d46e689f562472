import { uuidv7 } from "uuidv7";
import { createInsight, type InsightRecord, type NewInsight } from "../../db/evals/insights.ts";
import { succeed, archived, notFound, type Outcome, refuse } from "../../domain/refusals.ts";
import type { ActionCall, Done } from "../call/call.ts";
import { settle } from "../call/replay.ts";

/** Opens an inference job's record, QUEUED until it is told of; one that comes with its output has SUCCEEDED. */
export async function openInsight(
  call: ActionCall,
  input: Omit<NewInsight, "id" | "status">,
): Promise<Outcome<Done<InsightRecord>>> {
  const status = input.output === null ? ("QUEUED" as const) : ("SUCCEEDED" as const);
  const created = await createInsight(call.database, { ...input, id: uuidv7(), status }, call);
  const settled = await settle(call.operation, created, (insight: InsightRecord) => insight);
  if ("answer" in settled) return settled.answer;
  const [row] = settled.rows;
  if (row === undefined) return refuse(notFound());
  return row.insight === null
    ? refuse(archived())
    : succeed({ value: row.insight, replayed: false });
}

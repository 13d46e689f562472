import { createInsight, type InsightRecord, type NewInsight } from "../../db/evals/insights.ts";
import { archived, notFound, type Outcome, refuse } from "../../domain/refusals.ts";
import type { ActionCall, Done } from "../call/call.ts";
import { idsOf } from "../call/ids-of.ts";
import { asStored, conclude } from "../call/conclude.ts";

/** Creates the record of an inference job. It starts as QUEUED, or as SUCCEEDED if its output comes with it. */
export async function openInsight(
  call: ActionCall,
  input: Omit<NewInsight, "id" | "status">,
): Promise<Outcome<Done<InsightRecord>>> {
  const status = input.output === null ? ("QUEUED" as const) : ("SUCCEEDED" as const);
  const created = await createInsight(call.database, { ...input, id: idsOf(call)(), status }, call);
  return conclude(call.operation, created, {
    result: ({ insight }) => insight,
    render: asStored,
    unwritten: (found) => refuse(found === undefined ? notFound() : archived()),
  });
}

import type { TenantDatabase } from "../../db/connection/client.ts";
import type { Until } from "../../db/history/events.ts";
import { findDataLineage, findTaskLineage } from "../../db/content/lineage.ts";
import { type LineageGraph, lineageOf, type LineageRecords } from "../../domain/lineage/graph.ts";
import { foldEval, type RecordedEvalEvent } from "../../domain/evals/fold.ts";
import { succeed, notFound, type Outcome, refuse } from "../../domain/refusals.ts";
import type { TaskRef } from "../../domain/task-ref.ts";
import { beyondNewest } from "../history/state-as-of.ts";

/** A lineage graph, and whether its depth or size was cut off. */
export interface Lineage extends LineageGraph {
  truncated: { depth: boolean; size: boolean };
}

/** Returns the lineage of an artifact: its inputs, who produced it, its steps and the gates they passed. */
export async function traceData(
  database: TenantDatabase,
  dataId: string,
): Promise<Outcome<Lineage>> {
  const found = await findDataLineage(database, dataId);
  if (found === null) return refuse(notFound());
  const { truncated, ...records } = found;
  return succeed({ ...lineageOf(records), truncated });
}

/** Returns the lineage of everything that a task produced, now or as of a time or event. */
export async function traceTask(
  database: TenantDatabase,
  task: TaskRef,
  until: Until | undefined,
): Promise<Outcome<Lineage & { taskId: string }>> {
  const found = await findTaskLineage(database, task, until);
  if (found === null) return refuse(notFound());
  const { taskId, newestSeq, evalHistories, truncated, ...present } = found;
  if (until !== undefined && "seq" in until && until.seq > newestSeq) {
    return refuse(beyondNewest(newestSeq));
  }
  const records = evalHistories === null ? present : asTheyWere(present, evalHistories);
  // The task did not exist before its first event.
  if (records.versions.length === 0) return refuse(notFound());
  return succeed({ taskId, ...lineageOf(records), truncated });
}

/** Replaces trials with their state in the given histories, and drops those that are not in them. */
function asTheyWere(
  records: LineageRecords,
  evalHistories: readonly RecordedEvalEvent[][],
): LineageRecords {
  const recorded = new Map(
    evalHistories.flatMap((events) => foldEval(events).trials).map((trial) => [trial.id, trial]),
  );
  const trials = records.trials.flatMap(({ facts, to }) => {
    const trial = recorded.get(facts.id);
    if (trial === undefined) return [];
    const { status, retracted, outputDataId } = trial;
    return [{ facts: { ...facts, status, retracted }, to: { ...to, outputDataId } }];
  });
  return { ...records, trials };
}

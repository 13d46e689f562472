import { type LoadedEvaluation, loadEvaluation } from "../../db/evals/load-evals.ts";
import { recordAnswer } from "../../db/ledger/operations.ts";
import { recordEvals, type StoredEvals } from "../../db/evals/record-evals.ts";
import {
  decideRecord,
  RECORD_OUTCOMES,
  type RecordedResult,
  type RecordOutcome,
  readResults,
  type ResultOutcome,
  type ReportedRecord,
} from "../../domain/evals/decide/record.ts";
import type { PlannedEvalDecision } from "../../db/evals/eval-decision-rows.ts";
import type { SlotBy } from "../../domain/evals/slot.ts";
import { succeed, type Outcome } from "../../domain/refusals.ts";
import { REGISTRY_VERSION } from "../../domain/registry-version.ts";
import type { TaskRef } from "../../domain/task-ref.ts";
import type { ActionCall, Done } from "../call/call.ts";
import { idsOf } from "../call/ids-of.ts";
import { decideUntilRecorded, LOST_RACE } from "../call/decide-again.ts";
import { conclude } from "../call/conclude.ts";
import { replay } from "../call/replay.ts";

/** The task of a result, and the planned time of the result if the tenant has a simulated clock. */
interface EvaluatedTask {
  task: TaskRef;
  at?: string | undefined;
}

/** One evaluation of many tasks: k trials of each model for each task. */
export interface Evaluation {
  name: string;
  /** Evals with a smaller k are raised to it. */
  k: number;
  /** The members that distinguish trials. By default as in the eval that exists, and the model alone if there is none. */
  slotBy: SlotBy | undefined;
  results: readonly (ReportedRecord & EvaluatedTask)[];
  /** Whether these results complete the trials of their evals. */
  complete: boolean;
}

type ReadResult = RecordedResult & EvaluatedTask;

export interface EvaluatedItem extends ResultOutcome {
  index: number;
  /** The trial's eval. */
  evalId?: string;
}

export interface RecordedEvaluation {
  counts: { requested: number } & Record<RecordOutcome, number>;
  items: EvaluatedItem[];
}

/**
 * Records the results of one evaluation in two round trips, each result on its own. A result goes to the eval of that
 * name on its task's active version, which is created if it does not exist. A result that is already recorded is
 * reported and not written again, so a call can be repeated, in whole or in part.
 */
export async function recordEvaluation(
  call: ActionCall,
  evaluation: Evaluation,
): Promise<Outcome<Done<RecordedEvaluation>>> {
  const { database, operation } = call;
  const { name, k, slotBy, complete } = evaluation;
  const read = readResults(evaluation.results, k);
  if (!read.ok) return read;
  const results: readonly ReadResult[] = read.value;
  const names = {
    tasks: results.map(({ task }) => task),
    name,
    slots: results,
    outputIds: results.flatMap(({ result }) => result.outputDataId ?? []),
  };
  return decideUntilRecorded("eval", async () => {
    const loaded = await loadEvaluation(database, names, operation);
    if (loaded.stored) return replay(operation, loaded.stored, render);
    const { items, decisions } = plan(call, { name, k, slotBy, complete, results }, loaded);
    if (decisions.length === 0) return concludeUnchanged(call, items);
    const recorded = await recordEvals(database, decisions, {
      ...call,
      registryVersion: REGISTRY_VERSION,
      answer: items,
      returnsRows: false,
    });
    return conclude(operation, recorded, {
      result: ({ changed }) => (changed === 0 ? null : { answer: items }),
      render,
      unwritten: () => LOST_RACE,
    });
  });
}

function plan(
  call: ActionCall,
  { results, ...evaluation }: Omit<Evaluation, "results"> & { results: readonly ReadResult[] },
  { find, outputIdsOf }: LoadedEvaluation,
): { items: EvaluatedItem[]; decisions: PlannedEvalDecision[] } {
  const items: EvaluatedItem[] = results.map((_, index) => ({ index, outcome: "not_found" }));
  const decisions: PlannedEvalDecision[] = [];
  const byTask = Map.groupBy(results.entries(), ([, { task }]) => find(task));
  for (const [task, entries] of byTask) {
    if (task === undefined) continue;
    const { snapshot, live } = task;
    const { decision, outcomes } = decideRecord(
      { ...evaluation, task, snapshot, live, outputIds: outputIdsOf(task.id) },
      entries.map(([, result]) => result),
      idsOf(call, entries[0]?.[0]),
    );
    // The results of a task share one event, which has the time of the last.
    const at = entries
      .flatMap(([, result]) => result.at ?? [])
      .toSorted()
      .at(-1);
    if (decision !== null) decisions.push({ ...decision, at });
    const evalId = decision?.evalId ?? snapshot?.id;
    for (const [position, outcome] of outcomes.entries()) {
      const index = entries[position]?.[0] ?? 0;
      items[index] = { index, ...outcome, ...(evalId !== undefined && { evalId }) };
    }
  }
  return { items, decisions };
}

/** Ends a call that has nothing to write. With an idempotency key, its answer is stored nonetheless. */
async function concludeUnchanged(
  { database, operation }: ActionCall,
  items: EvaluatedItem[],
): Promise<Outcome<Done<RecordedEvaluation>>> {
  const result = { answer: items };
  if (operation.key === null) return succeed({ value: render(result), replayed: false });
  const recorded = await recordAnswer(database, operation, result);
  return conclude(operation, recorded, { result: () => result, render });
}

function render({
  answer: items,
}: Pick<StoredEvals<EvaluatedItem[]>, "answer">): RecordedEvaluation {
  const counts = Object.fromEntries(
    RECORD_OUTCOMES.map((outcome) => [
      outcome,
      items.filter((item) => item.outcome === outcome).length,
    ]),
    // The entries are built from every outcome.
  ) as Record<RecordOutcome, number>;
  return { counts: { requested: items.length, ...counts }, items };
}

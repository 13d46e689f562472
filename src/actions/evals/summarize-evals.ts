import type { TenantDatabase } from "../../db/connection/client.ts";
import {
  findEvalScores,
  findScopeScores,
  type SummaryScope,
} from "../../db/evals/eval-summaries.ts";
import {
  type Comparison,
  compareModels,
  type ModelSummary,
  resamplesFor,
  summarizeModel,
  workloads,
} from "../../domain/evals/summary.ts";
import { succeed, notFound, type Outcome, refuse } from "../../domain/refusals.ts";

/** The scores of each model in one eval. */
export interface EvalSummary {
  evalId: string;
  k: number;
  resamples: number;
  models: ModelSummary[];
  modelsTruncated: boolean;
}

/** Summarizes the trials of one eval. */
export async function summarizeEval(
  database: TenantDatabase,
  evalId: string,
): Promise<Outcome<EvalSummary>> {
  const found = await findEvalScores(database, evalId);
  if (found === null) return refuse(notFound());
  const { k, models, modelsTruncated } = found;
  const resamples = resamplesFor(models.flatMap(workloads), k);
  return succeed({
    evalId: found.evalId,
    k,
    resamples,
    models: models.map((scores) => summarizeModel(scores, k, resamples)),
    modelsTruncated,
  });
}

/** The scores of each model over the tasks that match a filter. */
export interface ScopeSummary extends Omit<EvalSummary, "evalId"> {
  name: string | null;
  coverage: {
    tasksMatched: number;
    tasksWithEval: number;
    tasksScored: number;
    tasksWithScore: number;
    evals: number;
  };
  tasksTruncated: boolean;
  /** Null unless the scope names exactly two models, each with one entry in `models`. */
  comparison: Comparison | null;
}

/** Summarizes the trials of every eval in scope, task by task. */
export async function summarizeScope(
  database: TenantDatabase,
  scope: SummaryScope,
): Promise<ScopeSummary> {
  const { k, models, pairs, ...same } = await findScopeScores(database, scope);
  const paired = pairs.map(({ one, other, tasks }) => ({ n: Math.min(one.n, other.n), tasks }));
  const resamples = resamplesFor([...models.flatMap(workloads), paired], k);
  const [one, other, ...more] = scope.models ?? [];
  const isPair = one !== undefined && other !== undefined && more.length === 0;
  // A model whose trials are told apart by more has no single figure on a task to compare.
  const isOneEach = new Set(models.map(({ model }) => model)).size === models.length;
  return {
    name: scope.name ?? null,
    k,
    resamples,
    models: models.map((scores) => summarizeModel(scores, k, resamples)),
    comparison: isPair && isOneEach ? compareModels([one, other], pairs, { k, resamples }) : null,
    ...same,
  };
}

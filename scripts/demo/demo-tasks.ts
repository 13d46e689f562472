import type { z } from "zod";
import type { ReviewOutcome, StepKind, StepStatus } from "../../src/domain/lifecycle/statuses.ts";
import type { UnifiedStatus } from "../../src/domain/status/unified.ts";
import { LIMIT_MAX } from "../../src/routes/http/schemas.ts";
import { LOOKUP_MAX } from "../../src/routes/tasks.ts";
import type { ApiClient } from "../import/api-client.ts";
import { mappedRecords, type ImportPlan } from "../import/plan-import.ts";
import { lookupResponse, taskPage, type taskResponse } from "./api.ts";

/** A task of the demo: its verdict from the file, and its state according to the service's latest response. */
export interface DemoTask {
  id: string;
  externalId: string;
  verdict: ReviewOutcome;
  /** The step that the latest response showed as current. */
  stepId: string;
  kind: StepKind;
  status: StepStatus;
  label: UnifiedStatus;
  eventSeq: number;
}

/** The model whose verdict counts in the demo; it is the strongest of the four. */
const DECIDING_MODEL = "175b_verification";

/** Returns the verdicts in the file, by external id. Records without one are not part of the demo. */
export async function readVerdicts(plan: ImportPlan): Promise<Map<string, ReviewOutcome>> {
  const verdicts = new Map<string, ReviewOutcome>();
  for await (const { externalId, work } of mappedRecords(plan, { start: null })) {
    const trials = work?.evals.flatMap((evaluation) => evaluation.trials) ?? [];
    const passed = trials.find(({ model }) => model === DECIDING_MODEL)?.passed;
    if (externalId === null || passed === undefined) continue;
    verdicts.set(externalId, passed ? "passed" : "failed");
  }
  return verdicts;
}

/** Finds the tasks' current states. It lists the newest tasks first, so that few pages are needed after an import. */
export async function findTasks(
  client: ApiClient,
  verdicts: ReadonlyMap<string, ReviewOutcome>,
  onFound: (found: number) => void,
): Promise<DemoTask[]> {
  const found = new Map<string, DemoTask>();
  let cursor: string | null = null;
  do {
    const after: string = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const path = `/tasks?sort=-createdAt&limit=${LIMIT_MAX}${after}`;
    const page: z.output<typeof taskPage> = await client.call({ method: "GET", path }, taskPage);
    for (const task of page.data) {
      const verdict = verdicts.get(task.externalId ?? "");
      if (verdict === undefined || task.externalId === null) continue;
      const { externalId } = task;
      found.set(externalId, { externalId, verdict, ...stateOf(task) });
    }
    onFound(found.size);
    cursor = page.nextCursor;
  } while (cursor !== null && found.size < verdicts.size);
  // Keep the order of the file, so that every run prints the same.
  return [...verdicts.keys()].flatMap((externalId) => found.get(externalId) ?? []);
}

/** Returns a task's state from a response of the service. */
export function stateOf(task: z.output<typeof taskResponse>) {
  const { id, currentStep, unifiedStatus: label, eventSeq } = task;
  const { id: stepId, kind, status } = currentStep;
  return { id, stepId, kind, status, label, eventSeq };
}

export type LabelCounts = Partial<Record<UnifiedStatus, number>>;

/** Looks up the label of every task, and returns the number of tasks per label. */
export async function countLabels(
  client: ApiClient,
  tasks: readonly DemoTask[],
): Promise<LabelCounts> {
  const counts: LabelCounts = {};
  for (const chunk of inChunks(tasks, LOOKUP_MAX)) {
    const body = { ids: chunk.map(({ id }) => id) };
    const request = { method: "POST", path: "/tasks/lookup", body } as const;
    const { found } = await client.call(request, lookupResponse);
    for (const { unifiedStatus } of found) {
      counts[unifiedStatus] = (counts[unifiedStatus] ?? 0) + 1;
    }
  }
  return counts;
}

/** Splits a list into chunks of at most `size` items. */
export function inChunks<Item>(items: readonly Item[], size: number): Item[][] {
  const chunks: Item[][] = [];
  for (let start = 0; start < items.length; start += size) {
    chunks.push(items.slice(start, start + size));
  }
  return chunks;
}

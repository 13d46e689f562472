import type { z } from "zod";
import type { ReviewOutcome, StepKind, StepStatus } from "../../src/domain/lifecycle/statuses.ts";
import type { UnifiedStatus } from "../../src/domain/status/unified.ts";
import type { ApiClient } from "../import/api-client.ts";
import { mappedRecords, type ImportPlan } from "../import/plan-import.ts";
import { lookedUp, type taskAnswer, taskPage } from "./api.ts";

/** A task of the demo: what the file says of it, and where it stands by what the service said last. */
export interface HerdTask {
  id: string;
  externalId: string;
  verdict: ReviewOutcome;
  kind: StepKind;
  status: StepStatus;
  label: UnifiedStatus;
  eventSeq: number;
}

/** Whose verdict decides: the strongest of the four. */
const DECIDING_MODEL = "175b_verification";

/** The file's own verdicts, by external id. Records without one are not walked. */
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

const PAGE_MAX = 200;

/** Finds where the tasks stand now. What was just imported is newest, so that few pages hold all of it. */
export async function findHerd(
  client: ApiClient,
  verdicts: ReadonlyMap<string, ReviewOutcome>,
  onFound: (found: number) => void,
): Promise<HerdTask[]> {
  const found = new Map<string, HerdTask>();
  let cursor: string | null = null;
  do {
    const after: string = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const path = `/tasks?sort=-createdAt&limit=${PAGE_MAX}${after}`;
    const page: z.output<typeof taskPage> = await client.call({ method: "GET", path }, taskPage);
    for (const task of page.data) {
      const verdict = verdicts.get(task.externalId ?? "");
      if (verdict === undefined || task.externalId === null) continue;
      const { externalId } = task;
      found.set(externalId, { externalId, verdict, ...standingOf(task) });
    }
    onFound(found.size);
    cursor = page.nextCursor;
  } while (cursor !== null && found.size < verdicts.size);
  // In the order of the file, so that every run tells the same story.
  return [...verdicts.keys()].flatMap((externalId) => found.get(externalId) ?? []);
}

/** Where a task stands, by an answer of the service. */
export function standingOf(task: z.output<typeof taskAnswer>) {
  const { id, currentStep, unifiedStatus: label, eventSeq } = task;
  return { id, kind: currentStep.kind, status: currentStep.status, label, eventSeq };
}

const LOOKUP_MAX = 20_000;

export type LabelCounts = Partial<Record<UnifiedStatus, number>>;

/** Asks the service for every task's label, and counts them. */
export async function countLabels(
  client: ApiClient,
  herd: readonly HerdTask[],
): Promise<LabelCounts> {
  const counts: LabelCounts = {};
  for (const part of inParts(herd, LOOKUP_MAX)) {
    const body = { ids: part.map(({ id }) => id) };
    const { found } = await client.call({ method: "POST", path: "/tasks/lookup", body }, lookedUp);
    for (const { unifiedStatus } of found) {
      counts[unifiedStatus] = (counts[unifiedStatus] ?? 0) + 1;
    }
  }
  return counts;
}

/** Cuts a list into parts that one call takes. */
export function inParts<Item>(items: readonly Item[], size: number): Item[][] {
  const parts: Item[][] = [];
  for (let start = 0; start < items.length; start += size) {
    parts.push(items.slice(start, start + size));
  }
  return parts;
}

import { evolve, fold, type RecordedEvent, type TaskState } from "../lifecycle/fold.ts";
import { type AttentionCode, attentionOf } from "../status/attention.ts";
import { factsOf, resolve } from "../status/resolve.ts";
import type { UnifiedStatus } from "../status/unified.ts";
import type { WebhookData } from "./data.ts";
import type { TaskEvent } from "./events.ts";

/** An event of a task, and the bulk operation that wrote it, if any. */
export interface HistoryEvent extends RecordedEvent {
  bulkOperationId: string | null;
}

/** A change of a task that webhooks can report, and the event that caused it. */
export type TaskChange = {
  [Event in TaskEvent]: { event: Event; seq: number; data: WebhookData[Event] };
}[TaskEvent];

/**
 * Returns the changes of a task's label and attention by its events from `fromSeq` on. The fold and the resolver
 * compute them, as they do everywhere else. `history` must start with event 1.
 */
export function changesOf(history: readonly HistoryEvent[], fromSeq: number): TaskChange[] {
  const known = history.slice(0, fromSeq - 1);
  const changes: TaskChange[] = [];
  let before: TaskState | null = known.length === 0 ? null : fold(known);
  for (const event of history.slice(known.length)) {
    const after: TaskState = before === null ? fold([event]) : evolve(before, event);
    changes.push(...labelChange(before, after, event), ...attentionChange(before, after, event));
    before = after;
  }
  return changes;
}

function labelChange(
  before: TaskState | null,
  after: TaskState,
  { bulkOperationId, ...event }: HistoryEvent,
): TaskChange[] {
  const from = before && labelOf(before);
  const to = labelOf(after);
  if (from === to) return [];
  const data = { ...about(after, event), title: after.title, from, to, bulkOperationId };
  return [{ event: "task.label_changed", seq: event.seq, data }];
}

function attentionChange(
  before: TaskState | null,
  after: TaskState,
  event: RecordedEvent,
): TaskChange[] {
  const known = before === null ? [] : attentionOf(factsOf(before));
  const attention = attentionOf(factsOf(after));
  const added = without(attention, known);
  const removed = without(known, attention);
  if (added.length + removed.length === 0) return [];
  const data = { ...about(after, event), added, removed, attention };
  return [{ event: "task.attention", seq: event.seq, data }];
}

function about({ id, externalId }: TaskState, { seq, at }: RecordedEvent) {
  return { taskId: id, externalId, eventSeq: seq, at };
}

function labelOf(state: TaskState): UnifiedStatus {
  return resolve(factsOf(state));
}

function without(codes: readonly AttentionCode[], others: readonly AttentionCode[]) {
  return codes.filter((code) => !others.includes(code));
}

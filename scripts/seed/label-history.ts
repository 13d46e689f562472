import {
  evolve,
  fold,
  type RecordedEvent,
  type TaskState,
} from "../../src/domain/lifecycle/fold.ts";
import { factsOf, resolve } from "../../src/domain/status/resolve.ts";
import { UNIFIED_STATUSES, type UnifiedStatus } from "../../src/domain/status/unified.ts";
import type { TimeColumns } from "../chart/time-axis.ts";

/** A change of one task. Null is no label: the task does not exist yet, or is archived. */
interface Change {
  at: number;
  from: UnifiedStatus | null;
  to: UnifiedStatus | null;
}

/**
 * The labels of all tasks over time, from their events. The service keeps no counts of the past, but its history has
 * everything that a label depends on: `asOf` folds the same events with the same functions.
 */
export class LabelHistory {
  readonly #states = new Map<string, TaskState>();
  readonly #changes: Change[] = [];

  /** Adds an event. The events of a task come in their order, without a gap. */
  add(event: RecordedEvent): void {
    const before = this.#states.get(event.taskId);
    const after = before === undefined ? fold([event]) : evolve(before, event);
    this.#states.set(event.taskId, after);
    const [from, to] = [before === undefined ? null : labelOf(before), labelOf(after)];
    if (from !== to) this.#changes.push({ at: Date.parse(event.at), from, to });
  }

  /** Returns how many tasks have each label after all events. */
  present(): Record<UnifiedStatus, number> {
    const { now } = noCounts();
    for (const change of this.#changes) apply(now, change);
    return now;
  }

  /**
   * Returns how many tasks had each label in each column. What happens at the very end of a column belongs to it. No column
   * has a peak of a time before `since`.
   */
  countsIn(
    { start, columnMs, columns }: TimeColumns,
    since = start,
  ): Record<UnifiedStatus, LabelCounts> {
    const counts = noCounts();
    const changes = this.#changes.toSorted((one, other) => one.at - other.at);
    let next = 0;
    for (let column = 0; column < columns; column += 1) {
      const end = start + (column + 1) * columnMs;
      const peaks = { ...counts.now };
      for (let change = changes[next]; change && change.at <= end; change = changes[next]) {
        apply(counts.now, change);
        next += 1;
        // Tasks that change at the same moment, such as those of a bulk change, have no moment between them.
        if (changes[next]?.at === change.at) continue;
        for (const label of UNIFIED_STATUSES) {
          const before = change.at <= since ? 0 : peaks[label];
          peaks[label] = Math.max(before, counts.now[label]);
        }
      }
      for (const label of UNIFIED_STATUSES) {
        counts.byLabel[label].ends.push(counts.now[label]);
        counts.byLabel[label].peaks.push(peaks[label]);
      }
    }
    return counts.byLabel;
  }
}

/** The number of tasks with a label, in each column: at its end, and the most at any moment in it. */
interface LabelCounts {
  ends: number[];
  peaks: number[];
}

function noCounts() {
  const each = <Value>(valueOf: () => Value) =>
    Object.fromEntries(UNIFIED_STATUSES.map((label) => [label, valueOf()])) as Record<
      UnifiedStatus,
      Value
    >;
  return { now: each(() => 0), byLabel: each((): LabelCounts => ({ ends: [], peaks: [] })) };
}

function apply(now: Record<UnifiedStatus, number>, { from, to }: Change): void {
  if (from !== null) now[from] -= 1;
  if (to !== null) now[to] += 1;
}

function labelOf(state: TaskState): UnifiedStatus | null {
  return state.archivedAt === null ? resolve(factsOf(state)) : null;
}

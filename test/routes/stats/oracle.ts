import type { StepEventView } from "../../../src/actions/views/event-view.ts";
import type { TaskView } from "../../../src/actions/views/task-view.ts";
import { STEP_KINDS, type StepKind } from "../../../src/domain/lifecycle/statuses.ts";

// Computes the expected statistics a second time, event by event, from what the API returns about each task.

/** A task with its events and the errors of its runs, as the API returns them. */
export interface TaskHistory {
  task: TaskView;
  events: StepEventView[];
  /** The errors that its runs reported, by run id. */
  errors: ReadonlyMap<string, string | null>;
}

/** A window of API timestamps, which sort as text. `to` is exclusive. */
export interface Span {
  from: string;
  to: string;
}

const isWithin = ({ at }: { at: string }, { from, to }: Span) => at >= from && at < to;

interface Payload {
  opened?: { fromStepId: string | null };
  review?: { id: string; outcome: string; stepId: string };
  run?: { id: string };
}
// The event's type determines which members are present.
const payloadOf = (event: StepEventView) => event.payload as Payload;

function kindOf(events: readonly StepEventView[], stepId: string | null | undefined): StepKind {
  const found = events.find((event) => event.stepId === stepId);
  if (found === undefined) throw new Error("The history refers to a step that it never opened");
  return found.step.kind;
}

/** A revert, or the withdrawal of a review, which also undoes the review's move. */
const isUndoing = ({ type }: StepEventView) =>
  type === "bulk_reverted" || type === "review_withdrawn";

const isUndone = (events: readonly StepEventView[], { seq }: StepEventView) =>
  events.some((event) => event.seq === seq + 1 && isUndoing(event));

/** A change of status that was not undone and undoes none itself. */
const isMove = (events: readonly StepEventView[], event: StepEventView) =>
  event.from !== null && event.from !== event.to && !isUndoing(event) && !isUndone(events, event);

const zeroByKind = () =>
  Object.fromEntries(STEP_KINDS.map((kind) => [kind, 0])) as Record<StepKind, number>;

export function throughputOf(histories: readonly TaskHistory[], span: Span) {
  const counts = { created: 0, delivered: 0, rejected: 0, duplicate: 0, reworked: 0, revised: 0 };
  const [completed, approved] = [zeroByKind(), zeroByKind()];
  for (const { events } of histories) {
    for (const event of events.filter((event) => isWithin(event, span))) {
      const { type, to, step } = event;
      if (type === "task_created") counts.created += 1;
      if (type === "step_reworked") counts.reworked += 1;
      if (type === "version_created") counts.revised += 1;
      if (type === "step_advanced") {
        completed[kindOf(events, payloadOf(event).opened?.fromStepId)] += 1;
      }
      if (!isMove(events, event)) continue;
      if (to === "rejected" || to === "duplicate") counts[to] += 1;
      if (to === "approved") approved[step.kind] += 1;
      if (to === "approved" && step.kind === "delivery") {
        counts.delivered += 1;
        completed.delivery += 1;
      }
    }
  }
  return { ...counts, completed, approved };
}

interface Stay {
  kind: StepKind;
  seconds: number;
  /** When it ended. */
  at: string;
}

const isEnd = ({ step, to }: Pick<StepEventView, "step" | "to">) =>
  to === "rejected" || to === "duplicate" || (step.kind === "delivery" && to === "approved");

/** Returns the stays of one task. A stay ends when its step ends for good, or when the next step is opened. */
function staysOf(events: readonly StepEventView[]): Stay[] {
  const stays: Stay[] = [];
  let stay: { step: StepEventView["step"]; since: string; ended: string | null } | null = null;
  const close = (at: string) => {
    if (stay === null) return;
    const end = stay.ended ?? at;
    const seconds = (Date.parse(end) - Date.parse(stay.since)) / 1000;
    // A step that ended when it was opened is not a stay.
    if (end !== stay.since) stays.push({ kind: stay.step.kind, seconds, at: end });
  };
  for (const event of events) {
    if (event.from === null) {
      close(event.at);
      stay = { step: event.step, since: event.at, ended: isEnd(event) ? event.at : null };
    } else if (stay?.step.id === event.stepId) {
      stay.ended = isEnd(event) ? (stay.ended ?? event.at) : null;
    }
  }
  const ended = stay?.ended ?? null;
  if (ended !== null) close(ended);
  return stays;
}

export function stageTimesOf(histories: readonly TaskHistory[], span: Span) {
  const stays = histories
    .flatMap(({ events }) => staysOf(events))
    .filter((stay) => isWithin(stay, span));
  const isWaiting = ({ archivedAt, unifiedStatus }: TaskView) =>
    archivedAt === null && !["DELIVERED", "REJECTED", "DUPLICATE"].includes(unifiedStatus);
  return STEP_KINDS.map((kind) => {
    const seconds = stays
      .filter((stay) => stay.kind === kind)
      .map((stay) => stay.seconds)
      .toSorted((one, other) => one - other);
    return {
      kind,
      stays: seconds.length,
      seconds: seconds.length === 0 ? null : summaryOf(seconds),
      waiting: histories.filter(({ task }) => isWaiting(task) && task.currentStep.kind === kind)
        .length,
    };
  });
}

function summaryOf(sorted: readonly number[]) {
  const at = (part: number) => {
    const position = part * (sorted.length - 1);
    const [below = 0, above = 0] = [sorted[Math.floor(position)], sorted[Math.ceil(position)]];
    return below + (above - below) * (position - Math.floor(position));
  };
  const mean = sorted.reduce((sum, one) => sum + one, 0) / sorted.length;
  return { mean, p50: at(0.5), p90: at(0.9), p99: at(0.99) };
}

export function failuresOf(histories: readonly TaskHistory[], span: Span) {
  const stages = STEP_KINDS.map((kind) => ({
    kind,
    counts: { failed: 0, errored: 0, revoked: 0, failedReviews: 0, reworked: 0 },
    errors: new Map<string | null, number>(),
  }));
  const at = (kind: StepKind) => stages[STEP_KINDS.indexOf(kind)] ?? fail();
  for (const { events, errors } of histories) {
    const withdrawn = events
      .filter(({ type }) => type === "review_withdrawn")
      .map((event) => payloadOf(event).review?.id);
    for (const event of events.filter((event) => isWithin(event, span))) {
      const { fromGate, toGate, type, step } = event;
      const { opened, review } = payloadOf(event);
      if (type === "step_reworked") at(kindOf(events, opened?.fromStepId)).counts.reworked += 1;
      if (review?.outcome === "failed" && !withdrawn.includes(review.id)) {
        at(kindOf(events, review.stepId)).counts.failedReviews += 1;
      }
      const isChange = fromGate !== null && fromGate !== toGate && !isUndoing(event);
      if (!isChange || isUndone(events, event)) continue;
      if (toGate === "failed" || toGate === "errored" || toGate === "revoked") {
        at(step.kind).counts[toGate] += 1;
      }
      if (toGate !== "errored") continue;
      const report = events.find(
        ({ operationId, type }) =>
          operationId === event.operationId && type === "worker_run_changed",
      );
      const run = report && payloadOf(report).run?.id;
      const error = run === undefined ? null : (errors.get(run) ?? null);
      const errorCounts = at(step.kind).errors;
      errorCounts.set(error, (errorCounts.get(error) ?? 0) + 1);
    }
  }
  return stages.map(({ kind, counts, errors }) => ({
    kind,
    ...counts,
    errors: [...errors].map(([error, count]) => ({ error, count })).toSorted(byCount),
  }));
}

/** Sorts the most frequent first, then by text, with null last. */
function byCount(one: { error: string | null; count: number }, other: typeof one): number {
  if (one.count !== other.count) return other.count - one.count;
  if (one.error === null || other.error === null) return one.error === null ? 1 : -1;
  return one.error < other.error ? -1 : 1;
}

function fail(): never {
  throw new Error("A kind has no row");
}

export function outcomesOf(
  histories: readonly TaskHistory[],
  span: Span,
  { archived }: { archived: boolean },
) {
  const cohort = histories.filter(
    ({ task, events: [created] }) =>
      created !== undefined && isWithin(created, span) && (task.archivedAt !== null) === archived,
  );
  const farthest = ({ events }: TaskHistory) =>
    Math.max(...events.map(({ step }) => STEP_KINDS.indexOf(step.kind)));
  return {
    tasks: cohort.length,
    outcomes: labelsOf(cohort),
    stages: STEP_KINDS.map((kind, index) => ({
      kind,
      reached: cohort.filter((one) => farthest(one) >= index).length,
      outcomes: labelsOf(cohort.filter((one) => farthest(one) === index)),
    })),
  };
}

function labelsOf(histories: readonly TaskHistory[]) {
  const counts = { open: 0, PASSED: 0, DELIVERED: 0, REJECTED: 0, DUPLICATE: 0 };
  for (const { task } of histories) {
    const label = task.unifiedStatus;
    if (
      label === "PASSED" ||
      label === "DELIVERED" ||
      label === "REJECTED" ||
      label === "DUPLICATE"
    )
      counts[label] += 1;
    else counts.open += 1;
  }
  return counts;
}

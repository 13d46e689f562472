import type { Decision } from "../../domain/lifecycle/decision.ts";
import { marksDuplicate } from "../../domain/lifecycle/duplicates.ts";
import type { TaskFields, TaskSnapshot } from "../../domain/lifecycle/snapshot.ts";
import { currentStepAfter } from "../../domain/lifecycle/step-after.ts";
import { dispatchRows, eventRows, stepRows, versionRows } from "./decision-rows.ts";
import type { EventSource } from "../history/event-ctes.ts";
import type { Bound } from "../connection/prepared.ts";
import { type GuardedRun, guardRow } from "../runs/run-guards.ts";

/** A decided move. The writer applies it only if the task is still at `snapshot.eventSeq`. */
export interface Move {
  snapshot: TaskSnapshot;
  decision: Decision;
  /** The run that the decision is based on. The move is also skipped if the run has changed. */
  run?: GuardedRun | undefined;
  /** Who reviews the step, if that takes a slot. The move is also skipped if someone else holds it. */
  claimant?: string | undefined;
  /** The planned time of the move, if its tenant has a simulated clock. */
  at?: string | undefined;
}

/** The call that records moves, and the answer to a repeat of it. */
export interface MoveCall extends EventSource {
  /** Stored with the operation. The answer is rendered from it, the first time and on every repeat. */
  answer: unknown;
  /** Whether the operation is kept even if nothing was written, so that a repeat gets the same answer. */
  isKeptIfEmpty: boolean;
}

/** The moves as inputs of the statement. */
export type MoveInput = Readonly<Record<keyof ReturnType<typeof moveInput>, Bound<string>>>;

/**
 * Returns the moves as inputs of the statement: one JSON array for each kind of row. `plannedAt` is the time of the moves
 * that have none of their own; a prepared statement has no setting for it.
 */
export function moveInput(moves: readonly Move[], plannedAt: string | null) {
  const json = (rowsOf: (move: Move) => readonly object[]) => JSON.stringify(moves.flatMap(rowsOf));
  return {
    moves: json(({ snapshot, decision, at = plannedAt }) => [
      {
        task_id: snapshot.id,
        seq: snapshot.eventSeq,
        step_id: snapshot.step.id,
        version_id: snapshot.version.id,
        is_silent: decision.events.length === 0,
        fields: decision.fields && { ...taskFields(snapshot), ...decision.fields },
        archive: decision.archive,
        ...(at !== null && { planned_at: at }),
        ...markOf(decision),
        ...(decision.needsNoRun && { needs_no_run: true }),
      },
    ]),
    events: json(({ snapshot, decision }) => eventRows(snapshot.id, decision.events)),
    versions: json(({ snapshot, decision }) => versionRows(snapshot.id, decision)),
    steps: json(({ decision }) => stepRows(decision)),
    holds: json(holdRows),
    reviews: json(({ snapshot, decision }) =>
      decision.reviews.map((review) => ({
        id: review.id,
        task_id: snapshot.id,
        version_id: review.versionId,
        step_id: review.stepId,
        kind: review.kind,
        outcome: review.outcome,
        sequence: review.sequence,
        notes: review.notes,
      })),
    ),
    withdrawals: json(({ snapshot, decision }) =>
      decision.withdrawals.map(({ reviewId }) => ({ id: reviewId, task_id: snapshot.id })),
    ),
    found_runs: json(({ snapshot, run }) =>
      run === undefined ? [] : [{ ...guardRow(run), task_id: snapshot.id }],
    ),
    claimants: json(({ snapshot, claimant }) =>
      claimant === undefined
        ? []
        : [{ task_id: snapshot.id, step_id: snapshot.step.id, person: claimant }],
    ),
    runs: json(({ snapshot, decision }) =>
      decision.runs.map((run) => ({
        id: run.id,
        task_id: snapshot.id,
        state: run.state,
        verdict: run.verdict,
        result: run.result,
        error: run.error,
      })),
    ),
    recalls: json(({ snapshot, decision: { recall } }) =>
      recall === null
        ? []
        : [
            {
              task_id: snapshot.id,
              step_id: recall.stepId,
              version_id: recall.versionId,
              attached: recall.ofStep,
              payment: recall.ofVersion,
            },
          ],
    ),
    undone: json(({ snapshot, decision: { undoes } }) =>
      undoes === null
        ? []
        : [{ task_id: snapshot.id, seq: undoes.seq, operation_id: undoes.operationId }],
    ),
    dispatches: json(({ snapshot, decision }) => dispatchRows(snapshot.id, decision)),
  };
}

/** Whether a move makes its task a duplicate, and which task it names. */
export function markOf({ events }: Decision) {
  const mark = events.find(marksDuplicate);
  return { marks_duplicate: mark !== undefined, duplicate_of: mark?.duplicateOf ?? null };
}

/** The hold and the deferred reports of the current step, if the move changes them. */
function holdRows({ snapshot, decision }: Move) {
  const { step } = snapshot;
  const { hold, deferred } = currentStepAfter(snapshot, decision.events);
  if (hold === step.hold && deferred === step.deferred) return [];
  return [
    {
      step_id: step.id,
      held_seq: hold?.seq ?? null,
      held_gate: hold?.gate ?? null,
      deferred: deferred.length === 0 ? null : deferred,
    },
  ];
}

function taskFields({
  title,
  externalId,
  taxonomyCode,
  priority,
  assignee,
}: TaskFields): TaskFields {
  return { title, externalId, taxonomyCode, priority, assignee };
}

import type { Decision } from "../../domain/lifecycle/decision.ts";
import type { TaskFields, TaskSnapshot } from "../../domain/lifecycle/snapshot.ts";
import { dispatchRows, eventRows, stepRows, versionRows } from "./decision-rows.ts";
import type { EventSource } from "../history/event-ctes.ts";
import type { Bound } from "../connection/prepared.ts";
import { type GuardedRun, guardRow } from "../runs/run-guards.ts";

/** A decided move: the writer applies it if the task is still at `snapshot.eventSeq`, else not at all. */
export interface Move {
  snapshot: TaskSnapshot;
  decision: Decision;
  /** The run that it was decided on: where somebody changed it since, the move is left alone too. */
  run?: GuardedRun | undefined;
}

/** Who moves, why the database should believe it, and what a repeat of the call will be answered. */
export interface MoveCall extends EventSource {
  /** Stored as it is: the answer is rendered from it, the first time and at each repeat. */
  answer: unknown;
  /** Whether the operation stays where nothing was written: such an answer is one to be repeated. */
  isKeptIfEmpty: boolean;
}

/** The moves as a statement reads them, bound or prepared. */
export type MoveInput = Readonly<Record<keyof ReturnType<typeof moveInput>, Bound<string>>>;

/** The moves as the statement's inputs: one JSON array for each kind of row. */
export function moveInput(moves: readonly Move[]) {
  const json = (rowsOf: (move: Move) => readonly object[]) => JSON.stringify(moves.flatMap(rowsOf));
  return {
    moves: json(({ snapshot, decision }) => [
      {
        task_id: snapshot.id,
        seq: snapshot.eventSeq,
        step_id: snapshot.step.id,
        version_id: snapshot.version.id,
        is_silent: decision.events.length === 0,
        fields: decision.fields && { ...taskFields(snapshot), ...decision.fields },
        archive: decision.archive,
      },
    ]),
    events: json(({ snapshot, decision }) => eventRows(snapshot.id, decision.events)),
    versions: json(({ snapshot, decision }) => versionRows(snapshot.id, decision)),
    steps: json(({ decision }) => stepRows(decision)),
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
    found_runs: json(({ snapshot, run }) =>
      run === undefined ? [] : [{ ...guardRow(run), task_id: snapshot.id }],
    ),
    runs: json(({ snapshot, decision }) =>
      decision.runs.map((run) => ({
        id: run.id,
        task_id: snapshot.id,
        state: run.state,
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

function taskFields({
  title,
  externalId,
  taxonomyCode,
  priority,
  assignee,
}: TaskFields): TaskFields {
  return { title, externalId, taxonomyCode, priority, assignee };
}

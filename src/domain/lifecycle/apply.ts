import type { Decision } from "./decision.ts";
import { duplicateOfAfter } from "./duplicates.ts";
import { isRunEnded } from "./runs.ts";
import { NOT_HELD, type StepSnapshot, type TaskSnapshot } from "./snapshot.ts";
import { stepAfter } from "./step-after.ts";
import { isOfVersion, type Pipeline } from "../pipelines/pipelines.ts";

/**
 * Returns the snapshot after a decision is recorded at a time: the same as the next load, as far as history determines
 * it. Dispatches count as not recalled, because only the database knows whether a recall came in time.
 */
export function apply(snapshot: TaskSnapshot, decision: Decision, at: string): TaskSnapshot {
  const last = decision.events.at(-1);
  const openRuns = snapshot.openRuns
    .map((run) => ({ ...run, state: newState(decision, run.id) ?? run.state }))
    .filter((run) => !isRunEnded(run.state));
  if (last === undefined) return { ...snapshot, openRuns };

  const steps = stepsAfter(snapshot, decision);
  const step = steps.find(({ id }) => id === last.stepId);
  if (step === undefined) throw new Error("A decision must end on a step of the active version");
  const isLeft = step.id !== snapshot.step.id;
  const isStatusChanged = decision.events.some(
    (event) => event.stepId === step.id && event.fromStatus !== event.toStatus,
  );
  const withdrawn = decision.withdrawals.map(({ sequence }) => sequence);
  const standing = snapshot.reviews.filter(({ sequence }) => !withdrawn.includes(sequence));
  const reviews = decision.reviews.map(({ sequence, outcome }) => ({ sequence, outcome }));
  return {
    ...snapshot,
    ...decision.fields,
    archivedAt: archivedAfter(snapshot, decision, at),
    duplicateOf: decision.events
      .filter(({ stepId }) => stepId === step.id)
      .reduce(
        (named, event) => duplicateOfAfter(event, named),
        isLeft ? null : snapshot.duplicateOf,
      ),
    eventSeq: snapshot.eventSeq + decision.events.length,
    statusSince: isStatusChanged ? at : snapshot.statusSince,
    updatedAt: at,
    version: decision.version
      ? { id: decision.version.id, number: decision.version.number }
      : snapshot.version,
    step,
    steps,
    reviewSequence: decision.reviews.at(-1)?.sequence ?? snapshot.reviewSequence,
    reviews: isLeft ? [] : [...standing, ...reviews],
    openRuns: isLeft ? [] : openRuns,
    alreadyDispatched: dispatchedAfter(snapshot, decision, isLeft),
  };
}

function newState(decision: Decision, runId: string) {
  return decision.runs.find(({ id }) => id === runId)?.state;
}

function stepsAfter(snapshot: TaskSnapshot, decision: Decision): StepSnapshot[] {
  const kept = decision.version === null ? snapshot.steps : [];
  const identities = decision.step === null ? kept : [...kept, decision.step];
  return identities.map((identity) => {
    const [opening, ...later] = decision.events
      .map((event, index) => ({ ...event, seq: snapshot.eventSeq + index + 1 }))
      .filter(({ stepId }) => stepId === identity.id);
    if ("status" in identity) {
      return opening === undefined ? identity : [opening, ...later].reduce(stepAfter, identity);
    }
    if (opening === undefined) throw new Error("A step must be opened by an event");
    const opened = {
      ...identity,
      ...NOT_HELD,
      status: opening.toStatus,
      gate: opening.toGate,
    };
    return later.reduce(stepAfter, opened);
  });
}

function archivedAfter(snapshot: TaskSnapshot, decision: Decision, at: string): string | null {
  if (decision.archive === null) return snapshot.archivedAt;
  return decision.archive ? at : null;
}

function dispatchedAfter(
  snapshot: TaskSnapshot,
  { version, dispatches }: Decision,
  isLeft: boolean,
): Pipeline[] {
  const kept = snapshot.alreadyDispatched.filter((pipeline) =>
    isOfVersion(pipeline) ? version === null : !isLeft,
  );
  return [...new Set([...kept, ...dispatches.map(({ pipeline }) => pipeline)])];
}

import { loadTasks, type LoadedTasks, type TaskNames } from "../../db/snapshots/load-tasks.ts";
import { recordAnswer } from "../../db/ledger/operations.ts";
import {
  recordMoves,
  type RecordedMoves,
  type StoredMoves,
  type WrittenDispatch,
} from "../../db/moves/record-moves.ts";
import { recordLateReport } from "../../db/runs/late-reports.ts";
import { recordRunReport } from "../../db/runs/worker-runs.ts";
import { apply } from "../../domain/lifecycle/apply.ts";
import type { Command } from "../../domain/lifecycle/commands.ts";
import { decide } from "../../domain/lifecycle/decide.ts";
import type { Decision } from "../../domain/lifecycle/decision.ts";
import type { TaskSnapshot } from "../../domain/lifecycle/snapshot.ts";
import { REVIEWED_KIND } from "../../domain/lifecycle/statuses.ts";
import { succeed, notFound, type Outcome, refuse } from "../../domain/refusals.ts";
import { REGISTRY_VERSION } from "../../domain/registry-version.ts";
import type { ConditionalCall, Done } from "../call/call.ts";
import { idsOf } from "../call/ids-of.ts";
import { decideAgain, decideUntilRecorded, LOST_RACE } from "../call/decide-again.ts";
import { conclude } from "../call/conclude.ts";
import { replay } from "../call/replay.ts";
import {
  draftEvent,
  type EventDraft,
  type StepEventView,
  withEvidence,
} from "../views/event-view.ts";
import { type StepView, stepView, type TaskView, taskView } from "../views/task-view.ts";

/** The answer of every call that changes one task. */
export interface Moved {
  task: TaskView;
  /** The current step, after the change. */
  step: StepView;
  events: StepEventView[];
  dispatched: Omit<WrittenDispatch, "taskId">[];
}

interface MoveRequest<Extra extends object> {
  /** What to load: the task, and what the command refers to. */
  names: TaskNames;
  /** Builds the command from what was loaded, or refuses. */
  commandOf: (loaded: LoadedTasks) => Outcome<Command>;
  /** What the answer holds in addition to `Moved`. */
  extraOf: (decision: Decision, loaded: LoadedTasks) => Extra;
  /** Who takes the slot of a reviewed step, if the command does. */
  claimant?: string | undefined;
  /** Members of the answer that only the writer knows. They replace those of `extraOf`. */
  writtenOf?: (written: RecordedMoves) => Partial<Extra>;
  /** Whether the command is one of APPENDING_COMMANDS. */
  isAppending?: boolean;
}

/** For calls whose answer is just `Moved`. */
export const noExtra = () => ({});

/**
 * Loads a task, decides on a command and records the result. Every change of a single task goes through here. Takes two
 * round trips, or one if it replays an earlier call with the same key. A command that conflicts with nothing is tried
 * until it is recorded; a move three times.
 */
export function moveTask<Extra extends object>(
  call: ConditionalCall,
  request: MoveRequest<Extra>,
): Promise<Outcome<Done<Moved & Extra>>> {
  const attempt = () => tryMove(call, request);
  // A condition that another call has broken stays broken, so such a call is answered without a wait.
  const isUnconditional = call.ifMatch === null;
  return request.isAppending === true && isUnconditional
    ? decideUntilRecorded("task", attempt)
    : decideAgain("task", attempt);
}

async function tryMove<Extra extends object>(
  call: ConditionalCall,
  request: MoveRequest<Extra>,
): Promise<Outcome<Done<Moved & Extra>> | typeof LOST_RACE> {
  const loaded = await loadTasks(call.database, request.names, { operation: call.operation });
  const render = (stored: StoredMoves<MovedDraft & Extra>) => ({
    ...renderMoved(stored),
    ...request.writtenOf?.(stored),
  });
  if (loaded.stored) return replay(call.operation, loaded.stored, render);
  const [snapshot] = loaded.tasks;
  if (snapshot === undefined) return refuse(notFound());
  if (call.ifMatch !== null && call.ifMatch !== snapshot.eventSeq) {
    return refuse(versionConflict(snapshot.eventSeq));
  }
  const command = request.commandOf(loaded);
  if (!command.ok) return command;
  const decided = decide(snapshot, command.value, { actor: call.actor, newId: idsOf(call) });
  if (!decided.ok) return decided;

  const decision = decided.value;
  const extra = request.extraOf(decision, loaded);
  if (decision.events.length === 0) {
    return concludeUnmoved(call, { snapshot, decision, extra, loaded });
  }
  const answer = { ...draftMoved(call, snapshot, decision), ...extra };
  const [run] = loaded.runs;
  const claimant = snapshot.step.kind === REVIEWED_KIND ? request.claimant : undefined;
  const recorded = await recordMoves(call.database, [{ snapshot, decision, run, claimant }], {
    ...call,
    registryVersion: REGISTRY_VERSION,
    // Without a key no later call can ask for the answer, and this call has it in memory.
    answer: call.operation.key === null ? null : answer,
    // An empty result means a lost race, and the next attempt decides again.
    isKeptIfEmpty: false,
  });
  return conclude(call.operation, recorded, {
    result: (written): StoredMoves<(MovedDraft & Extra) | null> | null =>
      written.events.length === 0 ? null : { answer, ...written },
    render: (stored) => render({ ...stored, answer: stored.answer ?? answer }),
    unwritten: () => LOST_RACE,
  });
}

function versionConflict(eventSeq: number) {
  return {
    code: "version_conflict" as const,
    detail: "The task has changed since the state that If-Match names. Nothing was changed.",
    eventSeq,
  };
}

/** The answer before the move is written. Its times are not known yet. */
interface MovedDraft {
  task: TaskView;
  step: StepView;
  events: EventDraft[];
}

/** Placeholder in a draft for the time that the writer assigns. */
const WHEN_WRITTEN = "written";

function draftMoved(call: ConditionalCall, snapshot: TaskSnapshot, decision: Decision): MovedDraft {
  const after = apply(snapshot, decision, WHEN_WRITTEN);
  const steps = [...snapshot.steps, ...after.steps];
  return {
    task: taskView(after),
    step: stepView(after.id, after.step.id, after.step),
    events: decision.events.map((event) => {
      const step = steps.find(({ id }) => id === event.stepId);
      if (step === undefined) throw new Error("An event names a step that its task does not have");
      return draftEvent(event, {
        taskId: snapshot.id,
        step,
        versionNumber:
          event.versionId === after.version.id ? after.version.number : snapshot.version.number,
        actor: call.actor,
        operationId: call.operation.id,
        requestId: call.requestId,
        registryVersion: REGISTRY_VERSION,
      });
    }),
  };
}

/** Fills in the draft's times and hashes from what the ledger stores. */
function renderMoved<Extra>({
  answer,
  events,
  dispatched,
}: StoredMoves<MovedDraft & Extra>): Moved & Extra {
  const at = events.at(-1)?.at ?? "";
  const { task } = answer;
  const written = (time: string) => (time === WHEN_WRITTEN ? at : time);
  return {
    ...answer,
    task: {
      ...task,
      statusSince: written(task.statusSince),
      archivedAt: task.archivedAt === null ? null : written(task.archivedAt),
      updatedAt: written(task.updatedAt),
    },
    events: events.map((evidence, index) => {
      const draft = answer.events[index];
      if (draft === undefined) throw new Error("The ledger holds an event without a draft");
      return withEvidence(draft, evidence);
    }),
    dispatched: dispatched.map(({ id, pipeline }) => ({ id, pipeline })),
  };
}

/**
 * Ends a move without events: there was nothing to do, or a worker's report only changes its run, or is kept aside. The
 * report loses the race if another report on the run was recorded after the load.
 */
async function concludeUnmoved<Extra extends object>(
  call: ConditionalCall,
  { snapshot, decision, extra, loaded }: Unmoved<Extra>,
): Promise<Outcome<Done<Moved & Extra>> | typeof LOST_RACE> {
  const value = {
    task: taskView(snapshot),
    step: stepView(snapshot.id, snapshot.step.id, snapshot.step),
    events: [],
    dispatched: [],
    ...extra,
  };
  const result: StoredMoves<typeof value> = { answer: value, events: [], dispatched: [] };
  const { database, operation } = call;
  const [report] = decision.runs;
  const [found] = loaded.runs;
  const { lateReport } = decision;
  if (lateReport !== null) {
    const recorded = await recordLateReport(database, lateReport, { ...call, result });
    return conclude(operation, recorded, { result: () => result, render: renderMoved<Extra> });
  }
  if (report === undefined && operation.key === null) return succeed({ value, replayed: false });
  const recorded =
    report === undefined || found === undefined
      ? await recordAnswer(database, operation, result)
      : await recordRunReport(database, { report, found }, { operation, result });
  return conclude(operation, recorded, {
    result: () => result,
    render: renderMoved<Extra>,
    unwritten: () => LOST_RACE,
  });
}

interface Unmoved<Extra> {
  snapshot: TaskSnapshot;
  decision: Decision;
  extra: Extra;
  loaded: LoadedTasks;
}

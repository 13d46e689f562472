import { uuidv7 } from "uuidv7";
import { loadTasks, type LoadedTasks, type TaskNames } from "../../db/snapshots/load-tasks.ts";
import { recordAnswer } from "../../db/ledger/operations.ts";
import {
  recordMoves,
  type StoredMoves,
  type WrittenDispatch,
} from "../../db/moves/record-moves.ts";
import { recordRunReport } from "../../db/runs/worker-runs.ts";
import { apply } from "../../domain/lifecycle/apply.ts";
import type { Command } from "../../domain/lifecycle/commands.ts";
import { decide } from "../../domain/lifecycle/decide.ts";
import type { Decision } from "../../domain/lifecycle/decision.ts";
import type { TaskSnapshot } from "../../domain/lifecycle/snapshot.ts";
import { succeed, notFound, type Outcome, refuse } from "../../domain/refusals.ts";
import { REGISTRY_VERSION } from "../../domain/registry-version.ts";
import type { ConditionalCall, Done } from "../call/call.ts";
import { decideAgain, LOST_RACE } from "../call/decide-again.ts";
import { conclude } from "../call/conclude.ts";
import { replay } from "../call/replay.ts";
import {
  draftEvent,
  type EventDraft,
  type StepEventView,
  withEvidence,
} from "../views/event-view.ts";
import { type StepView, stepView, type TaskView, taskView } from "../views/task-view.ts";

/** What every call that changes one task answers. */
export interface Moved {
  task: TaskView;
  /** The step that is current now. */
  step: StepView;
  events: StepEventView[];
  dispatched: Omit<WrittenDispatch, "taskId">[];
}

/** One task's move: whom it is about, what is asked, and what its answer tells beside `Moved`. */
interface MoveRequest<Extra extends object> {
  names: TaskNames;
  /** Makes the command from what was found, or refuses. */
  commandOf: (loaded: LoadedTasks) => Outcome<Command>;
  extraOf: (decision: Decision, loaded: LoadedTasks) => Extra;
}

/** For calls whose answer tells no more than `Moved`. */
export const nothingMore = () => ({});

/**
 * Load, decide, record: the one way in which a command reaches a single task. Two round trips; one where an
 * earlier call with the same key did it already.
 */
export function moveTask<Extra extends object>(
  call: ConditionalCall,
  request: MoveRequest<Extra>,
): Promise<Outcome<Done<Moved & Extra>>> {
  return decideAgain("task", () => tryMove(call, request));
}

async function tryMove<Extra extends object>(
  call: ConditionalCall,
  request: MoveRequest<Extra>,
): Promise<Outcome<Done<Moved & Extra>> | typeof LOST_RACE> {
  const loaded = await loadTasks(call.database, request.names, { operation: call.operation });
  if (loaded.stored) return replay(call.operation, loaded.stored, render<Extra>);
  const [snapshot] = loaded.tasks;
  if (snapshot === undefined) return refuse(notFound());
  if (call.ifMatch !== null && call.ifMatch !== snapshot.eventSeq) {
    return refuse(versionConflict(snapshot.eventSeq));
  }
  const command = request.commandOf(loaded);
  if (!command.ok) return command;
  const decided = decide(snapshot, command.value, { actor: call.actor, newId: uuidv7 });
  if (!decided.ok) return decided;

  const decision = decided.value;
  const extra = request.extraOf(decision, loaded);
  if (decision.events.length === 0) {
    return settleUnmoved(call, { snapshot, decision, extra, loaded });
  }
  const answer = { ...draftMoved(call, snapshot, decision), ...extra };
  const [run] = loaded.runs;
  const recorded = await recordMoves(call.database, [{ snapshot, decision, run }], {
    ...call,
    registryVersion: REGISTRY_VERSION,
    // Without a key nobody comes back for the answer but this very call, which has it.
    answer: call.operation.key === null ? null : answer,
    // A lost race: the next try decides anew.
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
    detail: "If-Match names another state than the present one. Nothing was done.",
    eventSeq,
  };
}

/** The answer before it is written: it has no times of its own yet. */
interface MovedDraft {
  task: TaskView;
  step: StepView;
  events: EventDraft[];
}

/** Stands in a draft for the time that the writer will give. */
const WHEN_WRITTEN = "written";

function draftMoved(call: ConditionalCall, snapshot: TaskSnapshot, decision: Decision): MovedDraft {
  const after = apply(snapshot, decision, WHEN_WRITTEN);
  const steps = [...snapshot.steps, ...after.steps];
  return {
    task: taskView(after),
    step: stepView(after.id, after.step.id, after.step),
    events: decision.events.map((event) => {
      const step = steps.find(({ id }) => id === event.stepId);
      if (step === undefined) throw new Error("An event names a step of its task");
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

/** The answer, from what the ledger stores: the same the first time and at every repeat. */
function render<Extra>({
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
      if (draft === undefined) throw new Error("The ledger holds as many drafts as events");
      return withEvidence(draft, evidence);
    }),
    dispatched: dispatched.map(({ id, pipeline }) => ({ id, pipeline })),
  };
}

/**
 * No event follows: nothing was to be done, or what a worker says changes its run's own record alone. That race is
 * lost where somebody else reported on the run since it was loaded.
 */
async function settleUnmoved<Extra extends object>(
  { database, operation }: ConditionalCall,
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
  const [report] = decision.runs;
  const [found] = loaded.runs;
  if (report === undefined && operation.key === null) return succeed({ value, replayed: false });
  const recorded =
    report === undefined || found === undefined
      ? await recordAnswer(database, operation, result)
      : await recordRunReport(database, { report, found }, { operation, result });
  return conclude(operation, recorded, {
    result: () => result,
    render: render<Extra>,
    unwritten: () => LOST_RACE,
  });
}

interface Unmoved<Extra> {
  snapshot: TaskSnapshot;
  decision: Decision;
  extra: Extra;
  loaded: LoadedTasks;
}

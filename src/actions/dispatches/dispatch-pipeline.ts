import { createDispatch } from "../../db/dispatches/create-dispatch.ts";
import { loadTasks } from "../../db/snapshots/load-tasks.ts";
import { type Pipeline, PIPELINES } from "../../domain/pipelines/pipelines.ts";
import { refusalOfTarget } from "../../domain/lifecycle/decide/target.ts";
import { isIdle, pipelinesWaitedFor } from "../../domain/lifecycle/idle.ts";
import {
  archived,
  forbidden,
  invalidTransition,
  notFound,
  type Outcome,
  refuse,
} from "../../domain/refusals.ts";
import { isPermitted, requiredRole } from "../../domain/rights.ts";
import type { ActionCall, Done } from "../call/call.ts";
import { idsOf } from "../call/ids-of.ts";
import { decideAgain, LOST_RACE } from "../call/decide-again.ts";
import { asStored, conclude } from "../call/conclude.ts";
import { replay } from "../call/replay.ts";

export interface Dispatched {
  id: string;
  pipeline: Pipeline;
  state: "pending";
}

interface DispatchInput {
  stepId: string;
  pipeline: Pipeline;
  reason: string;
}

/**
 * Requests a pipeline by hand. It must be attached to the step's present state, or work on the stage of an idle step. No label depends on a dispatch, so this
 * writes no event of the task; the dispatch has its own log.
 */
export async function dispatchPipeline(
  call: ActionCall,
  input: DispatchInput,
): Promise<Outcome<Done<Dispatched>>> {
  if (!isPermitted(call.actor.role, "dispatch")) return refuse(forbidden(requiredRole("dispatch")));
  return decideAgain("task", () => tryDispatch(call, input));
}

/** Loses the race if the task has moved, or a concurrent request is in a transaction that is not visible yet. */
async function tryDispatch(
  call: ActionCall,
  { stepId, pipeline, reason }: DispatchInput,
): Promise<Outcome<Done<Dispatched>> | typeof LOST_RACE> {
  const { stored, step, tasks } = await loadTasks(call.database, { stepId }, call);
  const [snapshot] = tasks;
  if (stored) return replay(call.operation, stored, asStored<Dispatched>);
  if (step === null || snapshot === undefined) return refuse(notFound());
  if (snapshot.archivedAt !== null) return refuse(archived());
  const misaim = refusalOfTarget(snapshot, { stepId: step.id, versionId: step.versionId });
  if (misaim) return refuse(misaim);
  const attached = pipelinesWaitedFor(step);
  if (!attached.includes(pipeline)) {
    const subject = `a ${step.kind} step that is ${step.status}`;
    return refuse(
      invalidTransition({ subject, from: step.status, to: pipeline, allowed: attached }),
    );
  }

  const { worker } = PIPELINES[pipeline];
  const open = isIdle(step) ? snapshot.openRuns.find(({ type }) => type === worker) : undefined;
  if (open !== undefined) return openAlready(open.id);
  const { id: taskId, eventSeq } = snapshot;
  const dispatch = { id: idsOf(call)(), pipeline, taskId, eventSeq, reason };
  const created = await createDispatch(call.database, dispatch, call);
  return conclude(call.operation, created, {
    result: (row): Dispatched | null =>
      row.created ? { id: dispatch.id, pipeline, state: "pending" } : null,
    render: asStored,
    unwritten: (row) =>
      row === undefined || row.open === null ? LOST_RACE : openAlready(row.open),
  });
}

function openAlready(id: string) {
  return refuse({
    code: "conflict",
    detail: "This pipeline has already been requested and has not run yet.",
    existing: { id },
  });
}

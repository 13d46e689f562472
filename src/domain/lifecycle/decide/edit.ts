import type { Outcome } from "../../refusals.ts";
import { succeed } from "../../refusals.ts";
import type { EditCommand } from "../commands.ts";
import type { Decision } from "../decision.ts";
import type { PayloadOf } from "../events.ts";
import type { TaskFields, TaskSnapshot } from "../snapshot.ts";
import { NO_CHANGES } from "./changes.ts";
import { eventOn } from "./events.ts";

/** Changes the fields that differ. If none differs, the decision has no event. */
export function decideEdit(snapshot: TaskSnapshot, command: EditCommand): Outcome<Decision> {
  const changes = differences(snapshot, command.changes);
  if (Object.keys(changes).length === 0) return succeed(NO_CHANGES);
  return succeed({
    ...NO_CHANGES,
    events: [eventOn("task_updated", snapshot.step, { changes }, command)],
    fields: newValues(changes),
  });
}

type Changes = PayloadOf<"task_updated">["changes"];

function differences(current: TaskFields, requested: EditCommand["changes"]): Changes {
  const { title, externalId, taxonomyCode, priority, assignee } = requested;
  return {
    ...(title !== undefined &&
      title !== current.title && { title: { from: current.title, to: title } }),
    ...(externalId !== undefined &&
      externalId !== current.externalId && {
        externalId: { from: current.externalId, to: externalId },
      }),
    ...(taxonomyCode !== undefined &&
      taxonomyCode !== current.taxonomyCode && {
        taxonomyCode: { from: current.taxonomyCode, to: taxonomyCode },
      }),
    ...(priority !== undefined &&
      priority !== current.priority && { priority: { from: current.priority, to: priority } }),
    ...(assignee !== undefined &&
      assignee !== current.assignee && { assignee: { from: current.assignee, to: assignee } }),
  };
}

/** Returns the new values of the changed fields. */
export function newValues(changes: Changes): Partial<TaskFields> {
  const { title, externalId, taxonomyCode, priority, assignee } = changes;
  return {
    ...(title && { title: title.to }),
    ...(externalId && { externalId: externalId.to }),
    ...(taxonomyCode && { taxonomyCode: taxonomyCode.to }),
    ...(priority && { priority: priority.to }),
    ...(assignee && { assignee: assignee.to }),
  };
}

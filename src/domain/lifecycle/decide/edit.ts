import type { Outcome } from "../../refusals.ts";
import { succeed } from "../../refusals.ts";
import type { EditCommand } from "../commands.ts";
import type { Decision } from "../decision.ts";
import type { PayloadOf } from "../events.ts";
import type { TaskFields, TaskSnapshot } from "../snapshot.ts";
import { NO_CHANGES } from "./changes.ts";
import { eventOn } from "./events.ts";

/** Changes the fields that differ; where none does, there is nothing to tell and no event. */
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

function differences(now: TaskFields, wanted: EditCommand["changes"]): Changes {
  const { title, externalId, taxonomyCode, priority, assignee } = wanted;
  return {
    ...(title !== undefined && title !== now.title && { title: { from: now.title, to: title } }),
    ...(externalId !== undefined &&
      externalId !== now.externalId && { externalId: { from: now.externalId, to: externalId } }),
    ...(taxonomyCode !== undefined &&
      taxonomyCode !== now.taxonomyCode && {
        taxonomyCode: { from: now.taxonomyCode, to: taxonomyCode },
      }),
    ...(priority !== undefined &&
      priority !== now.priority && { priority: { from: now.priority, to: priority } }),
    ...(assignee !== undefined &&
      assignee !== now.assignee && { assignee: { from: now.assignee, to: assignee } }),
  };
}

/** The fields as an edit leaves them, without those that it does not touch. */
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

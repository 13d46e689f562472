import type { Outcome } from "../../refusals.ts";
import { succeed, alreadyInStatus, refuse } from "../../refusals.ts";
import type { ArchiveCommand, RestoreCommand } from "../commands.ts";
import type { Decision } from "../decision.ts";
import type { TaskSnapshot } from "../snapshot.ts";
import { NO_CHANGES } from "./changes.ts";
import { eventOn } from "./events.ts";

/** Archives the task, which hides it from lists, counts and bulk changes. Nothing is deleted. */
export function decideArchive(snapshot: TaskSnapshot, command: ArchiveCommand): Outcome<Decision> {
  if (snapshot.archivedAt !== null) return refuse(alreadyInStatus("The task is already archived."));
  const events = [eventOn("task_archived", snapshot.step, {}, command)];
  return succeed({ ...NO_CHANGES, events, archive: true });
}

/** Restores an archived task unchanged. */
export function decideRestore(snapshot: TaskSnapshot, command: RestoreCommand): Outcome<Decision> {
  if (snapshot.archivedAt === null) return refuse(alreadyInStatus("The task is not archived."));
  const events = [eventOn("task_restored", snapshot.step, {}, command)];
  return succeed({ ...NO_CHANGES, events, archive: false });
}

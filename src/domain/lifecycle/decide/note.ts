import type { Outcome } from "../../refusals.ts";
import { accept } from "../../refusals.ts";
import type { NoteCommand } from "../commands.ts";
import type { Decision } from "../decision.ts";
import type { TaskSnapshot } from "../snapshot.ts";
import { NO_CHANGES } from "./changes.ts";
import { eventOn } from "./events.ts";

/** Adds a remark to the history, which moves nothing. */
export function decideNote(snapshot: TaskSnapshot, { text }: NoteCommand): Outcome<Decision> {
  return accept({ ...NO_CHANGES, events: [eventOn("note_added", snapshot.step, { text })] });
}

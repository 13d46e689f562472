import type { Outcome } from "../../refusals.ts";
import { succeed } from "../../refusals.ts";
import type { NoteCommand } from "../commands.ts";
import type { Decision } from "../decision.ts";
import type { TaskSnapshot } from "../snapshot.ts";
import { NO_CHANGES } from "./changes.ts";
import { eventOn } from "./events.ts";

/** Adds a note to the history. The step does not change. */
export function decideNote(snapshot: TaskSnapshot, { text }: NoteCommand): Outcome<Decision> {
  return succeed({ ...NO_CHANGES, events: [eventOn("note_added", snapshot.step, { text })] });
}

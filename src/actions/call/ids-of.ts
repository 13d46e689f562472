import { uuidv7 } from "uuidv7";
import type { ActionCall } from "./call.ts";

/**
 * Returns what makes the ids of one attempt at a call, or of one of its items. Each attempt counts its ids from 0, so a
 * call that derives its ids gives the same ones whichever attempt is recorded.
 */
export function idsOf(call: Pick<ActionCall, "newId">, item = 0): () => string {
  const newId: NonNullable<ActionCall["newId"]> = call.newId ?? uuidv7;
  let made = 0;
  return () => {
    const id = newId(item, made);
    made += 1;
    return id;
  };
}

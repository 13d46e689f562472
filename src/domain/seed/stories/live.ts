import type { Process } from "../team/engine.ts";
import type { Life } from "../team/life.ts";
import { passCheck } from "./checking.ts";
import { finish } from "./finishing.ts";
import { generateOutput } from "./output.ts";
import { passReview } from "./reviewing.ts";
import { takeIn, write } from "./writing.ts";

/** The whole course of a task, from its creation to its outcome, or to where it waits at the anchor. */
export function* live(life: Life, onEnd: () => void): Process {
  const isApproved =
    (yield* takeIn(life)) &&
    (yield* write(life, 1)) &&
    (yield* passCheck(life, 1)) &&
    (yield* generateOutput(life, 1)) &&
    (yield* passReview(life));
  if (isApproved) yield* finish(life);
  onEnd();
}

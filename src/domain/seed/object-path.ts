import type { Issue } from "../refusals.ts";
import { SEED_STAGES, type SeedStage } from "./stages.ts";

export const OBJECT_PATH_LENGTH_MAX = 300;

/** A name of a folder or a file: no separator, no escape, and no dot at its start, so that it leads nowhere else. */
const SEGMENT = /^[\w-][\w.-]*$/;

/** Returns the stage to whose stubs a path belongs, or why no stub can have it. The path is decoded once, and is not normalized. */
export function stageOfObject(path: string): SeedStage | Issue {
  if (path.length > OBJECT_PATH_LENGTH_MAX) {
    return invalid("too_big", `A path has at most ${OBJECT_PATH_LENGTH_MAX} characters.`);
  }
  if (!path.split("/").every((segment) => SEGMENT.test(segment))) {
    return invalid(
      "invalid_path",
      "A path consists of names of letters, digits, `_`, `-` and `.`, separated by single slashes. A name does not begin with a dot.",
    );
  }
  const stage = SEED_STAGES.find(({ prefix }) => path.startsWith(prefix));
  if (stage !== undefined) return stage;
  const prefixes = SEED_STAGES.map(({ prefix }) => prefix).join(", ");
  return invalid("foreign_prefix", `A path begins with one of ${prefixes}.`);
}

function invalid(code: string, message: string): Issue {
  return { path: ["path"], code, message };
}

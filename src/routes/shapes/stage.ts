import * as z from "zod";
import "../http/zod-openapi.ts";
import { FIRST_KINDS, STEP_KINDS, type StepKind } from "../../domain/lifecycle/statuses.ts";
import { STAGE_ALIASES } from "../../domain/seed/stages.ts";

/**
 * Returns a schema of a stage in requests, by its name or an alias. It parses both to the name, so that nothing after it
 * knows of aliases: filters, cursors, idempotency keys, the ledger and answers. The document's enum has the names only.
 */
function stageOf<const Kinds extends readonly [StepKind, ...StepKind[]]>(
  component: string,
  kinds: Kinds,
  description: string,
) {
  const aliases = [...STAGE_ALIASES]
    .filter(([, kind]) => kinds.includes(kind))
    .map(([alias, kind]) => `\`${alias}\` (\`${kind}\`)`);
  return z
    .preprocess(
      (name) => (typeof name === "string" ? (STAGE_ALIASES.get(name) ?? name) : name),
      z.enum(kinds),
    )
    .openapi(component, {
      type: "string",
      enum: [...kinds],
      description: `${description} An alias from an early pilot is accepted too: ${aliases.join(", ")}. Answers have the name.`,
    });
}

/** Any stage in requests. Answers have `stepKind`. */
export const stageName = stageOf("StageName", STEP_KINDS, "The name of a stage.");

/** A stage at which a new version can begin, in requests. */
export const firstKind = stageOf(
  "FirstKind",
  FIRST_KINDS,
  "The name of a stage at which a new version can begin.",
);

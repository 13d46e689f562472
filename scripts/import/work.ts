import { createHash } from "node:crypto";
import { z } from "zod";
import { DATA_KINDS } from "../../src/domain/data/kinds.ts";
import { SLOT_MEMBERS } from "../../src/domain/evals/slot.ts";

/** The maker of a text or an output. */
const maker = {
  model: z.string().optional(),
  modelRevision: z.string().optional(),
  agent: z.string().optional(),
  agentRevision: z.string().optional(),
  provider: z.string().optional(),
};

const TEXT = "text/plain; charset=utf-8";

const datum = z.strictObject({
  kind: z.enum(DATA_KINDS),
  text: z.string(),
  contentType: z.string().default(TEXT),
  ...maker,
});

const trial = z.strictObject({
  ...maker,
  k: z.int().min(1),
  model: z.string(),
  passed: z.boolean().optional(),
  error: z.string().optional(),
  score: z.number().optional(),
  /** The model's answer, which becomes generated data of that model. */
  output: z.string().optional(),
});

const evaluation = z.strictObject({
  name: z.string(),
  k: z.int().min(1),
  slotBy: z.array(z.enum(SLOT_MEMBERS)).min(1).optional(),
  trials: z.array(trial),
});

/** What a record can have in addition to its task: texts that belong to it, and trials of models. */
export const workShape = z.object({
  data: z.array(datum).default([]),
  evals: z.array(evaluation).default([]),
});
export type Work = z.output<typeof workShape>;
type Datum = Work["data"][number];
export type Trial = Work["evals"][number]["trials"][number];

export const NO_WORK: Work = { data: [], evals: [] };

/** Returns the total length of all texts, in characters. */
export function lengthOf({ data, evals }: Work): number {
  const texts = data.map(({ text }) => text);
  const outputs = evals.flatMap(({ trials }) => trials.map(({ output = "" }) => output));
  return [...texts, ...outputs].reduce((length, text) => length + text.length, 0);
}

/** A text to upload. */
export interface Artifact extends Datum {
  bytes: Uint8Array;
  sha256: string;
}

/** Returns the text of a datum with its bytes and its digest. */
export function artifactOf(given: Datum): Artifact {
  const bytes = Buffer.from(given.text);
  return { ...given, bytes, sha256: createHash("sha256").update(bytes).digest("hex") };
}

/** Returns the output of a trial as generated data, or null if it has none. */
export function outputOf(trial: Trial): Artifact | null {
  const { output: text, model, modelRevision, agent, agentRevision, provider } = trial;
  if (text === undefined) return null;
  return artifactOf({
    kind: "generated",
    contentType: TEXT,
    text,
    model,
    modelRevision,
    agent,
    agentRevision,
    provider,
  });
}

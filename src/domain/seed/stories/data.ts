import type { DataKind } from "../../data/kinds.ts";
import type { StepKind } from "../../lifecycle/statuses.ts";
import type { Maker } from "../../maker.ts";
import type { PlannedAct } from "../plan.ts";
import type { Chance } from "../random.ts";
import { SEED_STAGES } from "../stages.ts";
import type { Life } from "../team/life.ts";

/** The stage at which data of a kind come into being, and what they are made from. */
const KINDS: Record<DataKind, { stage: StepKind; from: readonly DataKind[] }> = {
  source: { stage: "ingestion", from: [] },
  golden: { stage: "authoring", from: ["source"] },
  generated: { stage: "output_generation", from: ["source", "golden"] },
  calibrated: { stage: "calibration", from: ["generated"] },
  delivery: { stage: "delivery", from: ["generated", "calibrated"] },
};

const ENDINGS: Readonly<Record<string, string>> = {
  "application/json": "json",
  "application/x-ndjson": "jsonl",
  "application/zip": "zip",
  "text/csv": "csv",
  "text/markdown": "md",
  "text/plain": "txt",
};

/** Stubs are small: the pace of their size is in bytes. */
const BYTES = { medianMinutes: 9000, sigma: 1 };

/** Returns the declaration of a stub, made from the newest data of the task. */
export function stubOf(
  life: Life,
  kind: DataKind,
  chance: Chance,
  by: { maker?: Maker; prompt?: string } = {},
): PlannedAct {
  const { stage, from } = KINDS[kind];
  const registered = SEED_STAGES.find((one) => one.kind === stage);
  if (registered === undefined) throw new Error("Every stage is registered");
  const { prefix, bytesMax, contentTypes } = registered;
  const contentType = chance.pick(contentTypes);
  const data = life.key(kind);
  const inputs = from.flatMap((input) => life.newest.get(input) ?? []);
  life.newest.set(kind, data);
  return {
    type: "data",
    data,
    kind,
    path: `${prefix}${data}.${ENDINGS[contentType] ?? "bin"}`,
    contentType,
    sizeBytes: Math.min(bytesMax, Math.max(64, Math.round(chance.minutes(BYTES)))),
    maker: by.maker ?? null,
    prompt: by.prompt ?? null,
    inputs,
  };
}

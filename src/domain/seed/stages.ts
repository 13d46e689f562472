import { STEP_KINDS, type StepKind } from "../lifecycle/statuses.ts";

/** How long work at a stage takes: log-normally distributed. */
export interface Pace {
  medianMinutes: number;
  /** The standard deviation of the logarithm. */
  sigma: number;
}

/** What is registered about a stage, for demo tenants and for names that early pilots used. */
export interface SeedStage {
  kind: StepKind;
  /** Names of the stage in early pilots. They are accepted wherever a request names a stage. */
  aliases: readonly string[];
  /** Where stubs of the stage's objects belong. Ends in a slash. */
  prefix: string;
  /** The maximum size of one stub. */
  bytesMax: number;
  /** The media types of stubs, without parameters. */
  contentTypes: readonly string[];
  pace: Pace;
}

const KIBIBYTE = 1024;
const MEBIBYTE = 1024 * KIBIBYTE;

const JSON_TYPE = "application/json";
const JSON_LINES = "application/x-ndjson";
const CSV = "text/csv";
const MARKDOWN = "text/markdown";
const TEXT = "text/plain";

/** The registry of stages, in the order of the stages. */
export const SEED_STAGES: readonly SeedStage[] = [
  {
    kind: "ingestion",
    aliases: ["intake"],
    prefix: "demo/ingestion/",
    bytesMax: 4 * MEBIBYTE,
    contentTypes: [JSON_TYPE, JSON_LINES, CSV, TEXT],
    pace: { medianMinutes: 4, sigma: 0.5 },
  },
  {
    kind: "authoring",
    aliases: ["drafting"],
    prefix: "demo/authoring/",
    bytesMax: MEBIBYTE,
    contentTypes: [JSON_TYPE, MARKDOWN, TEXT],
    pace: { medianMinutes: 150, sigma: 0.7 },
  },
  {
    kind: "pre_qa",
    aliases: ["preqa"],
    prefix: "demo/pre_qa/",
    bytesMax: 256 * KIBIBYTE,
    contentTypes: [JSON_TYPE, TEXT],
    pace: { medianMinutes: 6, sigma: 0.4 },
  },
  {
    kind: "output_generation",
    aliases: ["generation"],
    prefix: "demo/output_generation/",
    bytesMax: 8 * MEBIBYTE,
    contentTypes: [JSON_TYPE, JSON_LINES, MARKDOWN, TEXT],
    pace: { medianMinutes: 25, sigma: 0.6 },
  },
  {
    kind: "expert_review",
    aliases: ["sme_review"],
    prefix: "demo/expert_review/",
    bytesMax: 512 * KIBIBYTE,
    contentTypes: [JSON_TYPE, MARKDOWN, TEXT],
    pace: { medianMinutes: 35, sigma: 0.6 },
  },
  {
    kind: "calibration",
    aliases: ["scoring", "grading"],
    prefix: "demo/calibration/",
    bytesMax: 256 * KIBIBYTE,
    contentTypes: [JSON_TYPE, JSON_LINES, CSV],
    pace: { medianMinutes: 12, sigma: 0.5 },
  },
  {
    kind: "delivery",
    aliases: ["handoff"],
    prefix: "demo/delivery/",
    bytesMax: 16 * MEBIBYTE,
    contentTypes: [JSON_TYPE, JSON_LINES, CSV, "application/zip"],
    pace: { medianMinutes: 8, sigma: 0.4 },
  },
];

/** The stage that each alias means. */
export const STAGE_ALIASES: ReadonlyMap<string, StepKind> = new Map(
  SEED_STAGES.flatMap(({ kind, aliases }) => aliases.map((alias) => [alias, kind] as const)),
);

/** Returns the stage with this name or alias; null if there is none. */
export function canonicalStage(name: string): StepKind | null {
  return STEP_KINDS.find((kind) => kind === name) ?? STAGE_ALIASES.get(name) ?? null;
}

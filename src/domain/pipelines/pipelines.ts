interface PipelineFacts {
  /** The type of the runs that do its work. */
  worker: string;
  /** Whose dispatch it is: each step has its own, or all steps of a version share one that lasts. */
  scope: "step" | "version";
  /** A step that enters this status attaches the pipeline. */
  attachedTo: { kind: string; status: string };
}

/**
 * The facts of each pipeline. SQL and lists are derived from this table. `lifecycle/attached.ts` checks the names of
 * workers, stages and statuses, because this folder is below it.
 */
export const PIPELINES = {
  quality_automation: {
    worker: "QUALITY_AUTOMATION",
    scope: "step",
    attachedTo: { kind: "pre_qa", status: "queued" },
  },
  output_generation: {
    worker: "OUTPUT_GENERATION",
    scope: "step",
    attachedTo: { kind: "output_generation", status: "queued" },
  },
  post_qa_scoring: {
    worker: "POST_QA_SCORING",
    scope: "step",
    attachedTo: { kind: "calibration", status: "queued" },
  },
  payment: {
    worker: "PAYMENT",
    scope: "version",
    attachedTo: { kind: "expert_review", status: "approved" },
  },
} as const satisfies Record<string, PipelineFacts>;
export type Pipeline = keyof typeof PIPELINES;

export const PIPELINE_NAMES = Object.keys(PIPELINES) as [Pipeline, ...Pipeline[]]; // keys of a literal

/** The pipelines that all steps of a version share one dispatch of. */
export const PIPELINES_OF_VERSION: readonly Pipeline[] = PIPELINE_NAMES.filter(isOfVersion);

/** Returns true if all steps of a version share one dispatch of this pipeline. */
export function isOfVersion(pipeline: Pipeline): boolean {
  return PIPELINES[pipeline].scope === "version";
}

interface PipelineFacts {
  /** The type of the runs that do its work. */
  worker: string;
  /** `step`: each step has its own dispatch. `version`: the steps of a version share one dispatch. */
  scope: "step" | "version";
  /** The pipeline is dispatched when a step enters this state. */
  attachedTo: { kind: string; status: string };
}

/**
 * The facts of each pipeline. Lists, checks and SQL are derived from this table. `lifecycle/attached.ts` checks the names
 * of workers, stages and statuses at compile time, because this folder cannot import the lifecycle.
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

/** The type of the message that requests a pipeline's work. */
export const PIPELINE_EVENT = "pipeline.requested";

/** The pipelines whose dispatch the steps of a version share. */
export const PIPELINES_OF_VERSION: readonly Pipeline[] = PIPELINE_NAMES.filter(isOfVersion);

/** Returns true if the steps of a version share one dispatch of this pipeline. */
export function isOfVersion(pipeline: Pipeline): boolean {
  return PIPELINES[pipeline].scope === "version";
}

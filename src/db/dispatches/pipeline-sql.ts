import {
  PIPELINE_NAMES,
  PIPELINES,
  PIPELINES_OF_VERSION,
} from "../../domain/pipelines/pipelines.ts";

/** Compiles the facts of PIPELINES to SQL text. `column` holds the name of a pipeline. */

/** True if all steps of a version share one dispatch of the pipeline. */
export function isOfVersionSql(column: string): string {
  const [first, ...others] = PIPELINES_OF_VERSION.map((pipeline) => `'${pipeline}'`);
  return others.length === 0
    ? `${column} = ${first}`
    : `${column} in (${[first, ...others].join(", ")})`;
}

/** The type of the runs that do the pipeline's work. */
export function workerTypeSql(column: string): string {
  const cases = PIPELINE_NAMES.map((name) => `when '${name}' then '${PIPELINES[name].worker}'`);
  return `case ${column} ${cases.join(" ")} end`;
}

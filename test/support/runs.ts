import type { TaskView } from "../../src/actions/views/task-view.ts";
import type { Pipeline } from "../../src/domain/pipelines/pipelines.ts";
import { expectDone, type Place, type Tenant, type TestApi } from "./api.ts";
import { offerDispatched } from "./offer-runs.ts";

/** Places where a pipeline waits to be asked for, and the pipeline. */
const PIPELINE_AT: Record<Pipeline, Place> = {
  quality_automation: { kind: "pre_qa", status: "queued" },
  output_generation: { kind: "output_generation", status: "queued" },
  post_qa_scoring: { kind: "calibration", status: "queued" },
  payment: { kind: "expert_review", status: "approved" },
};

/** A task, and the run that its pipeline offers to workers that poll. */
export async function givenOfferedRun(
  api: TestApi,
  {
    pipeline = "quality_automation",
    tenant = api.tenant,
    ...task
  }: { pipeline?: Pipeline; tenant?: Tenant; [field: string]: unknown } = {},
): Promise<{ task: TaskView; runId: string }> {
  const made = await api.givenTask({ ...task, tenant, at: PIPELINE_AT[pipeline] });
  const path = `/steps/${made.currentStep.id}/dispatch`;
  const body = { pipeline, reason: "For workers that poll" };
  expectDone(await api.call("POST", path, { tenant, body }), 201);
  const [runId = ""] = await offerDispatched(api.database, [made.id]);
  return { task: made, runId };
}

/** The key of another machine of the tenant. */
export async function givenMachine(api: TestApi, name: string): Promise<string> {
  const made = await api.call<{ key: string }>("POST", "/api-keys", {
    body: { name, role: "service" },
  });
  return expectDone(made, 201).key;
}

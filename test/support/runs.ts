import type { TaskView } from "../../src/actions/views/task-view.ts";
import { type Pipeline, PIPELINES } from "../../src/domain/pipelines/pipelines.ts";
import { expectDone, type Tenant, type TestApi } from "./api.ts";
import { offerDispatched } from "./offer-runs.ts";

/** Creates a task and the run that its pipeline offers to polling workers. */
export async function givenOfferedRun(
  api: TestApi,
  {
    pipeline = "quality_automation",
    tenant = api.tenant,
    ...task
  }: { pipeline?: Pipeline; tenant?: Tenant; [field: string]: unknown } = {},
): Promise<{ task: TaskView; runId: string }> {
  const made = await api.givenTask({ ...task, tenant, at: PIPELINES[pipeline].attachedTo });
  const path = `/steps/${made.currentStep.id}/dispatch`;
  const body = { pipeline, reason: "For workers that poll" };
  expectDone(await api.call("POST", path, { tenant, body }), 201);
  const [runId = ""] = await offerDispatched(api.database, [made.id]);
  return { task: made, runId };
}

/** Creates a service key for another machine of the tenant. */
export async function givenMachine(api: TestApi, name: string): Promise<string> {
  const made = await api.call<{ key: string }>("POST", "/api-keys", {
    body: { name, role: "service" },
  });
  return expectDone(made, 201).key;
}

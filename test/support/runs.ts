import type { TaskView } from "../../src/actions/views/task-view.ts";
import { type Pipeline, PIPELINES } from "../../src/domain/pipelines/pipelines.ts";
import { expectDone, type Tenant, type CallableApi } from "./api-calls.ts";
import { offerDispatched } from "./offer-runs.ts";

/** Creates a task and the run that its pipeline offers to polling workers. */
export async function givenOfferedRun(
  api: CallableApi,
  {
    pipeline = "quality_automation",
    tenant = api.tenant,
    ...task
  }: { pipeline?: Pipeline; tenant?: Tenant; [field: string]: unknown } = {},
): Promise<{ task: TaskView; runId: string }> {
  const created = await api.givenTask({ ...task, tenant, at: PIPELINES[pipeline].attachedTo });
  const path = `/steps/${created.currentStep.id}/dispatch`;
  const body = { pipeline, reason: "For workers that poll" };
  expectDone(await api.call("POST", path, { tenant, body }), 201);
  const [runId = ""] = await offerDispatched(api.database, [created.id]);
  return { task: created, runId };
}

/** Creates a service key for another machine of the tenant. */
export async function givenMachine(api: CallableApi, name: string): Promise<string> {
  const created = await api.call<{ key: string }>("POST", "/api-keys", {
    body: { name, role: "service" },
  });
  return expectDone(created, 201).key;
}

import type { TaskView } from "../../src/actions/views/task-view.ts";
import type { TrialStatus } from "../../src/domain/evals/statuses.ts";
import type { Tenant, TestApi } from "./api.ts";

/** A trial to store. It gets the next free slot of its model. */
export interface GivenTrial {
  model: string;
  status: TrialStatus;
  modelRevision?: string;
  outputDataId?: string;
  retracted?: true;
}

export interface GivenEval {
  name?: string;
  k?: number;
  status?: "running" | "cancelled";
  /** The evaluated version. By default the active one. */
  versionId?: string;
  /** The newer eval that this one is marked as a twin of. */
  twinOf?: string;
  trials?: readonly GivenTrial[];
  tenant?: Tenant;
}

/** Stores an eval with its trials directly, as the owner, so that it can have any status. */
export async function givenEval(
  { database, tenant: first }: Pick<TestApi, "database" | "tenant">,
  task: Pick<TaskView, "id" | "activeVersion">,
  { name = "an eval", k = 4, status = "running", trials = [], ...given }: GivenEval = {},
): Promise<{ id: string; trialIds: string[] }> {
  const id = crypto.randomUUID();
  const { tenant = first, versionId = task.activeVersion.id, twinOf = null } = given;
  const taken = new Map<string, number>();
  const rows = trials.map((trial) => {
    const slot = (taken.get(trial.model) ?? 0) + 1;
    if (trial.retracted !== true) taken.set(trial.model, slot);
    return { ...trial, id: crypto.randomUUID(), k: slot };
  });
  await database.transaction("owner", [
    {
      text: `insert into evals
          (tenant_id, id, task_id, version_id, name, k, status, twin_of, event_seq, event_head, created_by, updated_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, 1, sha256('the first'), 'a test', now())`,
      values: [tenant.id, id, task.id, versionId, name, k, status, twinOf],
    },
    {
      text: `insert into eval_step_events (tenant_id, eval_id, seq, task_id, type, to_status, actor_id, actor_name,
          actor_kind, actor_role, payload, operation_id, request_id, registry_version, at, prev_hash, hash)
        values ($1, $2, 1, $3, 'eval_created', $4, 'a-test', 'A test', 'system', 'service', '{}', $2, 'a-test', 1,
          now(), decode(repeat('00', 32), 'hex'), sha256('the first'))`,
      values: [tenant.id, id, task.id, status],
    },
    {
      text: `insert into trials (tenant_id, id, eval_id, task_id, k, model, model_revision, status, output_data_id,
          event_seq, retracted_at, retracted_by, retract_reason, created_by)
        select $1, id, $2, $3, k, model, "modelRevision", status, "outputDataId", 1,
          case when retracted then now() end, case when retracted then 'a test' end,
          case when retracted then 'Wrong prompt' end, 'a test'
        from json_to_recordset($4) as r (id uuid, k smallint, model text, "modelRevision" text, status text,
          "outputDataId" uuid, retracted boolean)`,
      values: [tenant.id, id, task.id, JSON.stringify(rows)],
    },
  ]);
  return { id, trialIds: rows.map((row) => row.id) };
}

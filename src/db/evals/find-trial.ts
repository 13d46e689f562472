import { sql } from "drizzle-orm";
import type { TrialSlot } from "../../domain/evals/slot.ts";
import type { TenantDatabase } from "../connection/client.ts";
import { IS_LIVE } from "./live.ts";

/** Returns the id of the newest trial with a slot in a live eval of a task, by the eval's name; null if there is none. */
export async function findLiveTrial(
  database: TenantDatabase,
  { taskId, name, k, model, ...details }: { taskId: string; name: string } & TrialSlot,
): Promise<string | null> {
  const [row] = await database.read<{ id: string }>(sql`
    select x.id from evals e join trials x on x.tenant_id = e.tenant_id and x.eval_id = e.id
    where e.tenant_id = ${database.tenantId} and e.task_id = ${taskId} and e.name = ${name} and ${IS_LIVE}
      and x.k = ${k} and x.model = ${model} and x.retracted_at is null
      and (x.model_revision, x.agent, x.agent_revision, x.provider) is not distinct from
        (${details.modelRevision}::text, ${details.agent}::text, ${details.agentRevision}::text,
          ${details.provider}::text)
    order by x.id desc limit 1`);
  return row?.id ?? null;
}

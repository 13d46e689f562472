import type { TaskView } from "../../src/actions/views/task-view.ts";
import type { TestApi } from "./api.ts";

/** The task, version and step on which something was created. */
type Place = Pick<TaskView, "id" | "activeVersion" | "currentStep">;

interface GivenMaker {
  model?: string;
  modelRevision?: string;
  agent?: string;
  provider?: string;
}

const placeOf = ({ id, activeVersion, currentStep }: Place) => ({
  taskId: id,
  versionId: activeVersion.id,
  stepId: currentStep.id,
});

/** The columns that both kinds of row take from the JSON in the second parameter. */
const PLACE_AND_MAKER = `id uuid, "taskId" uuid, "versionId" uuid, "stepId" uuid, model text, "modelRevision" text,
  agent text, provider text`;

/** Stores a prompt on the task's current step. */
export async function givenPrompt(
  { database, tenant }: Pick<TestApi, "database" | "tenant">,
  at: Place,
  prompt: GivenMaker & { role: string; content: string },
): Promise<{ id: string }> {
  const id = crypto.randomUUID();
  const text = `insert into prompts (tenant_id, id, task_id, version_id, step_id, role, content, content_hash,
      model, model_revision, agent, provider, created_by)
    select $1, id, "taskId", "versionId", "stepId", role, content,
      encode(sha256(convert_to(content, 'UTF8')), 'hex'), model, "modelRevision", agent, provider, 'a test'
    from json_to_record($2) as p (${PLACE_AND_MAKER}, role text, content text)`;
  const row = JSON.stringify({ id, ...placeOf(at), ...prompt });
  await database.query("owner", text, [tenant.id, row]);
  return { id };
}

/** Stores a data row on the task's current step, with or without stored content. */
export async function givenDatum(
  { database, tenant }: Pick<TestApi, "database" | "tenant">,
  at: Place,
  datum: GivenMaker & {
    kind: "golden" | "source" | "generated";
    stored: boolean;
    promptId?: string;
    insightId?: string;
    inputs?: readonly string[];
  },
): Promise<{ id: string }> {
  const id = crypto.randomUUID();
  const row = JSON.stringify({ id, ...placeOf(at), ...datum });
  await database.transaction("owner", [
    {
      text: `insert into data (tenant_id, id, task_id, version_id, step_id, kind, object_key, content_type,
          size_bytes, sha256, stored_at, model, model_revision, agent, provider, prompt_id, insight_id, created_by)
        select $1::uuid, id, "taskId", "versionId", "stepId", kind,
          $1::uuid::text || '/' || encode(sha256(convert_to(id::text, 'UTF8')), 'hex'), 'text/plain', 36,
          sha256(convert_to(id::text, 'UTF8')), case when stored then now() end, model, "modelRevision", agent,
          provider, "promptId", "insightId", 'a test'
        from json_to_record($2) as d (${PLACE_AND_MAKER}, kind text, stored boolean, "promptId" uuid,
          "insightId" uuid)`,
      values: [tenant.id, row],
    },
    {
      text: `insert into data_inputs (tenant_id, child_id, parent_id)
        select $1, d.id, parent::uuid
        from json_to_record($2) as d (id uuid, inputs json), json_array_elements_text(d.inputs) parent`,
      values: [tenant.id, row],
    },
  ]);
  return { id };
}

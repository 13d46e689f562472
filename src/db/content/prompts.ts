import { type SQL, sql } from "drizzle-orm";
import type { Actor } from "../../domain/actor.ts";
import type { TaskRef } from "../../domain/task-ref.ts";
import { type Chunk, chunkFrom, chunkOf, readChunkById } from "../sql/chunks.ts";
import type { Operation, TenantDatabase, Written } from "../connection/client.ts";
import { keepOrDrop } from "../ledger/operations.ts";
import { allOf, type FilterOf, matches } from "../sql/conditions.ts";
import { isOfTask, isTask } from "../tasks/task-match.ts";

/** A prompt, as responses show it. */
export interface PromptRecord {
  id: string;
  taskId: string;
  versionId: string;
  stepId: string;
  role: string;
  content: string;
  /** SHA-256 of the content in UTF-8, in hex. */
  contentHash: string;
  model: string | null;
  modelRevision: string | null;
  agent: string | null;
  agentRevision: string | null;
  provider: string | null;
  evalId: string | null;
  trialId: string | null;
  createdAt: string;
}

/** A prompt as a caller records it. */
export interface NewPrompt {
  task: TaskRef;
  /** Default: the task's current step. */
  stepId?: string | undefined;
  role: string;
  content: string;
  model?: string | undefined;
  modelRevision?: string | undefined;
  agent?: string | undefined;
  agentRevision?: string | undefined;
  provider?: string | undefined;
  evalId?: string | undefined;
  trialId?: string | undefined;
}

/** A PromptRecord, from the alias p. */
const PROMPT_JSON = sql`json_build_object('id', p.id, 'taskId', p.task_id, 'versionId', p.version_id,
  'stepId', p.step_id, 'role', p.role, 'content', p.content, 'contentHash', p.content_hash, 'model', p.model,
  'modelRevision', p.model_revision, 'agent', p.agent, 'agentRevision', p.agent_revision,
  'provider', p.provider, 'evalId', p.eval_id,
  'trialId', p.trial_id, 'createdAt', iso(p.created_at))`;

/**
 * Records a prompt on a step of a task, in one round trip. Returns no row if the task does not exist, or has no such
 * step, eval or trial.
 */
export function storePrompt(
  database: TenantDatabase,
  prompt: NewPrompt & { id: string; contentHash: string },
  { actor, operation }: { actor: Actor; operation: Operation },
): Promise<Written<{ prompt: PromptRecord }>> {
  const { tenantId } = database;
  const { stepId = null, evalId = null, trialId = null } = prompt;
  return database.write<{ prompt: PromptRecord }>(operation, [
    sql`
with
place as materialized (
  select s.task_id, s.version_id, s.id as step_id
  from tasks t
  join steps s on s.tenant_id = t.tenant_id and s.task_id = t.id
    and s.id = coalesce(${stepId}::uuid, t.current_step_id)
  where t.tenant_id = ${tenantId}::uuid and ${isTask(prompt.task)}
    and (${evalId}::uuid is null or exists (select from evals e
      where e.tenant_id = t.tenant_id and e.id = ${evalId}::uuid and e.task_id = t.id))
    and (${trialId}::uuid is null or exists (select from trials r
      where r.tenant_id = t.tenant_id and r.id = ${trialId}::uuid and r.task_id = t.id
        and r.eval_id = coalesce(${evalId}::uuid, r.eval_id)))
),
created as (
  insert into prompts as p (tenant_id, id, task_id, version_id, step_id, role, content, content_hash, model,
    model_revision, agent, agent_revision, provider, eval_id, trial_id, created_by)
  select ${tenantId}::uuid, ${prompt.id}::uuid, task_id, version_id, step_id, ${prompt.role}::text,
    ${prompt.content}::text, ${prompt.contentHash}::text, ${prompt.model ?? null}::text,
    ${prompt.modelRevision ?? null}::text, ${prompt.agent ?? null}::text, ${prompt.agentRevision ?? null}::text,
    ${prompt.provider ?? null}::text,
    ${evalId}::uuid, ${trialId}::uuid, ${actor.id}::text
  from place
  returning ${PROMPT_JSON} as prompt
),
${keepOrDrop({ tenantId, operation }, { from: sql`created`, result: sql`created.prompt` })}
select prompt from created`,
  ]);
}

const PROMPT_FILTERS = {
  task: (task: TaskRef) => isOfTask(sql`p.task_id`, task),
  /** The id of a version, or its number in its task. */
  version: (version: string | number) =>
    typeof version === "string"
      ? sql`p.version_id = ${version}`
      : sql`exists (select from task_versions v where v.id = p.version_id and v.number = ${version})`,
  step: (id: string) => sql`p.step_id = ${id}`,
  model: (model: string) => sql`p.model = ${model}`,
  modelRevision: (revision: string) => sql`p.model_revision = ${revision}`,
  agent: (agent: string) => sql`p.agent = ${agent}`,
  agentRevision: (revision: string) => sql`p.agent_revision = ${revision}`,
  provider: (provider: string) => sql`p.provider = ${provider}`,
};

export type PromptFilter = FilterOf<typeof PROMPT_FILTERS>;

/** The fields by which prompts can be sorted, apart from their time. */
export const PROMPT_SORTS = ["model", "agent", "provider"] as const;
export type PromptSort = (typeof PROMPT_SORTS)[number];

/** The position after which a page begins: the value of the field, and the id that breaks ties. */
export interface PromptPosition {
  key: string | null;
  id: string;
}

interface PromptPage {
  limit: number;
  descending: boolean;
}

/** Returns a page of the matching prompts by time. It can be shorter than `limit` if prompts are large. */
export function listPrompts(
  database: TenantDatabase,
  filter: PromptFilter,
  { limit, descending, after }: PromptPage & { after: string | null },
): Promise<Chunk<PromptRecord, string>> {
  return readChunkById(database, promptsOf(filter), after, { limit, newestFirst: descending });
}

/**
 * Returns a page of the matching prompts by a field, then by id. Prompts without the field come last in either order. The
 * two parts are read apart, because one comparison of rows that finds its place in an index cannot match null. A page can
 * be shorter than `limit` if prompts are large.
 */
export async function listPromptsBy(
  database: TenantDatabase,
  filter: PromptFilter,
  {
    sort,
    limit,
    descending,
    after,
  }: PromptPage & { sort: PromptSort; after: PromptPosition | null },
): Promise<Chunk<PromptRecord, PromptPosition>> {
  const { bytes, condition } = promptsOf(filter);
  const field = PROMPT_SORT_COLUMNS[sort];
  const direction = descending ? sql`desc` : sql`asc`;
  const beyond = descending ? sql`<` : sql`>`;
  const part = (and: SQL) => sql`(
    select p.id, ${field} as key, ${bytes} as bytes from prompts p where ${allOf(condition, and)}
    order by ${field} ${direction}, p.id ${direction} limit ${limit + 1})`;
  const key = after?.key ?? null;
  const withField = allOf(
    sql`${field} is not null`,
    after !== null &&
      key !== null &&
      sql`(${field}, p.id) ${beyond} (${key}::text, ${after.id}::uuid)`,
  );
  const withoutField = allOf(
    sql`${field} is null`,
    after !== null && key === null && sql`p.id ${beyond} ${after.id}::uuid`,
  );
  const isPastField = after !== null && key === null;
  const order = sql`key is null, key ${direction}, id ${direction}`;
  return chunkFrom(
    await database.read<{ row: PromptRecord; place: PromptPosition; isLast: boolean }>(sql`
with found as materialized (
  select * from (${isPastField ? sql`` : sql`${part(withField)} union all`} ${part(withoutField)}) parts
  order by ${order} limit ${limit + 1}
),
page as materialized (${chunkOf(sql`found`, { order, limit })})
select ${PROMPT_JSON} as row, json_build_object('key', page.key, 'id', page.id) as place,
  (select count(*) from found) = (select count(*) from page) as "isLast"
-- One index lookup per row: Postgres would plan a join as a scan of the tenant's whole table.
from page cross join lateral (select * from prompts where id = page.id limit 1) p order by page.position`),
  );
}

const PROMPT_SORT_COLUMNS: Record<PromptSort, SQL> = {
  model: sql`p.model`,
  agent: sql`p.agent`,
  provider: sql`p.provider`,
};

/** Returns a chunk of all matching prompts, oldest first. */
export function readPromptChunk(
  database: TenantDatabase,
  filter: PromptFilter,
  afterId: string | null,
): Promise<Chunk<PromptRecord, string>> {
  return readChunkById(database, promptsOf(filter), afterId);
}

const promptsOf = (filter: PromptFilter) => ({
  table: sql`prompts`,
  alias: sql`p`,
  bytes: sql`octet_length(p.content)`,
  condition: matches(PROMPT_FILTERS, filter),
  row: PROMPT_JSON,
});

import { type SQL, sql } from "drizzle-orm";
import type { Actor } from "../../domain/actor.ts";
import type { DataKind } from "../../domain/data/kinds.ts";
import type { StepKind } from "../../domain/lifecycle/statuses.ts";
import type { TaskRef } from "../../domain/task-ref.ts";
import { hasPassedGate, IS_ARTIFACT } from "./artifacts.ts";
import type { Operation, TenantDatabase, Written } from "../connection/client.ts";
import { keepOrDrop } from "../ledger/operations.ts";
import { WRITER_CLOCK } from "../sql/writer-clock.ts";
import { bytesOf, type Chunk, readChunkById } from "../sql/chunks.ts";
import { lockAgainstSealing, type SealedBy, sealedBy } from "./sealed-data.ts";
import { allOf, type FilterOf, matches } from "../sql/conditions.ts";
import { isOfTask, isTask } from "../tasks/task-match.ts";

/** A pointer to a blob, as responses show it. */
export interface DataRecord {
  id: string;
  taskId: string;
  versionId: string;
  stepId: string;
  kind: DataKind;
  contentType: string;
  sizeBytes: number;
  sha256: string;
  /** Where the blob is, if it is not in the service's bucket. */
  uri: string | null;
  storedAt: string | null;
  /** Whether the length and the hash were checked against the content. */
  verified: boolean;
  model: string | null;
  modelRevision: string | null;
  agent: string | null;
  agentRevision: string | null;
  provider: string | null;
  promptId: string | null;
  insightId: string | null;
  /** The ids of the data that it was made from. */
  inputs: string[];
  createdAt: string;
}

/** Data as a caller declares it. */
export interface DeclaredData {
  task: TaskRef;
  /** Default: the task's current step. */
  stepId?: string | undefined;
  kind: DataKind;
  contentType: string;
  sizeBytes: number;
  sha256: string;
  uri?: string | undefined;
  model?: string | undefined;
  modelRevision?: string | undefined;
  agent?: string | undefined;
  agentRevision?: string | undefined;
  provider?: string | undefined;
  promptId?: string | undefined;
  insightId?: string | undefined;
  inputs?: readonly string[] | undefined;
}

/** Builds a DataRecord from the alias d. `inputs` is a JSON array of ids. */
const dataJson = (inputs: SQL) => sql`json_build_object('id', d.id, 'taskId', d.task_id,
  'versionId', d.version_id, 'stepId', d.step_id, 'kind', d.kind, 'contentType', d.content_type,
  'sizeBytes', d.size_bytes, 'sha256', encode(d.sha256, 'hex'), 'uri', d.uri, 'storedAt', iso(d.stored_at),
  'verified', d.stored_at is not null, 'model', d.model, 'modelRevision', d.model_revision, 'agent', d.agent,
  'agentRevision', d.agent_revision, 'provider', d.provider, 'promptId', d.prompt_id, 'insightId', d.insight_id, 'inputs', ${inputs},
  'createdAt', iso(d.created_at))`;

const STORED_INPUTS = sql`coalesce((select json_agg(i.parent_id order by i.parent_id) from data_inputs i
  where i.tenant_id = d.tenant_id and i.child_id = d.id), '[]')`;

/** The result of a declaration: the new row, the id of an equal row that was declared before, or why there is none. */
export interface Declaration {
  data: DataRecord | null;
  existing: string | null;
  /** The active version, if the version is sealed or delivered and takes no data of this kind. */
  sealedBy: SealedBy | null;
  /** The task and the step that the declaration is for. */
  place: Place;
}

interface Place {
  taskId: string;
  stepId: string;
}

/**
 * Declares data on a step of a task, with its inputs, in one round trip. Returns no row if the task or an input does
 * not exist, or if the task has no such step, prompt or insight. Writes nothing if equal data was declared before, or
 * if the version takes no data of this kind any more.
 */
export function declareData(
  database: TenantDatabase,
  data: DeclaredData & { id: string; objectKey: string | null },
  { actor, operation }: { actor: Actor; operation: Operation },
): Promise<Written<Declaration>> {
  const { tenantId } = database;
  const { stepId = null, promptId = null, insightId = null } = data;
  const inputs = [...new Set(data.inputs)].toSorted();
  const inputsJson = sql`${JSON.stringify(inputs)}::json`;
  return database.write<Declaration>(operation, [
    ...lockAgainstSealing(data.kind, sql`t.tenant_id = ${tenantId}::uuid and ${isTask(data.task)}`),
    sql`
with
parents as materialized (
  select d.id from json_array_elements_text(${inputsJson}) as requested(id)
  join data d on d.tenant_id = ${tenantId}::uuid and d.id = requested.id::uuid
  -- The lock that the foreign key will need: an input that the sweep is deleting right now is not found.
  for key share of d
),
place as materialized (
  select s.task_id, s.version_id, s.id as step_id,
    ${sealedBy(data.kind, { tenantId: sql`s.tenant_id`, id: sql`s.version_id` })} as sealed_by
  from tasks t
  join steps s on s.tenant_id = t.tenant_id and s.task_id = t.id
    and s.id = coalesce(${stepId}::uuid, t.current_step_id)
  where t.tenant_id = ${tenantId}::uuid and ${isTask(data.task)}
    and (${promptId}::uuid is null or exists (select from prompts p
      where p.tenant_id = t.tenant_id and p.id = ${promptId}::uuid and p.task_id = t.id))
    and (${insightId}::uuid is null or exists (select from insights n
      where n.tenant_id = t.tenant_id and n.id = ${insightId}::uuid and n.task_id = t.id))
    and (select count(*) from parents) = ${inputs.length}::integer
),
created as (
  insert into data as d (tenant_id, id, task_id, version_id, step_id, kind, object_key, uri, content_type,
    size_bytes, sha256, model, model_revision, agent, agent_revision, provider, prompt_id, insight_id, created_by)
  select ${tenantId}::uuid, ${data.id}::uuid, task_id, version_id, step_id, ${data.kind}::text,
    ${data.objectKey}::text, ${data.uri ?? null}::text, ${data.contentType}::text, ${data.sizeBytes}::bigint,
    decode(${data.sha256}, 'hex'), ${data.model ?? null}::text, ${data.modelRevision ?? null}::text,
    ${data.agent ?? null}::text, ${data.agentRevision ?? null}::text, ${data.provider ?? null}::text, ${promptId}::uuid, ${insightId}::uuid,
    ${actor.id}::text
  from place where sealed_by is null
  on conflict on constraint data_content do nothing
  returning d.id, ${dataJson(inputsJson)} as data
),
made_from as (
  insert into data_inputs (tenant_id, child_id, parent_id)
  select ${tenantId}::uuid, created.id, parents.id from created, parents
),
${keepOrDrop({ tenantId, operation }, { from: sql`created`, result: sql`created.data` })}
select (select data from created) as data,
  (select d.id from data d where d.tenant_id = ${tenantId}::uuid
    and ${isDeclared(data, { taskId: sql`place.task_id`, stepId: sql`place.step_id` })}) as existing,
  place.sealed_by as "sealedBy", json_build_object('taskId', place.task_id, 'stepId', place.step_id) as place
from place`,
  ]);
}

/** Returns the id of equal data that was declared before on this step; null if there is none. */
export async function findDeclared(
  database: TenantDatabase,
  data: DeclaredData,
  { taskId, stepId }: Place,
): Promise<string | null> {
  const place = { taskId: sql`${taskId}`, stepId: sql`${stepId}` };
  const [row] = await database.read<{ id: string }>(
    sql`select d.id from data d where ${isDeclared(data, place)}`,
  );
  return row?.id ?? null;
}

/**
 * Returns the condition that the data row of alias d equals the declared data: same content, kind, maker and step. The
 * constraint data_content uses the same columns.
 */
function isDeclared(
  { kind, sha256, model, modelRevision, agent, agentRevision, provider }: DeclaredData,
  { taskId, stepId }: { taskId: SQL; stepId: SQL },
): SQL {
  return sql`d.task_id = ${taskId} and d.kind = ${kind}::text and d.sha256 = decode(${sha256}, 'hex')
    and d.step_id = ${stepId} and (d.model, d.model_revision, d.agent, d.agent_revision, d.provider)
      is not distinct from
      (${model ?? null}::text, ${modelRevision ?? null}::text, ${agent ?? null}::text,
        ${agentRevision ?? null}::text, ${provider ?? null}::text)`;
}

/** A data row, the key of its object, and when they were read. */
export interface DataObjectRecord {
  data: DataRecord;
  /** null if the blob is not in the service's bucket. */
  objectKey: string | null;
  /** The active version, if the row's version is sealed or delivered and takes no content of this kind. */
  sealedBy: SealedBy | null;
  readAt: string;
}

/** Returns a data row; null if there is none. */
export async function findData(
  database: TenantDatabase,
  id: string,
): Promise<DataObjectRecord | null> {
  const [row] = await database.read<DataObjectRecord>(sql`
    select ${dataJson(STORED_INPUTS)} as data, d.object_key as "objectKey", iso(now()) as "readAt",
      case when d.kind in ('golden', 'source')
        then ${sealedBy("golden", { tenantId: sql`d.tenant_id`, id: sql`d.version_id` })} end as "sealedBy"
    from data d where d.id = ${id}`);
  return row ?? null;
}

/**
 * Marks a row's content as stored, and keeps the first time. Returns no row if the row is gone, or if the sweep has or
 * may have deleted its object since `readAt`: the uploaded content may be gone too. A claim that was more than an hour
 * old at `readAt` is void, because its sweep died. Nor does it return one if the version was sealed meanwhile.
 */
export function markStored(
  database: TenantDatabase,
  { id, kind, taskId, readAt }: Pick<DataRecord, "id" | "kind" | "taskId"> & { readAt: string },
  operation: Operation,
): Promise<Written<{ data: DataRecord }>> {
  const { tenantId } = database;
  return database.write<{ data: DataRecord }>(operation, [
    // The sweep takes this lock in exclusive mode before it claims: it sees the row as stored, or we see its claim.
    sql`select pg_advisory_xact_lock_shared(hashtext('swept_objects'))`,
    ...lockAgainstSealing(kind, sql`t.tenant_id = ${tenantId}::uuid and t.id = ${taskId}::uuid`),
    sql`
with
marked as (
  update data d set stored_at = coalesce(d.stored_at, ${WRITER_CLOCK})
  where d.tenant_id = ${tenantId}::uuid and d.id = ${id}::uuid
    and (d.stored_at is not null
      or ${sealedBy(kind, { tenantId: sql`d.tenant_id`, id: sql`d.version_id` })} is null)
    and not exists (select from swept_objects s
      where s.tenant_id = d.tenant_id and s.object_key = d.object_key
        and case when s.deleted_at is null then s.claimed_at >= ${readAt}::timestamptz - interval '1 hour'
          else s.deleted_at >= ${readAt}::timestamptz end)
  returning d.tenant_id, d.object_key, ${dataJson(STORED_INPUTS)} as data
),
freed as (
  delete from swept_objects s using marked
  where s.tenant_id = marked.tenant_id and s.object_key = marked.object_key and s.deleted_at is null
),
${keepOrDrop({ tenantId, operation }, { from: sql`marked`, result: sql`marked.data` })}
select data from marked`,
  ]);
}

const DATA_FILTERS = {
  task: (task: TaskRef) => isOfTask(sql`d.task_id`, task),
  kind: (kind: DataKind) => sql`d.kind = ${kind}`,
  model: (model: string) => sql`d.model = ${model}`,
  modelRevision: (revision: string) => sql`d.model_revision = ${revision}`,
  agent: (agent: string) => sql`d.agent = ${agent}`,
  agentRevision: (revision: string) => sql`d.agent_revision = ${revision}`,
  provider: (provider: string) => sql`d.provider = ${provider}`,
  /** true: the content is in the service's bucket; false: it was only declared, or is elsewhere. */
  stored: (isStored: boolean) =>
    isStored ? sql`d.stored_at is not null` : sql`d.stored_at is null`,
  /** Only artifacts, and only those that passed the gate of this kind. */
  passedGate: (kind: StepKind) => allOf(IS_ARTIFACT, hasPassedGate(kind)),
};

export type DataFilter = FilterOf<typeof DATA_FILTERS>;

/** Returns a page of the matching data, newest first. */
export async function listData(
  database: TenantDatabase,
  filter: DataFilter,
  { limit, after }: { limit: number; after: string | null },
): Promise<DataRecord[]> {
  const rows = await database.read<{ data: DataRecord }>(sql`
    select ${dataJson(STORED_INPUTS)} as data from data d
    where ${allOf(matches(DATA_FILTERS, filter), after !== null && sql`d.id < ${after}`)}
    order by d.id desc limit ${limit}`);
  return rows.map(({ data }) => data);
}

/** Returns a chunk of all matching data, oldest first. */
export function readDataChunk(
  database: TenantDatabase,
  filter: DataFilter,
  afterId: string | null,
): Promise<Chunk<DataRecord, string>> {
  const source = {
    table: sql`data`,
    alias: sql`d`,
    bytes: bytesOf(sql`d.content_type`, sql`d.uri`, sql`${STORED_INPUTS}::text`),
    condition: matches(DATA_FILTERS, filter),
    row: dataJson(STORED_INPUTS),
  };
  return readChunkById(database, source, afterId);
}

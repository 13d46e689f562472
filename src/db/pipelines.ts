import { sql } from "drizzle-orm";
import type { Pipeline } from "../domain/lifecycle/statuses.ts";
import { bytes } from "./bytes.ts";
import type { Operation, TenantDatabase, Written } from "./client.ts";

/** What is told of a pipeline's settings: never a secret. */
export interface PipelineRecord {
  name: Pipeline;
  /** Null where its runs wait for workers that poll. */
  endpoint: string | null;
  /** Until then two secrets sign; null where there is one. */
  previousSecretUntil: string | null;
  timeoutSeconds: number;
  runDeadlineSeconds: number;
  updatedAt: string;
}

export interface PipelineSettings {
  name: Pipeline;
  endpoint: string | null;
  timeoutSeconds: number;
  runDeadlineSeconds: number;
}

/** What a write of a pipeline stores for a repeat. */
export interface StoredPipeline {
  record: PipelineRecord;
  operationId: string;
  /** Whether the secret that the service made became the pipeline's. */
  isSecretMade: boolean;
}

/** A PipelineRecord, spelled by the database from the alias p. */
const RECORD_JSON = sql`json_build_object('name', p.name, 'endpoint', p.endpoint,
  'previousSecretUntil', case when p.previous_secret_until > now() then iso(p.previous_secret_until) end,
  'timeoutSeconds', p.timeout_seconds, 'runDeadlineSeconds', p.run_deadline_seconds, 'updatedAt', iso(p.updated_at))`;

interface Secrets {
  /** Somebody brings it: it takes the place of the present one. */
  given: Uint8Array | null;
  /** Made by the service, for a pipeline that has none. */
  made: Uint8Array;
  /** For how long the one before signs along. */
  keptHours: number;
}

/** Gives a pipeline settings. What it has already is no change, and a secret that is given once more no new one. */
export function storePipeline(
  database: TenantDatabase,
  { name, endpoint, timeoutSeconds, runDeadlineSeconds }: PipelineSettings,
  { given, made, keptHours }: Secrets,
  operation: Operation,
): Promise<Written<StoredPipeline>> {
  const { tenantId } = database;
  const first = given ?? made;
  const isRotated = sql`(${given !== null} and p.secret <> ${bytes(first)})`;
  return write(
    database,
    operation,
    sql`
  insert into pipelines as p (tenant_id, name, endpoint, timeout_seconds, run_deadline_seconds, secret)
  values (${tenantId}, ${name}, ${endpoint}, ${timeoutSeconds}, ${runDeadlineSeconds},
    ${bytes(first)})
  on conflict (tenant_id, name) do update set endpoint = excluded.endpoint,
    timeout_seconds = excluded.timeout_seconds, run_deadline_seconds = excluded.run_deadline_seconds,
    secret = case when ${isRotated} or p.secret is null then excluded.secret else p.secret end,
    previous_secret = case when ${isRotated} then p.secret else p.previous_secret end,
    previous_secret_until = case when ${isRotated} then now() + make_interval(hours => ${keptHours}::integer)
      else p.previous_secret_until end,
    updated_at = case when ${isRotated} or p.secret is null
        or (p.endpoint, p.timeout_seconds, p.run_deadline_seconds)
          is distinct from (excluded.endpoint, excluded.timeout_seconds, excluded.run_deadline_seconds)
      then now() else p.updated_at end
  returning ${RECORD_JSON} as record, p.secret = ${bytes(made)} as "isSecretMade"`,
  );
}

/** Gives a pipeline another secret, beside which the one before signs for some hours, where it has one. */
export function rotatePipelineSecret(
  database: TenantDatabase,
  { name, made, keptHours }: { name: Pipeline; made: Uint8Array; keptHours: number },
  operation: Operation,
): Promise<Written<StoredPipeline>> {
  return write(
    database,
    operation,
    sql`
  insert into pipelines as p (tenant_id, name, secret)
  values (${database.tenantId}, ${name}, ${bytes(made)})
  on conflict (tenant_id, name) do update set secret = excluded.secret, previous_secret = p.secret,
    previous_secret_until = case when p.secret is not null
      then now() + make_interval(hours => ${keptHours}::integer) end,
    updated_at = now()
  returning ${RECORD_JSON} as record, true as "isSecretMade"`,
  );
}

/** A write of one pipeline, as its operation. */
function write(
  database: TenantDatabase,
  operation: Operation,
  change: ReturnType<typeof sql>,
): Promise<Written<StoredPipeline>> {
  const { tenantId } = database;
  return database.write(operation, [
    sql`
with changed as (${change}),
stored as (
  update operations o set result = json_build_object('record', changed.record, 'operationId', o.id,
    'isSecretMade', changed."isSecretMade")
  from changed where o.tenant_id = ${tenantId} and o.id = ${operation.id}
)
select record, ${operation.id} as "operationId", "isSecretMade" from changed`,
  ]);
}

/** The pipelines that somebody gave settings. */
export async function listPipelines(database: TenantDatabase): Promise<PipelineRecord[]> {
  const rows = await database.read<{ record: PipelineRecord }>(
    sql`select ${RECORD_JSON} as record from pipelines p`,
  );
  return rows.map(({ record }) => record);
}

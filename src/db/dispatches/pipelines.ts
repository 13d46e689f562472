import { sql } from "drizzle-orm";
import type { Pipeline } from "../../domain/pipelines/pipelines.ts";
import { bytes } from "../sql/bytes.ts";
import type { Operation, TenantDatabase, Written } from "../connection/client.ts";
import {
  keptUntil,
  previousSecretMember,
  type SecretRotation,
  type StoredWithSecret,
  writeWithSecret,
} from "../webhooks/signing-secrets.ts";

/** The settings of a pipeline as answers show them, without the secret. */
export interface PipelineRecord {
  name: Pipeline;
  /** Null if its runs wait for workers that poll. */
  endpoint: string | null;
  /** When the previous secret stops signing; null if there is none. */
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

/** A PipelineRecord as JSON, from the alias p. */
const PIPELINE_JSON = sql`json_build_object('name', p.name, 'endpoint', p.endpoint,
  ${previousSecretMember(sql`p`)},
  'timeoutSeconds', p.timeout_seconds, 'runDeadlineSeconds', p.run_deadline_seconds, 'updatedAt', iso(p.updated_at))`;

/** The generated secret is stored only if the pipeline has none and the caller provides none. */
interface Secrets extends SecretRotation {
  /** Replaces the present secret; null if the caller provides none. */
  provided: Uint8Array | null;
}

/** Stores a pipeline's settings. Equal settings are no change, and providing the present secret is no rotation. */
export function storePipeline(
  database: TenantDatabase,
  { name, endpoint, timeoutSeconds, runDeadlineSeconds }: PipelineSettings,
  { provided, generated, previousHours }: Secrets,
  operation: Operation,
): Promise<Written<StoredWithSecret<PipelineRecord>>> {
  const { tenantId } = database;
  const secret = provided ?? generated;
  const isRotated = sql`(${provided !== null} and p.secret <> ${bytes(secret)})`;
  return writeWithSecret(
    database,
    operation,
    sql`
  insert into pipelines as p (tenant_id, name, endpoint, timeout_seconds, run_deadline_seconds, secret)
  values (${tenantId}, ${name}, ${endpoint}, ${timeoutSeconds}, ${runDeadlineSeconds},
    ${bytes(secret)})
  on conflict (tenant_id, name) do update set endpoint = excluded.endpoint,
    timeout_seconds = excluded.timeout_seconds, run_deadline_seconds = excluded.run_deadline_seconds,
    secret = case when ${isRotated} or p.secret is null then excluded.secret else p.secret end,
    previous_secret = case when ${isRotated} then p.secret else p.previous_secret end,
    previous_secret_until = case when ${isRotated} then ${keptUntil(previousHours)} else p.previous_secret_until end,
    updated_at = case when ${isRotated} or p.secret is null
        or (p.endpoint, p.timeout_seconds, p.run_deadline_seconds)
          is distinct from (excluded.endpoint, excluded.timeout_seconds, excluded.run_deadline_seconds)
      then now() else p.updated_at end
  returning ${PIPELINE_JSON} as record, p.secret = ${bytes(generated)} as "isSecretMade"`,
  );
}

/** Replaces a pipeline's secret. The previous secret, if there is one, also signs for some hours. */
export function rotateSecretOfPipeline(
  database: TenantDatabase,
  name: Pipeline,
  { generated, previousHours }: SecretRotation,
  operation: Operation,
): Promise<Written<StoredWithSecret<PipelineRecord>>> {
  return writeWithSecret(
    database,
    operation,
    sql`
  insert into pipelines as p (tenant_id, name, secret)
  values (${database.tenantId}, ${name}, ${bytes(generated)})
  on conflict (tenant_id, name) do update set secret = excluded.secret, previous_secret = p.secret,
    previous_secret_until = case when p.secret is not null then ${keptUntil(previousHours)} end,
    updated_at = now()
  returning ${PIPELINE_JSON} as record, true as "isSecretMade"`,
  );
}

/** Returns the pipelines that have stored settings. */
export async function listPipelines(database: TenantDatabase): Promise<PipelineRecord[]> {
  const rows = await database.read<{ record: PipelineRecord }>(
    sql`select ${PIPELINE_JSON} as record from pipelines p`,
  );
  return rows.map(({ record }) => record);
}

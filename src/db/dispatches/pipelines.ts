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

/** A PipelineRecord, spelled by the database from the alias p. */
const PIPELINE_JSON = sql`json_build_object('name', p.name, 'endpoint', p.endpoint,
  ${previousSecretMember(sql`p`)},
  'timeoutSeconds', p.timeout_seconds, 'runDeadlineSeconds', p.run_deadline_seconds, 'updatedAt', iso(p.updated_at))`;

/** One that was made is for a pipeline that has none. */
interface Secrets extends SecretRotation {
  /** Somebody brings it: it takes the place of the present one. */
  given: Uint8Array | null;
}

/** Gives a pipeline settings. What it has already is no change, and a secret that is given once more no new one. */
export function storePipeline(
  database: TenantDatabase,
  { name, endpoint, timeoutSeconds, runDeadlineSeconds }: PipelineSettings,
  { given, made, keptHours }: Secrets,
  operation: Operation,
): Promise<Written<StoredWithSecret<PipelineRecord>>> {
  const { tenantId } = database;
  const first = given ?? made;
  const isRotated = sql`(${given !== null} and p.secret <> ${bytes(first)})`;
  return writeWithSecret(
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
    previous_secret_until = case when ${isRotated} then ${keptUntil(keptHours)} else p.previous_secret_until end,
    updated_at = case when ${isRotated} or p.secret is null
        or (p.endpoint, p.timeout_seconds, p.run_deadline_seconds)
          is distinct from (excluded.endpoint, excluded.timeout_seconds, excluded.run_deadline_seconds)
      then now() else p.updated_at end
  returning ${PIPELINE_JSON} as record, p.secret = ${bytes(made)} as "isSecretMade"`,
  );
}

/** Gives a pipeline another secret, beside which the one before signs for some hours, where it has one. */
export function rotateSecretOfPipeline(
  database: TenantDatabase,
  name: Pipeline,
  { made, keptHours }: SecretRotation,
  operation: Operation,
): Promise<Written<StoredWithSecret<PipelineRecord>>> {
  return writeWithSecret(
    database,
    operation,
    sql`
  insert into pipelines as p (tenant_id, name, secret)
  values (${database.tenantId}, ${name}, ${bytes(made)})
  on conflict (tenant_id, name) do update set secret = excluded.secret, previous_secret = p.secret,
    previous_secret_until = case when p.secret is not null then ${keptUntil(keptHours)} end,
    updated_at = now()
  returning ${PIPELINE_JSON} as record, true as "isSecretMade"`,
  );
}

/** The pipelines that somebody gave settings. */
export async function listPipelines(database: TenantDatabase): Promise<PipelineRecord[]> {
  const rows = await database.read<{ record: PipelineRecord }>(
    sql`select ${PIPELINE_JSON} as record from pipelines p`,
  );
  return rows.map(({ record }) => record);
}

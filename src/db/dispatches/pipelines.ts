import { type SQL, sql } from "drizzle-orm";
import type { Pipeline } from "../../domain/pipelines/pipelines.ts";
import { stateOf } from "../administration/admin-states.ts";
import type { Administered, Administration } from "../administration/write-administration.ts";
import type { TenantDatabase } from "../connection/client.ts";
import {
  canAddSecret,
  HAS_NO_SECRET,
  latestEnd,
  type NewSecret,
  type SecretWrite,
  writeWithSecret,
} from "../webhooks/signing-secrets.ts";

/** The settings of a pipeline as answers show them, without the secret. */
export interface PipelineRecord {
  name: Pipeline;
  /** Null if its runs wait for workers that poll. */
  endpoint: string | null;
  /** When the last of the replaced secrets stops signing; null if none of them signs. */
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

/** A PipelineRecord as JSON, from an alias of pipelines. */
const pipelineJson = (p: SQL, previousSecretUntil: SQL) => sql`json_build_object('name', ${p}.name,
  'endpoint', ${p}.endpoint, 'previousSecretUntil', iso(${previousSecretUntil}),
  'timeoutSeconds', ${p}.timeout_seconds, 'runDeadlineSeconds', ${p}.run_deadline_seconds,
  'updatedAt', iso(${p}.updated_at))`;

const changedJson = (previousSecretUntil: SQL) => pipelineJson(sql`changed`, previousSecretUntil);

/**
 * Stores a pipeline's settings. Equal settings are no change. The secret is stored if the pipeline has none, or if it
 * replaces the current one: `replaces` is the current secret's id, or null if there was none when it was read. Nothing
 * is written if that has changed.
 */
export function storePipeline(
  database: TenantDatabase,
  { name, endpoint, timeoutSeconds, runDeadlineSeconds }: PipelineSettings,
  { secret, replaces }: { secret: NewSecret; replaces: { id: string | null } | null },
  by: Administration,
): Promise<Administered<SecretWrite<PipelineRecord>>> {
  const { tenantId } = database;
  const adds = replaces === null ? HAS_NO_SECRET : sql`true`;
  const isExpected =
    replaces === null
      ? sql`true`
      : sql`(select id from live where signs_until is null) is not distinct from ${replaces.id}::uuid`;
  const isReplaced = sql`(changed.adds_secret and not ${HAS_NO_SECRET})`;
  return writeWithSecret(database, by, {
    owner: { kind: "pipeline", name },
    change: sql`
  insert into pipelines as p (tenant_id, name, endpoint, timeout_seconds, run_deadline_seconds)
  select ${tenantId}::uuid, ${name}, ${endpoint}::text, ${timeoutSeconds}::integer, ${runDeadlineSeconds}::integer
  where ${isExpected}
  on conflict (tenant_id, name) do update set endpoint = excluded.endpoint,
    timeout_seconds = excluded.timeout_seconds, run_deadline_seconds = excluded.run_deadline_seconds,
    updated_at = case when ${adds}
        or (p.endpoint, p.timeout_seconds, p.run_deadline_seconds)
          is distinct from (excluded.endpoint, excluded.timeout_seconds, excluded.run_deadline_seconds)
      then now() else p.updated_at end
  where ${canAddSecret(sql`p`, adds)}
  returning p.*, ${adds} as adds_secret`,
    // Settings that stayed the same show that only the secret was replaced.
    type: sql`case when ${isReplaced} and was.state - 'updatedAt' = ${stateOf("pipeline", "changed")} - 'updatedAt'
      then 'pipeline_secret_rotated' else 'pipeline_changed' end`,
    details: sql`jsonb_build_object('secretRotated', ${isReplaced})`,
    recordJson: changedJson,
    secret,
  });
}

/** Replaces a pipeline's secret. The secrets before it also sign until their promised time. */
export function rotateSecretOfPipeline(
  database: TenantDatabase,
  name: Pipeline,
  secret: NewSecret,
  by: Administration,
): Promise<Administered<SecretWrite<PipelineRecord>>> {
  return writeWithSecret(database, by, {
    owner: { kind: "pipeline", name },
    change: sql`
  insert into pipelines as p (tenant_id, name) values (${database.tenantId}, ${name})
  on conflict (tenant_id, name) do update set updated_at = now()
  where ${canAddSecret(sql`p`, sql`true`)}
  returning p.*, true as adds_secret`,
    type: sql`'pipeline_secret_rotated'`,
    recordJson: changedJson,
    secret,
  });
}

/** Returns the pipelines that have stored settings. */
export async function listPipelines(database: TenantDatabase): Promise<PipelineRecord[]> {
  const rows = await database.read<{ record: PipelineRecord }>(
    sql`select ${pipelineJson(sql`p`, latestEnd("pipeline", sql`p`))} as record from pipelines p`,
  );
  return rows.map(({ record }) => record);
}

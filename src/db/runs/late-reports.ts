import { sql } from "drizzle-orm";
import type { Actor } from "../../domain/actor.ts";
import type { LateReport } from "../../domain/lifecycle/decision.ts";
import type { ReviewOutcome, RunState } from "../../domain/lifecycle/statuses.ts";
import type { Operation, TenantDatabase, Written } from "../connection/client.ts";
import { keepOrDrop } from "../ledger/operations.ts";
import { WRITER_CLOCK } from "../sql/writer-clock.ts";
import { bytesOf, type Chunk, chunkOf } from "../sql/chunks.ts";
import { allOf } from "../sql/conditions.ts";

/** A report that arrived after its run had ended, as answers show it. */
export interface LateReportRecord {
  id: string;
  /** Null in reports that an earlier release kept, which lost the state, the verdict and the reporter. */
  state: RunState | null;
  verdict: ReviewOutcome | null;
  result: unknown;
  error: string | null;
  attempt: number | null;
  reporter: { id: string; name: string } | null;
  requestId: string | null;
  at: string;
}

/** A LateReportRecord as JSON, from the alias l. */
export const LATE_JSON = sql`json_build_object('id', l.id, 'state', l.state, 'verdict', l.verdict, 'result', l.result,
    'error', l.error, 'attempt', l.attempt,
    'reporter', case when l.actor_id is not null then json_build_object('id', l.actor_id, 'name', l.actor_name) end,
    'requestId', l.request_id, 'at', iso(l.created_at))`;

/**
 * Keeps a report on a run that has ended. The same report by the same caller is kept once. The run itself stays as it
 * is, and is locked, so that two reports at the same time see each other.
 */
export function recordLateReport(
  database: TenantDatabase,
  report: LateReport,
  {
    actor,
    operation,
    requestId,
    result,
  }: { actor: Actor; operation: Operation; requestId: string; result: unknown },
): Promise<Written<{ id: string }>> {
  const { tenantId } = database;
  const reported = sql`(${report.state}::text, ${report.verdict}::text,
    nullif(${JSON.stringify(report.result ?? null)}::jsonb, 'null'), ${report.error}::text, ${report.attempt}::integer,
    ${actor.id}::text)`;
  return database.write(operation, [
    sql`select from worker_runs w where w.tenant_id = ${tenantId}::uuid and w.id = ${report.runId}::uuid for no key update`,
    sql`
with
late as (
  insert into run_late_reports (tenant_id, id, run_id, state, verdict, result, error, attempt, actor_id, actor_name,
    actor_kind, actor_role, operation_id, request_id, created_at)
  select ${tenantId}::uuid, ${report.id}::uuid, w.id, r.state, r.verdict, r.result, r.error, r.attempt, r.actor_id,
    ${actor.name}::text, ${actor.kind}::text, ${actor.role}::text, ${operation.id}::uuid, ${requestId}::text,
    ${WRITER_CLOCK}
  from worker_runs w cross join (values ${reported}) r(state, verdict, result, error, attempt, actor_id)
  where w.tenant_id = ${tenantId}::uuid and w.id = ${report.runId}::uuid
    and not exists (select from run_late_reports l where l.tenant_id = w.tenant_id and l.run_id = w.id
      and (l.state, l.verdict, l.result, l.error, l.attempt, l.actor_id)
        is not distinct from (r.state, r.verdict, r.result, r.error, r.attempt, r.actor_id))
),
found as materialized (
  select w.id from worker_runs w where w.tenant_id = ${tenantId}::uuid and w.id = ${report.runId}::uuid
),
${keepOrDrop({ tenantId, operation }, { from: sql`found`, result: sql`${JSON.stringify(result)}::json` })}
select id from found`,
  ]);
}

/**
 * Returns a page of a run's late reports, newest first; null if there is no such run. The page ends early if their
 * results are large.
 */
export async function listLateReports(
  database: TenantDatabase,
  runId: string,
  { limit, after }: { limit: number; after: string | null },
): Promise<Chunk<LateReportRecord, string> | null> {
  const isBeyond = after !== null && sql`l.id < ${after}::uuid`;
  const bytes = bytesOf(sql`l.result::text`, sql`l.error`);
  const [page] = await database.read<{ rows: LateReportRecord[]; isLast: boolean }>(sql`
with found as materialized (
  select l.*, ${bytes} as bytes from run_late_reports l where ${allOf(sql`l.run_id = ${runId}::uuid`, isBeyond)}
  order by l.id desc limit ${limit + 1}
),
page as materialized (${chunkOf(sql`found`, { order: sql`id desc`, limit })})
select coalesce((select json_agg(${LATE_JSON} order by l.id desc) from page l), '[]') as rows,
  (select count(*) from found) = (select count(*) from page) as "isLast"
from worker_runs w where w.id = ${runId}::uuid`);
  if (page === undefined) return null;
  const { rows, isLast } = page;
  return { rows, next: isLast ? null : (rows.at(-1)?.id ?? null) };
}

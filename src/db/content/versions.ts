import { sql } from "drizzle-orm";
import type { TaskContent } from "../../domain/lifecycle/decision.ts";
import type { TaskRef } from "../../domain/task-ref.ts";
import type { WholeVersion } from "../../domain/versions/diff.ts";
import { IS_ARTIFACT } from "./artifacts.ts";
import type { TenantDatabase } from "../connection/client.ts";
import { isTask } from "../tasks/task-match.ts";

/** A version without its content. */
export interface VersionRecord {
  id: string;
  taskId: string;
  number: number;
  contentHash: string;
  currentStepId: string;
  reason: string | null;
  createdBy: string;
  createdAt: string;
  /** null for the active version. */
  sealedAt: string | null;
}

/** The members of a VersionRecord, for json_build_object, from the alias v. */
const VERSION_MEMBERS = sql`'id', v.id, 'taskId', v.task_id, 'number', v.number, 'contentHash', v.content_hash,
  'currentStepId', v.current_step_id, 'reason', v.reason, 'createdBy', v.created_by,
  'createdAt', iso(v.created_at), 'sealedAt', iso(v.sealed_at)`;

/** Returns a page of a task's versions by number, without their contents; null if there is no such task. */
export async function listVersions(
  database: TenantDatabase,
  task: TaskRef,
  { after, limit }: { after: number; limit: number },
): Promise<VersionRecord[] | null> {
  const [row] = await database.read<{ versions: VersionRecord[] }>(sql`
    select coalesce((
      select json_agg(json_build_object(${VERSION_MEMBERS}) order by v.number)
      from (select * from task_versions p where p.tenant_id = t.tenant_id and p.task_id = t.id
        and p.number > ${after} order by p.number limit ${limit}) v), '[]') as versions
    from tasks t where ${isTask(task)}`);
  return row?.versions ?? null;
}

/** Returns a version with its content; null if there is none. */
export async function findVersion(
  database: TenantDatabase,
  task: TaskRef,
  number: number,
): Promise<(VersionRecord & { content: TaskContent }) | null> {
  const [row] = await database.read<{ version: VersionRecord & { content: TaskContent } }>(sql`
    select json_build_object(${VERSION_MEMBERS}, 'content', v.content) as version
    from tasks t join task_versions v on v.tenant_id = t.tenant_id and v.task_id = t.id
    where ${isTask(task)} and v.number = ${number}`);
  return row?.version ?? null;
}

/** A comparison reads at most this many prompts, and this many data, of a version: the oldest. */
export const DIFF_ITEMS_MAX = 1000;

export interface WholeVersionRecord extends WholeVersion {
  id: string;
  taskId: string;
  number: number;
  contentHash: string;
  /** Whether it has more prompts or data than were read. */
  truncated: boolean;
}

const MAKER_MEMBERS = sql`'model', model, 'modelRevision', model_revision, 'agent', agent,
  'agentRevision', agent_revision, 'provider', provider`;

/**
 * Returns the versions of a task that have these numbers, each with its steps, prompts and artifacts. A number that the
 * task does not have is left out.
 */
export async function findWholeVersions(
  database: TenantDatabase,
  task: TaskRef,
  numbers: { from: number; to: number },
): Promise<WholeVersionRecord[]> {
  const ofVersion = sql`tenant_id = v.tenant_id and task_id = v.task_id and version_id = v.id`;
  const rows = await database.read<Omit<WholeVersionRecord, "truncated">>(sql`
    select v.id, v.task_id as "taskId", v.number, v.content_hash as "contentHash", v.content,
      coalesce((select json_agg(json_build_object('id', id, 'kind', kind, 'attempt', attempt, 'status', status,
        'gate', gate) order by id) from steps where ${ofVersion}), '[]') as steps,
      coalesce((select json_agg(json_build_object('id', id, 'stepId', step_id, 'role', role,
        'contentHash', content_hash, ${MAKER_MEMBERS}) order by id)
        from (select * from prompts where ${ofVersion} order by id limit ${DIFF_ITEMS_MAX + 1}) p), '[]') as prompts,
      coalesce((select json_agg(json_build_object('id', id, 'stepId', step_id, 'kind', kind,
        'sha256', encode(sha256, 'hex'), ${MAKER_MEMBERS}) order by id)
        from (select * from data d where ${ofVersion} and ${IS_ARTIFACT} order by id
          limit ${DIFF_ITEMS_MAX + 1}) d), '[]') as data
    from tasks t join task_versions v on v.tenant_id = t.tenant_id and v.task_id = t.id
    where ${isTask(task)} and v.number in (${numbers.from}, ${numbers.to})`);
  return rows.map(({ prompts, data, ...version }) => ({
    ...version,
    prompts: prompts.slice(0, DIFF_ITEMS_MAX),
    data: data.slice(0, DIFF_ITEMS_MAX),
    truncated: prompts.length > DIFF_ITEMS_MAX || data.length > DIFF_ITEMS_MAX,
  }));
}

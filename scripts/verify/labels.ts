import type { Client } from "pg";
import { attentionOf } from "../../src/domain/status/attention.ts";
import { type LabelFacts, resolve } from "../../src/domain/status/resolve.ts";
import { rankOf } from "../../src/domain/status/unified.ts";

/** Tasks of equal facts whose label in the database is not what the resolver makes of those. */
export interface DriftedLabel {
  /** How many tasks, and one of them. */
  tasks: number;
  taskId: string;
  facts: LabelFacts;
  unifiedStatus: string | null;
}

export interface LabelReport {
  tasks: number;
  drifted: DriftedLabel[];
}

interface FactsRow extends LabelFacts {
  unifiedStatus: string | null;
  /** Ranks begin with 1 there. */
  rank: number | null;
  attention: string[] | null;
  tasks: number;
  taskId: string;
}

/**
 * Compares each materialised label with the resolver itself, not with the database's own reading of it: functions that
 * an old migration left behind agree with their triggers, and with nothing else.
 */
export async function verifyLabels(client: Client): Promise<LabelReport> {
  const { rows } = await client.query<FactsRow>(`
    select f.kind, f.status, f.gate, f.review_failed as "reviewFailed", to_json(f.running_workers) as "runningWorkers",
      l.unified_status as "unifiedStatus", l.rank, to_json(l.attention) as attention, count(*)::integer as tasks,
      any_value(f.task_id) as "taskId"
    from task_facts f left join task_labels l on l.tenant_id = f.tenant_id and l.task_id = f.task_id
    group by f.kind, f.status, f.gate, f.review_failed, f.running_workers, l.unified_status, l.rank,
      l.attention`);
  const drifted = rows.filter(
    ({ unifiedStatus, rank, attention, ...facts }) =>
      unifiedStatus !== resolve(facts) ||
      rank !== rankOf(unifiedStatus) + 1 ||
      attention?.join() !== attentionOf(facts).join(),
  );
  return {
    tasks: rows.reduce((sum, { tasks }) => sum + tasks, 0),
    drifted: drifted.map(({ tasks, taskId, unifiedStatus, ...row }) => {
      const { kind, status, gate, reviewFailed, runningWorkers } = row;
      const facts = { kind, status, gate, reviewFailed, runningWorkers };
      return { tasks, taskId, facts, unifiedStatus };
    }),
  };
}

import type { Client } from "pg";
import { attentionOf } from "../../src/domain/status/attention.ts";
import { type LabelFacts, resolve } from "../../src/domain/status/resolve.ts";
import { rankOf } from "../../src/domain/status/unified.ts";

/** Tasks with the same facts whose stored label differs from what the resolver returns for those facts. */
export interface DriftedLabel {
  /** The number of tasks, and the id of one of them. */
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
  /** In the database, ranks start with 1. */
  rank: number | null;
  attention: string[] | null;
  tasks: number;
  taskId: string;
}

/**
 * Compares each stored label with the TypeScript resolver, not with the database's compiled copy of it. A stale copy
 * agrees with the labels that its own triggers wrote, so only the resolver can reveal it.
 */
export async function verifyLabels(client: Client): Promise<LabelReport> {
  const { rows } = await client.query<FactsRow>(`
    select f.kind, f.status, f.gate, f.held_gate as "heldGate", f.review_failed as "reviewFailed", to_json(f.running_workers) as "runningWorkers", f.idle,
      l.unified_status as "unifiedStatus", l.rank, to_json(l.attention) as attention, count(*)::integer as tasks,
      any_value(f.task_id) as "taskId"
    from task_facts f left join task_labels l on l.tenant_id = f.tenant_id and l.task_id = f.task_id
    group by f.kind, f.status, f.gate, f.held_gate, f.review_failed, f.running_workers, f.idle, l.unified_status, l.rank,
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
      const { kind, status, gate, heldGate, reviewFailed, runningWorkers, idle } = row;
      const facts = { kind, status, gate, heldGate, reviewFailed, runningWorkers, idle };
      return { tasks, taskId, facts, unifiedStatus };
    }),
  };
}

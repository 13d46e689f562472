import { type SQL, sql } from "drizzle-orm";
import type { GateState, StepKind, StepStatus } from "../../domain/lifecycle/statuses.ts";
import type { AttentionCode } from "../../domain/status/attention.ts";
import type { UnifiedStatus } from "../../domain/status/unified.ts";
import { allOf, conditionsOf, type FilterOf } from "../sql/conditions.ts";
import type { TaskRef } from "../../domain/task-ref.ts";
import { listed } from "../sql/listed.ts";
import { liveDuplicates } from "./duplicates.ts";
import { idOfExternalId } from "./external-ids.ts";
import { isTask } from "./task-match.ts";

/** The filters of tasks. Each row also names the table that its condition reads, which is then joined. */
const TASK_FILTERS = {
  /** true: the archived tasks; false, which is the default: the others. */
  archived: (isArchived: boolean) =>
    // No index on tasks covers archived tasks, which are few: find them by their labels.
    isArchived
      ? onLabel(sql`l.archived`)
      : onTask(sql`t.archived_at is null`, { withLabel: sql`not l.archived` }),
  /** Any of these. */
  unifiedStatus: (labels: readonly UnifiedStatus[]) => {
    // By rank, because the index on task_labels is on rank.
    const ranks = labels.map((label) => sql`label_rank(${label})`);
    return onLabel(sql`l.rank in (${sql.join(ranks, sql`, `)})`);
  },
  /** Any of these. */
  attention: (codes: readonly AttentionCode[]) =>
    // The first half lets Postgres use the partial index.
    onLabel(sql`l.attention <> '{}' and l.attention && array[${listed(codes)}]::text[]`),
  stepKind: (kind: StepKind) => onStep(sql`s.kind = ${kind}`),
  stepStatus: (status: StepStatus) => onStep(sql`s.status = ${status}`),
  gate: (gate: GateState) => onStep(sql`s.gate = ${gate}`),
  taxonomyCode: (code: string) => onTask(sql`t.taxonomy_code = ${code}`),
  assignee: (assignee: string) => onTask(sql`t.assignee = ${assignee}`),
  priority: (priority: number) => onTask(sql`t.priority = ${priority}`),
  externalId: (externalId: string) => onTask(sql`t.id = ${idOfExternalId(externalId)}`),
  /** A part of the title or of the external id. */
  q: (needle: string) => onTask(sql`t.id in (select search_tasks(${needle}))`),
  /** The model of a prompt, a datum, a trial or an insight of the task. */
  model: (name: string) =>
    onTask(sql`t.id in (select task_id from prompts where model = ${name}
        union all select task_id from data where model = ${name}
        union all select task_id from trials where model = ${name}
        union all select task_id from insights where model = ${name})`),
  /** A bulk operation that wrote an event of the task. */
  bulkOperationId: (id: string) =>
    onTask(sql`t.id in (select task_id from step_events where bulk_operation_id = ${id})`),
  /** The tasks that are duplicates of this one now. */
  duplicateOf: (original: TaskRef) =>
    onTask(
      sql`t.id in (select e.task_id ${liveDuplicates(sql`(select t.id from tasks t where ${isTask(original)})`)})`,
    ),
  createdAfter: (time: string) => onTask(sql`t.created_at > ${time}::timestamptz`),
  createdBefore: (time: string) => onTask(sql`t.created_at < ${time}::timestamptz`),
  updatedAfter: (time: string) => onLabel(sql`l.updated_at > ${time}::timestamptz`),
  /** The status has been the same since before this moment. */
  statusBefore: (time: string) => onLabel(sql`l.since < ${time}::timestamptz`),
};

export type TaskFilter = FilterOf<typeof TASK_FILTERS>;

/**
 * Returns the FROM and WHERE clauses that select the matching tasks. The aliases are t (task), l (its label) and s (its
 * current step). l and s are joined only if a condition or the caller reads them: every task has both, so an unused
 * join would only cost time.
 */
export function matchingTasks(
  filter: TaskFilter,
  { withLabel = false, and = false }: { withLabel?: boolean; and?: SQL | false } = {},
): SQL {
  const conditions = conditionsOf(TASK_FILTERS, { ...filter, archived: filter.archived ?? false });
  const isRead = (table: keyof typeof JOINS) => conditions.some(({ reads }) => reads === table);
  const label = withLabel || isRead("label");
  // Prefer the label's column if it is joined: the indexes on label and attention begin with it.
  const chosen = conditions.map(({ condition, withLabel: other }) =>
    label && other !== undefined ? other : condition,
  );
  return sql`from tasks t
    ${label ? JOINS.label : sql``}
    ${isRead("step") ? JOINS.step : sql``}
    where ${allOf(...chosen, and)}`;
}

const JOINS = {
  label: sql`join task_labels l on l.tenant_id = t.tenant_id and l.task_id = t.id`,
  step: sql`join steps s on s.tenant_id = t.tenant_id and s.id = t.current_step_id`,
};

interface TaskCondition {
  /** The table to join; null if `tasks` is enough. */
  reads: keyof typeof JOINS | null;
  condition: SQL;
  /** The same condition on the label, for statements that join it anyway. */
  withLabel?: SQL;
}

function onTask(condition: SQL, { withLabel }: { withLabel?: SQL } = {}): TaskCondition {
  return { reads: null, condition, ...(withLabel && { withLabel }) };
}

function onLabel(condition: SQL): TaskCondition {
  return { reads: "label", condition };
}

function onStep(condition: SQL): TaskCondition {
  return { reads: "step", condition };
}

import { type SQL, sql } from "drizzle-orm";
import type { GateState, StepKind, StepStatus } from "../../domain/lifecycle/statuses.ts";
import type { AttentionCode } from "../../domain/status/attention.ts";
import type { UnifiedStatus } from "../../domain/status/unified.ts";
import { allOf, conditionsOf, type FilterOf } from "../sql/conditions.ts";
import { listed } from "../sql/listed.ts";

/** Every filter of tasks: its field, the type of its value, the table that its condition reads, and the condition. */
const TASK_FILTERS = {
  /** true: the archived tasks; false, which is the default: the others. */
  archived: (isArchived: boolean) =>
    // No index of tasks has the few archived ones together, so they are found by their labels.
    isArchived
      ? onLabel(sql`l.archived`)
      : onTask(sql`t.archived_at is null`, { withLabel: sql`not l.archived` }),
  /** Any of these. */
  unifiedStatus: (labels: readonly UnifiedStatus[]) => {
    // By rank, because the index of labels is over ranks.
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
  externalId: (externalId: string) => onTask(sql`t.external_id = ${externalId}`),
  /** A part of the title or of the external id. */
  q: (needle: string) => onTask(sql`t.id in (select search_tasks(${needle}))`),
  /** A model that made a prompt, a datum, a trial or an insight of the task. */
  model: (name: string) =>
    onTask(sql`t.id in (select task_id from prompts where model = ${name}
        union all select task_id from data where model = ${name}
        union all select task_id from trials where model = ${name}
        union all select task_id from insights where model = ${name})`),
  /** A bulk operation that wrote an event of the task. */
  bulkOperationId: (id: string) =>
    onTask(sql`t.id in (select task_id from step_events where bulk_operation_id = ${id})`),
  createdAfter: (time: string) => onTask(sql`t.created_at > ${time}::timestamptz`),
  createdBefore: (time: string) => onTask(sql`t.created_at < ${time}::timestamptz`),
  updatedAfter: (time: string) => onLabel(sql`l.updated_at > ${time}::timestamptz`),
  /** The status has been the same since before this moment. */
  statusBefore: (time: string) => onLabel(sql`l.since < ${time}::timestamptz`),
};

/** Selects tasks: those that match every field that is given. */
export type TaskFilter = FilterOf<typeof TASK_FILTERS>;

/**
 * The FROM and WHERE that select the matching tasks. The aliases are t (task) and, if the filter or the caller reads
 * them, l (its label) and s (its current step). Every task has both, so that a join nothing reads would only cost time.
 */
export function matchingTasks(
  filter: TaskFilter,
  { withLabel = false, and = false }: { withLabel?: boolean; and?: SQL | false } = {},
): SQL {
  const conditions = conditionsOf(TASK_FILTERS, { ...filter, archived: filter.archived ?? false });
  const isRead = (table: keyof typeof JOINS) => conditions.some(({ reads }) => reads === table);
  const label = withLabel || isRead("label");
  // Over the label if it is joined: the indexes of label and attention begin with its column.
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
  /** The table that has to be joined. */
  reads: keyof typeof JOINS | null;
  condition: SQL;
  /** The same condition over the label, for a statement that joins it anyway. */
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

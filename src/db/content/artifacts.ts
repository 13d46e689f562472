import { type SQL, sql } from "drizzle-orm";
import { STEP_KINDS, type StepKind } from "../../domain/lifecycle/statuses.ts";

/** Whether the datum of alias d is an artifact: it is stored, or lies elsewhere. What was only declared is nothing yet. */
export const IS_ARTIFACT: SQL = sql`(d.stored_at is not null or d.uri is not null)`;

/**
 * The condition that the datum of alias d passed the gate of a kind: a step of that kind, reached from the step
 * that made it, has its gate passed. Rework of that step's kind or an earlier one made another attempt, and what
 * this one passes says nothing of the datum.
 */
export function hasPassedGate(kind: StepKind): SQL {
  const openedAt = (
    step: SQL,
  ) => sql`(select min(e.seq) from step_events e where e.tenant_id = ${step}.tenant_id
      and e.task_id = ${step}.task_id and e.step_id = ${step}.id and e.from_status is null)`;
  return sql`exists (
    with line as materialized (
      select s.*, ${openedAt(sql`s`)} as opened_at from steps s
      where s.tenant_id = d.tenant_id and s.version_id = d.version_id
    )
    select from line made join line judged on judged.opened_at >= made.opened_at
    where made.id = d.step_id and judged.kind = ${kind} and judged.gate = 'passed'
      and not exists (select from line redone
        where redone.opened_at > made.opened_at and redone.opened_at <= judged.opened_at
          and ${placeOf(sql`redone.kind`)} <= ${placeOf(sql`made.kind`)}))`;
}

/** The place of a kind in the order of stages. */
function placeOf(kind: SQL): SQL {
  const kinds = STEP_KINDS.map((name) => sql`${name}`);
  return sql`array_position(array[${sql.join(kinds, sql`, `)}]::text[], ${kind})`;
}

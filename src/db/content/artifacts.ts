import { type SQL, sql } from "drizzle-orm";
import { STEP_KINDS, type StepKind } from "../../domain/lifecycle/statuses.ts";

/**
 * The condition that the data row of alias d is an artifact: its content is stored, or is elsewhere under its `uri`. A
 * row that was only declared is not an artifact yet.
 */
export const IS_ARTIFACT: SQL = sql`(d.stored_at is not null or d.uri is not null)`;

/**
 * Returns the condition that the data row of alias d passed the gate of `kind`: a step of that kind has a passed gate,
 * and it is the row's own step or was opened after it. A gate judged another attempt, and does not count, if the row's
 * stage or an earlier one was reworked in between.
 */
export function hasPassedGate(kind: StepKind): SQL {
  const openedAt = (
    step: SQL,
  ) => sql`(select min(e.seq) from step_events e where e.tenant_id = ${step}.tenant_id
      and e.task_id = ${step}.task_id and e.step_id = ${step}.id and e.from_status is null)`;
  return sql`exists (
    with version_step as materialized (
      select s.*, ${openedAt(sql`s`)} as opened_at from steps s
      where s.tenant_id = d.tenant_id and s.version_id = d.version_id
    )
    select from version_step origin join version_step judged on judged.opened_at >= origin.opened_at
    where origin.id = d.step_id and judged.kind = ${kind} and judged.gate = 'passed'
      and not exists (select from version_step redone
        where redone.opened_at > origin.opened_at and redone.opened_at <= judged.opened_at
          and ${stagePosition(sql`redone.kind`)} <= ${stagePosition(sql`origin.kind`)}))`;
}

/** Returns the position of a kind in the order of stages. */
function stagePosition(kind: SQL): SQL {
  const kinds = STEP_KINDS.map((name) => sql`${name}`);
  return sql`array_position(array[${sql.join(kinds, sql`, `)}]::text[], ${kind})`;
}

import { STAGE_PIPELINES } from "../../domain/lifecycle/idle.ts";
import { REVIEWED_KIND, STATUS_RELEVANT_WORKER_TYPES } from "../../domain/lifecycle/statuses.ts";
import { ATTENTION_RULES } from "../../domain/status/attention.ts";
import { RESOLVER_RULES, type ResolverRule } from "../../domain/status/rules.ts";
import { WAITING_STATUSES } from "../../domain/reviews/waiting.ts";
import { UNIFIED_STATUSES } from "../../domain/status/unified.ts";

/**
 * Returns the statements that create the SQL functions compiled from the rules that `resolve` reads. `npm run generate`
 * writes them to drizzle/functions, and `npm run check:database` requires a migration that creates the same functions.
 */
export function labelFunctions(): Record<"label_of" | "label_rank" | "attention_of", string> {
  return {
    label_of: `create or replace function label_of(
  kind text, status text, gate text, review_failed boolean, running_workers text[]
) returns text language sql immutable parallel safe
  return case\n${RESOLVER_RULES.map((rule) => `    ${labelCase(rule)}`).join("\n")}\n  end;`,
    label_rank: `create or replace function label_rank(label text) returns smallint language sql immutable parallel safe
  return array_position(array[${UNIFIED_STATUSES.map(literal).join(", ")}], label)::smallint;`,
    attention_of: `create or replace function attention_of(
  kind text, status text, gate text, review_failed boolean, idle boolean
) returns text[] language sql immutable parallel safe
  return array_remove(array[\n${ATTENTION_RULES.map((rule) => `    ${attentionCase(rule)}`).join(",\n")}\n  ], null);`,
  };
}

/**
 * The facts that a label and the attention codes depend on, whether the task is archived, what reviewers take it by, and
 * since when it runs in a stage where the sweep looks for idle steps, for the task rows of `source`: a table, or the new
 * rows of a trigger. Reviews are ordered by sequence, and the newest one of the current step that is not withdrawn counts.
 */
export function labelFactsSql(source: string): string {
  return `select t.tenant_id, t.id as task_id, s.kind, s.status, s.gate, t.status_since, t.updated_at,
    coalesce((select r.outcome = 'failed' from reviews r
      where r.tenant_id = t.tenant_id and r.step_id = t.current_step_id and r.withdrawn_seq is null
      order by r.sequence desc limit 1), false) as review_failed,
    array(select distinct w.type from worker_runs w
      where w.tenant_id = t.tenant_id and w.step_id = t.current_step_id and w.state = 'RUNNING'
        and w.type in (${RELEVANT_TYPES})
      order by w.type) as running_workers,
    t.archived_at is not null as archived, t.priority, t.taxonomy_code, t.event_seq,
    t.archived_at is null and s.kind = ${literal(REVIEWED_KIND)} and s.status in (${WAITING}) and s.gate <> 'blocked'
      as waits_for_review, s.held_gate,
    s.idled_seq is not null as idle,
    case when s.status = 'running' and s.kind in (${IDLING_KINDS}) and s.idled_seq is null and t.archived_at is null
      then t.status_since end as running_since
  from ${source} t
  join steps s on s.tenant_id = t.tenant_id and s.id = t.current_step_id`;
}

/**
 * The same facts for the current steps of many tasks; the SQL array `steps` holds the ids of the steps. Each table is
 * read once and its rows are grouped by step. The plan of a join would depend on an estimate of the row count, and
 * thousands of single lookups take several times as long.
 */
export function labelFactsOfStepsSql(steps: string): string {
  return `select any_value(f.task_id) as task_id, max(f.kind) as kind, max(f.status) as status, max(f.gate) as gate,
    max(f.held_gate) as held_gate,
    coalesce(bool_or(f.review_failed), false) as review_failed,
    coalesce(array_agg(f.running_worker) filter (where f.running_worker is not null), '{}') as running_workers
  from (
    select s.id as step_id, s.task_id, s.kind, s.status, s.gate, s.held_gate, null::boolean as review_failed,
      null::text as running_worker
    from steps s where s.id = any (${steps})
    union all
    (select distinct on (r.step_id) r.step_id, null, null, null, null, null, r.outcome = 'failed', null
    from reviews r where r.step_id = any (${steps}) and r.withdrawn_seq is null order by r.step_id, r.sequence desc)
    union all
    select w.step_id, null, null, null, null, null, null, w.type
    from worker_runs w where w.step_id = any (${steps}) and w.state = 'RUNNING' and w.type in (${RELEVANT_TYPES})
  ) f group by f.step_id`;
}

function labelCase(rule: ResolverRule): string {
  const conditions = [
    rule.kinds && `kind in (${rule.kinds.map(literal).join(", ")})`,
    rule.statuses && `status in (${rule.statuses.map(literal).join(", ")})`,
    rule.gates && `gate in (${rule.gates.map(literal).join(", ")})`,
    rule.reviewStanding && "review_failed",
    rule.runningWorker && `${literal(rule.runningWorker)} = any (running_workers)`,
  ].filter((condition) => condition !== null);
  return `when ${conditions.join(" and ") || "true"} then ${literal(rule.label)} -- rule ${rule.number}`;
}

function attentionCase(rule: (typeof ATTENTION_RULES)[number]): string {
  const { code, kinds, statuses, gates, failureStands, idle } = rule;
  const conditions = [
    kinds && `kind in (${kinds.map(literal).join(", ")})`,
    statuses && `status in (${statuses.map(literal).join(", ")})`,
    gates && `gate in (${gates.map(literal).join(", ")})`,
    failureStands !== null && `${failureStands ? "" : "not "}(review_failed and gate <> 'waived')`,
    idle && "idle",
  ].filter((condition) => typeof condition === "string");
  return `case when ${conditions.join(" and ")} then ${literal(code)} end`;
}

const WAITING = WAITING_STATUSES.map((status) => `'${status}'`).join(", ");

const literal = (text: string) => `'${text.replaceAll("'", "''")}'`;

export const IDLING_KINDS = STAGE_PIPELINES.map(({ kind }) => literal(kind)).join(", ");

export const RELEVANT_TYPES = STATUS_RELEVANT_WORKER_TYPES.map(literal).join(", ");

import { ADMINISTERED } from "../administration/admin-states.ts";
import { PARENT_LEVEL, TAXONOMY_LEVELS } from "../../domain/taxonomy.ts";
import type { Invariant } from "./invariant.ts";

const CANONICAL = `admin_event_canonical(tenant_id, seq, type, subject_kind, subject_id, actor_id, actor_name,
  actor_kind, actor_role, reason, payload, operation_id, request_id, at)`;

/**
 * The states that events report of a subject: `after` of the subject itself, and `successor` of the key that a rotation
 * created.
 */
const REPORTED = `
  select tenant_id, seq, subject_kind, subject_id, payload::jsonb -> 'before' as before,
    payload::jsonb -> 'after' as state
  from admin_events
  union all
  select tenant_id, seq, subject_kind, payload::jsonb #>> '{successor,id}', null, payload::jsonb -> 'successor'
  from admin_events where payload::jsonb ? 'successor'`;

/** The rows as they are now. */
const PRESENT = Object.entries(ADMINISTERED)
  .map(
    ([kind, { table, tenantId, subjectId, state }]) =>
      `select ${tenantId} as tenant_id, '${kind}' as subject_kind, ${subjectId} as subject_id, ${state} as state
       from ${table} r`,
  )
  .join(" union all ");

/** The level of a parent, and that of the entries below it. Nothing is above a domain. */
const NESTED_LEVELS = TAXONOMY_LEVELS.map(
  (level) => `('${PARENT_LEVEL[level] ?? ""}', '${level}')`,
).join(", ");

export const ADMINISTRATION_INVARIANTS: readonly Invariant[] = [
  {
    name: "administration-chain-intact",
    description:
      "An administrative event's number, time or prev_hash does not follow the previous event, or its columns do not match its hash.",
    sql: `
      select tenant_id, seq from (
        select e.*, row_number() over by_seq as place, lag(at) over by_seq as at_before,
          coalesce(lag(hash) over by_seq, decode(repeat('00', 32), 'hex')) as expected
        from admin_events e window by_seq as (partition by tenant_id order by seq)) e
      where seq <> place or at < at_before or prev_hash <> expected
        or hash <> sha256(prev_hash || convert_to(${CANONICAL}, 'UTF8'))`,
  },
  {
    name: "administration-head-is-the-last-event",
    description:
      "A tenant's head of administration is missing, or is not its newest administrative event.",
    sql: `
      select t.id as tenant_id, h.seq
      from tenants t
      left join admin_heads h on h.tenant_id = t.id
      left join lateral (select e.seq, e.hash, e.at from admin_events e where e.tenant_id = t.id
        order by e.seq desc limit 1) newest on true
      where h.tenant_id is null or (h.seq, h.hash, h.at) is distinct from (newest.seq, newest.hash, newest.at)`,
  },
  {
    name: "administered-rows-equal-their-newest-event",
    description:
      "A tenant, an API key, a person, a pipeline, a webhook or an entry of the taxonomy differs from the state in its newest administrative event, or has none.",
    sql: `
      with newest as (
        select distinct on (tenant_id, subject_kind, subject_id) tenant_id, subject_kind, subject_id, seq, state
        from (${REPORTED}) reported order by tenant_id, subject_kind, subject_id, seq desc
      )
      select tenant_id, subject_kind, subject_id, newest.seq
      from newest full join (${PRESENT}) present using (tenant_id, subject_kind, subject_id)
      -- A subject that is gone has the state null.
      where coalesce(jsonb_strip_nulls(newest.state), 'null') <> coalesce(jsonb_strip_nulls(present.state), 'null')`,
  },
  {
    name: "taxonomy-levels-nest",
    description: "An entry of a taxonomy is below one that is not of the level above its own.",
    sql: `
      select x.tenant_id, x.code from taxonomy x
        left join taxonomy p on p.tenant_id = x.tenant_id and p.code = x.parent_code
      where (coalesce(p.level, ''), x.level) not in (${NESTED_LEVELS})`,
  },
  {
    name: "administrative-events-continue-each-other",
    description:
      "An administrative event's state before the change is not the state that the previous event of the subject left.",
    sql: `
      select tenant_id, seq, subject_kind, subject_id from (
        select *, lag(state, 1, 'null') over (partition by tenant_id, subject_kind, subject_id order by seq) as left_behind
        from (${REPORTED}) reported) reported
      where before is not null and jsonb_strip_nulls(before) <> jsonb_strip_nulls(left_behind)`,
  },
];

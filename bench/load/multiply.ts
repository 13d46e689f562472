import type { Client } from "pg";
import { REGISTRY_VERSION } from "../../src/domain/registry-version.ts";
import type { Archetype } from "./archetypes.ts";
import type { Template } from "./template.ts";

/** The schema that holds the templates and helper functions during a load. */
export const LOAD_SCHEMA = "loading";

/** The tasks to create, and the time span to spread them over. */
export interface Multiplication {
  tenantId: string;
  tasks: number;
  /** The length of the schedule of archetypes. */
  schedule: number;
  beginMs: number;
  lengthMs: number;
}

/** Stores the templates, and the schedule that mixes them, in tables. Returns the length of the schedule. */
export async function storeTemplates(
  client: Client,
  archetypes: readonly Archetype[],
): Promise<number> {
  await client.query(`drop schema if exists ${LOAD_SCHEMA} cascade`);
  await client.query(`create schema ${LOAD_SCHEMA}`);
  for (const [table, { columns, rowsOf }] of Object.entries(TABLES)) {
    const rows = archetypes.flatMap(({ template }, archetype) =>
      rowsOf(template).map((row) => ({ archetype, ...row })),
    );
    await client.query(
      `create table ${LOAD_SCHEMA}.${table} as
       select * from json_to_recordset($1) as r(archetype integer, ${columns})`,
      [JSON.stringify(rows)],
    );
    await client.query(`create index on ${LOAD_SCHEMA}.${table} (archetype)`);
  }
  const schedule = scheduleOf(archetypes);
  await client.query(
    `create table ${LOAD_SCHEMA}.schedule as
     select (position - 1)::integer as position, archetype
     from unnest($1::integer[]) with ordinality as s(archetype, position)`,
    [schedule],
  );
  await client.query(HELPERS);
  await client.query(`analyze`);
  return schedule.length;
}

/** Returns each archetype's index as often as its weight says, evenly distributed by the golden ratio. */
function scheduleOf(archetypes: readonly Archetype[]): number[] {
  const GOLDEN = (Math.sqrt(5) - 1) / 2;
  return archetypes
    .flatMap(({ weight }, archetype) => Array.from({ length: weight }, () => archetype))
    .map((archetype, index) => ({ archetype, place: (index * GOLDEN) % 1 }))
    .toSorted((one, other) => one.place - other.place)
    .map(({ archetype }) => archetype);
}

/** The tables of templates: the columns as SQL, and the rows that each template has in the table. */
const TABLES: Record<string, { columns: string; rowsOf: (template: Template) => object[] }> = {
  task: {
    columns: `has_external_id boolean, has_assignee boolean, priority smallint, step_slot integer,
      version_slot integer, status_since_ms bigint, archived_ms bigint, updated_ms bigint, created_by text`,
    rowsOf: ({ task }) => [task],
  },
  slot: { columns: "slot integer, at_ms bigint", rowsOf: ({ slots }) => slots },
  version: {
    columns: `slot integer, at_ms bigint, number integer, content jsonb, content_hash text, step_slot integer,
      reason text, created_by text, sealed_ms bigint`,
    rowsOf: ({ versions }) => versions,
  },
  step: {
    columns: `slot integer, at_ms bigint, version_slot integer, kind text, attempt integer, status text,
      gate text, event_seq integer`,
    rowsOf: ({ steps }) => steps,
  },
  event: {
    columns: `seq integer, at_ms bigint, version_slot integer, step_slot integer, type text, from_status text,
      to_status text, from_gate text, to_gate text, actor_id text, actor_name text, actor_kind text,
      actor_role text, reason text, payload_format text, is_duplicate boolean, operation_slot integer`,
    rowsOf: ({ events }) => events,
  },
  review: {
    columns: `slot integer, at_ms bigint, version_slot integer, step_slot integer, kind text, outcome text,
      sequence integer, notes text, reviewer_id text, reviewer_name text`,
    rowsOf: ({ reviews }) => reviews,
  },
  run: {
    columns: `slot integer, at_ms bigint, version_slot integer, step_slot integer, type text, state text,
      verdict text, result jsonb, error text, updated_ms bigint, created_by text`,
    rowsOf: ({ runs }) => runs,
  },
};

/** The parts of titles. There are enough of them that a substring occurs neither in every task nor in only one. */
const WORDS = {
  verbs: `{Prove,Estimate,Summarise,Translate,Refactor,Compare,Classify,Derive,Explain,Rank,Verify,Draft}`,
  subjects: `{the pigeonhole principle,a rate of decay,the minutes of a council,a lease for two rooms,
    an unsafe allocator,the yields of three fields,letters of complaint,an orbit from two sightings,
    a tax on parcels,the causes of a strike,a route through nine towns,the symptoms of an allergy,
    a recipe for forty,the proof of a treaty,a cache that never forgets,the water in a reservoir,
    a bridge of known load,the grammar of questions,a census by age,the price of a seat,
    a queue at one counter,a scheduler of cranes,the echo in a hall}`,
  settings: `{for a school,with missing data,under a deadline,in plain words,for two readers,in SI units,
    without a table,from the sources alone,for a court,step by step,on one page,in the margin,
    with an error bound}`,
};

/** Words in a fixed number of titles at every scale, so that a search for one finds equally many tasks at any scale. */
export const NEEDLES = { xylograph: 50, quixotic: 500 } as const;

const HELPERS = `
-- A UUIDv7: the time of creation, then parts that make it unique in the database.
create function ${LOAD_SCHEMA}.id_of(tenant_id uuid, at_ms bigint, ordinal bigint, slot integer) returns uuid
  language sql immutable parallel safe
  return (lpad(to_hex(at_ms), 12, '0') || '7' || lpad(to_hex(slot), 3, '0') || '8'
    || substr(md5(tenant_id::text), 1, 8) || lpad(to_hex(ordinal), 7, '0'))::uuid;
create function ${LOAD_SCHEMA}.moment(at_ms bigint) returns timestamptz language sql immutable parallel safe
  return to_timestamp(at_ms / 1000.0);
create function ${LOAD_SCHEMA}.pick(words text[], number bigint) returns text
  language sql immutable parallel safe
  return words[1 + number % cardinality(words)];`;

/** Returns a condition that is true for `count` tasks, evenly distributed and independent of the schedule. */
const hasNeedle = (count: number) =>
  `n.ordinal in (select (number + 1) * $4 / ${count} - number from generate_series(0::bigint, ${count - 1}) number)`;

const TITLE = `concat_ws(' ', ${LOAD_SCHEMA}.pick('${WORDS.verbs}', n.ordinal),
      ${LOAD_SCHEMA}.pick('${WORDS.subjects}', n.ordinal / 3),
      ${LOAD_SCHEMA}.pick('${WORDS.settings}', n.ordinal / 7) || ',', 'no.', n.ordinal,
      ${Object.entries(NEEDLES)
        .map(([word, count]) => `case when ${hasNeedle(count)} then '(${word})' end`)
        .join(", ")})`;

/**
 * Creates the tasks with the ordinals $2 to $3 and all their rows in one statement. Canonical texts and hashes come from
 * the product's own functions.
 */
const MULTIPLY = `
with
task as materialized (
  select n.ordinal, a.*, c.created_ms,
    -- Each task has its own pace.
    60 + n.ordinal * 7919 % 80 as pace,
    ${TITLE} as title,
    case when a.has_external_id then 'tracker-' || lpad(n.ordinal::text, 9, '0') end as external_id,
    ${LOAD_SCHEMA}.pick('{maths.algebra,maths.geometry,code.review,code.repair,law.contracts,
      science.physics,science.biology,writing.summary,writing.translation}', n.ordinal / 5) as taxonomy_code,
    case when a.has_assignee then 'author-' || lpad((n.ordinal * 31 % 40)::text, 2, '0') || '@example.org' end
      as assignee,
    -- The task with the preceding ordinal; the first task has none.
    case when n.ordinal > 1
      then ${LOAD_SCHEMA}.id_of($1, $5 + $6 * (n.ordinal - 1) / $4, n.ordinal - 1, 1) end as previous_id
  from generate_series($2::bigint, $3::bigint) as n(ordinal)
    join ${LOAD_SCHEMA}.schedule s on s.position = n.ordinal % $7
    join ${LOAD_SCHEMA}.task a on a.archetype = s.archetype
    cross join lateral (select $5 + $6 * n.ordinal / $4 as created_ms) c
),
identified as materialized (
  select t.*, i.ids, array[to_json(t.title)::text, coalesce(to_json(t.external_id)::text, 'null'),
    to_json(t.taxonomy_code)::text, coalesce(to_json(t.assignee)::text, 'null')] || i.quoted_ids as substitutes
  from task t cross join lateral (
    select array_agg(id order by slot) as ids, array_agg('"' || id || '"' order by slot) as quoted_ids
    from (select s.slot, ${LOAD_SCHEMA}.id_of($1, t.created_ms + s.at_ms * t.pace / 100, t.ordinal, s.slot) as id
      from ${LOAD_SCHEMA}.slot s where s.archetype = t.archetype) slots
  ) i
),
event as materialized (
  select e.*, t.ids[1] as task_id, t.ids[e.version_slot] as version_id, t.ids[e.step_slot] as step_id,
    t.ids[e.operation_slot] as operation_id, format(e.payload_format, variadic t.substitutes) as payload,
    case when e.is_duplicate then t.previous_id end as duplicate_of,
    ${at("e.at_ms")} as at
  from identified t join ${LOAD_SCHEMA}.event e using (archetype)
),
canonical as materialized (
  select *, step_event_canonical($1, task_id, seq, version_id, step_id, type, from_status, to_status,
    from_gate, to_gate, actor_id, actor_name, actor_kind, actor_role, reason, payload, duplicate_of, false,
    null, operation_id, operation_id::text, ${REGISTRY_VERSION}, at) as canonical
  from event
),
hashed as materialized (
  select *, chain_hash(decode(repeat('00', 32), 'hex'), c.canonical)
    over (partition by task_id order by seq rows unbounded preceding) as hash
  from canonical c
),
inserted_events as (
  insert into step_events (tenant_id, task_id, seq, version_id, step_id, type, from_status, to_status,
    from_gate, to_gate, duplicate_of, run_attached_workflows, actor_id, actor_name, actor_kind, actor_role, reason,
    payload, operation_id, request_id, registry_version, at, prev_hash, hash)
  select $1, task_id, seq, version_id, step_id, type, from_status, to_status,
    from_gate, to_gate, duplicate_of, false, actor_id, actor_name, actor_kind, actor_role, reason,
    payload, operation_id, operation_id::text, ${REGISTRY_VERSION}, at,
    coalesce(lag(hash) over (partition by task_id order by seq), decode(repeat('00', 32), 'hex')), hash
  from hashed order by task_id, seq
),
newest as (
  select distinct on (task_id) task_id, seq, hash from hashed order by task_id, seq desc
),
inserted_tasks as (
  insert into tasks (tenant_id, id, external_id, external_id_key, title, title_key, taxonomy_code, priority, assignee, current_step_id,
    active_version_id, event_seq, event_head, status_since, archived_at, created_by, created_at, updated_at)
  select $1, t.ids[1], external_id, external_id_key(external_id), title, text_fold(title), taxonomy_code, priority, assignee, ids[step_slot], ids[version_slot],
    n.seq, n.hash, ${at("status_since_ms")}, ${at("archived_ms")}, created_by, ${at("0")}, ${at("updated_ms")}
  from identified t join newest n on n.task_id = t.ids[1] order by t.ordinal
),
inserted_versions as (
  insert into task_versions (tenant_id, id, task_id, number, content, content_hash, current_step_id, reason,
    created_by, created_at, sealed_at)
  select $1, ids[v.slot], ids[1], v.number, v.content, v.content_hash, ids[v.step_slot], v.reason, v.created_by,
    ${at("v.at_ms")}, ${at("v.sealed_ms")}
  from identified t join ${LOAD_SCHEMA}.version v using (archetype) order by 2
),
inserted_steps as (
  insert into steps (tenant_id, id, task_id, version_id, kind, attempt, status, gate, event_seq, created_at)
  select $1, ids[s.slot], ids[1], ids[s.version_slot], s.kind, s.attempt, s.status, s.gate, s.event_seq,
    ${at("s.at_ms")}
  from identified t join ${LOAD_SCHEMA}.step s using (archetype) order by 2
),
inserted_reviews as (
  insert into reviews (tenant_id, id, task_id, version_id, step_id, kind, outcome, sequence, notes,
    reviewer_id, reviewer_name, created_at)
  select $1, ids[r.slot], ids[1], ids[r.version_slot], ids[r.step_slot], r.kind, r.outcome, r.sequence, r.notes,
    r.reviewer_id, r.reviewer_name, ${at("r.at_ms")}
  from identified t join ${LOAD_SCHEMA}.review r using (archetype) order by 2
)
insert into worker_runs (tenant_id, id, task_id, version_id, step_id, type, state, external_ref, deadline_at,
  verdict, result, error, created_by, created_at, updated_at)
select $1, ids[r.slot], ids[1], ids[r.version_slot], ids[r.step_slot], r.type, r.state,
  'job-' || ordinal || '-' || r.slot,
  -- Open runs must not be found past their deadline.
  case when r.state in ('QUEUED', 'RUNNING') then now() + interval '1 year'
    else ${at("r.updated_ms")} + interval '1 hour' end,
  r.verdict, r.result, r.error, r.created_by, ${at("r.at_ms")}, ${at("r.updated_ms")}
from identified t join ${LOAD_SCHEMA}.run r using (archetype) order by 2`;

/** Returns SQL for the time at an offset from the creation of the task `t`, scaled by its pace. Null if the offset is. */
function at(offset: string): string {
  return `${LOAD_SCHEMA}.moment(t.created_ms + ${offset} * t.pace / 100)`;
}

/** Creates the tasks with the ordinals from `first` to `last`. */
export async function multiply(
  client: Client,
  { tenantId, tasks, schedule, beginMs, lengthMs }: Multiplication,
  [first, last]: readonly [number, number],
): Promise<void> {
  await client.query(MULTIPLY, [tenantId, first, last, tasks, beginMs, lengthMs, schedule]);
}

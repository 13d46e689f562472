import { type SQL, sql } from "drizzle-orm";
import type { Actor } from "../../domain/actor.ts";
import type { Batch } from "../../domain/delivery/batch.ts";
import type { DispatchState } from "../../domain/pipelines/states.ts";
import type { Operation, TenantDatabase, Written } from "../connection/client.ts";
import { keepOrDrop } from "../ledger/operations.ts";
import { logDispatches } from "./dispatch-log.ts";
import {
  DISPATCH_JOINS,
  IS_LEASED,
  IS_OF_VERSION,
  IS_RUN_CLOSED,
  IS_UNWANTED,
  isOffered,
  lockTasksOf,
} from "./dispatch-sql.ts";
import {
  DISPATCH_JSON,
  type DispatchFilter,
  type DispatchRecord,
  matchesDispatch,
} from "./read-dispatches.ts";
import { batchJson, WOULD_CHANGE } from "../sql/batch.ts";
import { allOf } from "../sql/conditions.ts";
import { listed } from "../sql/listed.ts";
import { notBefore } from "../sql/writer-clock.ts";

/** Why a dispatch cannot be retried or recalled. */
export type DispatchRefusal =
  | "not_dead"
  | "not_open"
  | "archived"
  | "requested_again"
  | "unwanted"
  | "run_begun"
  | "being_delivered";

/** The facts that the change was checked against and, if it was allowed, the changed dispatch. */
export interface ChangedDispatch {
  state: DispatchState;
  /** Null if the change was allowed. */
  refusal: DispatchRefusal | null;
  /** Another open dispatch of the same pipeline and step. */
  rivalId: string | null;
  /** Null if nothing was changed. */
  changed: DispatchRecord | null;
}

interface By {
  actor: Actor;
  operation: Operation;
  reason: string;
}

/** A change of dispatches by hand. */
export type DispatchChange = "retry" | "recall";

interface Rule {
  to: DispatchState;
  /** The states of the dispatches that the change is for. */
  from: readonly DispatchState[];
  /** Says, from the alias f, why a dispatch stays as it is; null if it is changed. */
  refusal: SQL;
  set: SQL;
  effects: (tenantId: string) => SQL;
}

const RULES: Readonly<Record<DispatchChange, Rule>> = {
  /**
   * Puts a dead dispatch back into the outbox with no attempts, if it is still wanted. It keeps its run. The run of a
   * payment may have timed out, because a version has only one dispatch for it and no one can request another. Of several
   * dead dispatches of a pipeline and step, the newest is retried.
   */
  retry: {
    to: "pending",
    from: ["dead"],
    refusal: sql`case when f.state <> 'dead' then 'not_dead'
    when f.is_archived then 'archived'
    when f.rival_id is not null then 'requested_again'
    when f.is_unwanted then 'unwanted'
    when not (f.is_owed or coalesce(f.run_state = 'QUEUED', true)) then 'run_begun' end`,
    set: sql`attempts = 0, last_error = null, dead_reason = null, not_before = null, next_attempt_at = now()`,
    effects: () => sql``,
  },
  /** Recalls a dispatch that is neither delivered nor being delivered, and cancels the queued run of an earlier attempt. */
  recall: {
    to: "recalled",
    from: ["pending", "sent"],
    refusal: sql`case when f.state not in ('pending', 'sent') then 'not_open'
    when f.is_leased then 'being_delivered'
    when not coalesce(f.run_state = 'QUEUED', true) then 'run_begun' end`,
    set: sql`not_before = null`,
    effects: (tenantId) => sql`,
cancelled as (
  update worker_runs w set state = 'CANCELLED', updated_at = ${notBefore(sql`w.updated_at`)}
  from allowed l where w.tenant_id = ${tenantId}::uuid and w.dispatch_id = l.id and w.state = 'QUEUED'
)`,
  },
};

/** Retries or recalls a dispatch. Returns no row if there is no such dispatch. */
export function changeDispatch(
  database: TenantDatabase,
  change: DispatchChange,
  dispatchId: string,
  by: By,
): Promise<Written<ChangedDispatch>> {
  const { tenantId } = database;
  return database.write(by.operation, [
    lockTasksOf(tenantId, [dispatchId]),
    sql`
with
${changeCtes(tenantId, change, [dispatchId], by)},
answer as materialized (
  select ${DISPATCH_JSON} as dispatch from changed d cross join lateral (select d.run_id as id) w
),
${keepOrDrop({ tenantId, operation: by.operation }, { from: sql`answer`, result: sql`answer.dispatch` })}
select state, refusal, rival_id as "rivalId", (select dispatch from answer) as changed
from judged`,
  ]);
}

/** Which dispatches to change. */
export interface DispatchBatch {
  filter: DispatchFilter;
  /** The id after which the call begins. */
  after?: string | undefined;
  limit: number;
}

/** The dispatches that a batch is about: the oldest that match, and how many match. */
interface Found {
  ids: string[];
  matched: number;
}

/** Finds the dispatches of a batch. Without a state in the filter, only those in the states that the change is for. */
export async function findBatch(
  database: TenantDatabase,
  change: DispatchChange,
  { filter, after, limit }: DispatchBatch,
): Promise<Found> {
  const condition = allOf(
    matchesDispatch(filter),
    filter.state === undefined && sql`d.state in (${listed(RULES[change].from)})`,
    after !== undefined && sql`d.id > ${after}::uuid`,
  );
  const [found] = await database.read<Found>(sql`
    select (select count(*)::integer from pipeline_dispatches d where ${condition}) as matched,
      array(select d.id from pipeline_dispatches d where ${condition} order by d.id limit ${limit}::integer) as ids`);
  return found ?? { ids: [], matched: 0 };
}

/** Returns what `changeDispatches` would do. */
export async function previewDispatches(
  database: TenantDatabase,
  change: DispatchChange,
  found: Found,
): Promise<Batch<DispatchRefusal>> {
  const { tenantId } = database;
  const [row] = await database.read<{ batch: Batch<DispatchRefusal> }>(sql`
with
${matchingCte(found)},
${judgedCtes(tenantId, change, found.ids, sql``)}
select ${batchJson(WOULD_CHANGE)} as batch`);
  if (row === undefined) throw new Error("A query without FROM has one row");
  return row.batch;
}

/**
 * Retries or recalls up to a thousand dispatches, each if its own facts allow it, under the locks of their tasks. One
 * round trip.
 */
export function changeDispatches(
  database: TenantDatabase,
  change: DispatchChange,
  found: Found,
  by: By,
): Promise<Written<{ batch: Batch<DispatchRefusal> }>> {
  const { tenantId } = database;
  return database.write(by.operation, [
    lockTasksOf(tenantId, found.ids),
    sql`
with
${matchingCte(found)},
${changeCtes(tenantId, change, found.ids, by)},
answer as materialized (select ${batchJson(sql`(select count(*) from changed)`)} as batch),
${keepOrDrop({ tenantId, operation: by.operation }, { from: sql`answer`, result: sql`answer.batch` })}
select batch from answer`,
  ]);
}

const matchingCte = ({ matched }: Found): SQL =>
  sql`matching as materialized (select ${matched}::integer as count)`;

/**
 * The CTEs that check and change dispatches under the locks of their tasks and of themselves, so that the facts in
 * `judged` are those of the check.
 */
function changeCtes(
  tenantId: string,
  change: DispatchChange,
  ids: readonly string[],
  { actor, operation, reason }: By,
): SQL {
  const { to, set, effects } = RULES[change];
  return sql`${judgedCtes(tenantId, change, ids, sql`for no key update of d`)},
allowed as (select * from judged where refusal is null),
changed as (
  update pipeline_dispatches d set state = ${to}, lease_owner = null, lease_until = null,
    updated_at = ${notBefore(sql`d.updated_at`)}, ${set}
  from allowed l where d.tenant_id = ${tenantId}::uuid and d.id = l.id
  returning d.*, l.run_id
),
logged as (
  ${logDispatches(
    tenantId,
    { actor, operation, reason },
    sql`select id, state as from_state, ${to}::text as to_state, null::timestamptz as since from allowed order by id`,
  )}
)${effects(tenantId)}`;
}

/** The CTEs `found` and `judged`: the facts about each dispatch, and why it stays as it is. */
function judgedCtes(
  tenantId: string,
  change: DispatchChange,
  ids: readonly string[],
  lock: SQL,
): SQL {
  return sql`found as materialized (
  select d.id, d.step_id, d.pipeline, d.state, w.id as run_id, w.state as run_state,
    ${IS_OF_VERSION} and ${IS_RUN_CLOSED} as is_owed, t.archived_at is not null as is_archived,
    ${IS_LEASED} as is_leased, ${IS_UNWANTED} as is_unwanted,
    (select o.id from pipeline_dispatches o
      where o.tenant_id = d.tenant_id and o.step_id = d.step_id and o.pipeline = d.pipeline and o.id <> d.id
        and (o.state in ('pending', 'sent') or ${isOffered(sql`o`)}) limit 1) as rival_id
  from pipeline_dispatches d ${DISPATCH_JOINS}
  where d.tenant_id = ${tenantId}::uuid and d.id = any (${`{${ids.join()}}`}::uuid[])
  order by d.id ${lock}
),
facts as (
  select f.*, ${RULES[change].refusal} as own_refusal from found f
),
judged as materialized (
  select f.*, case when own_refusal is null and state = 'dead' and row_number() over (
      partition by step_id, pipeline, own_refusal order by id desc) > 1 then 'requested_again'
    else own_refusal end as refusal
  from facts f
)`;
}

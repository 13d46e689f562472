import { type SQL, sql } from "drizzle-orm";
import type { EvalEventType } from "../../domain/evals/statuses.ts";
import type { StepEventType } from "../../domain/lifecycle/statuses.ts";
import type { TaskRef } from "../../domain/task-ref.ts";
import { isActor } from "../administration/actors.ts";
import type { TenantDatabase } from "../connection/client.ts";
import { type Chunk, chunkOf } from "../sql/chunks.ts";
import { allOf, type FilterOf, matches } from "../sql/conditions.ts";
import { listed } from "../sql/listed.ts";
import { isTask } from "../tasks/task-match.ts";
import {
  EVAL_EVENT_JSON,
  type EvalEventRecord,
  EVENT_AT_PLACE,
  EVENT_JOINS,
  type EventRecord,
  STEP_EVENT_JSON,
  type StepEventRecord,
} from "./events.ts";

/** The conditions of the filters, from the alias e. */
const isOfType = (types: readonly string[]) => sql`e.type in (${listed(types)})`;
/** The actor is the id of an actor, or of a person, who can be several actors. */
const isBy = (actor: string) => isActor(sql`e.actor_id`, actor);

const STEP_EVENT_FILTERS = {
  type: (types: StepEventType[]) => isOfType(types),
  actor: isBy,
};
const EVAL_EVENT_FILTERS = {
  type: (types: EvalEventType[]) => isOfType(types),
  actor: isBy,
};
const TIMELINE_FILTERS = {
  type: (types: (StepEventType | EvalEventType)[]) => isOfType(types),
  actor: isBy,
};

export type StepEventFilter = FilterOf<typeof STEP_EVENT_FILTERS>;
export type EvalEventFilter = FilterOf<typeof EVAL_EVENT_FILTERS>;
export type TimelineFilter = FilterOf<typeof TIMELINE_FILTERS>;

interface EventPage {
  /** The page begins after this position in its order. Null for the first page. */
  after: number | null;
  limit: number;
  descending: boolean;
}

/** A page of events, which ends early if their payloads are large. `next` is not null if there are more. */
type EventChunk<Row> = Chunk<Row, true>;

/** Returns a page of a task's matching events by seq; null if there is no such task. */
export function listTaskEvents(
  database: TenantDatabase,
  task: TaskRef,
  filter: StepEventFilter,
  page: EventPage,
): Promise<EventChunk<StepEventRecord> | null> {
  const ofTask = sql`e.tenant_id = t.tenant_id and e.task_id = t.id`;
  const condition = allOf(ofTask, matches(STEP_EVENT_FILTERS, filter));
  return readPage(
    database,
    sql`${eventPage(STEP_EVENTS, condition, page)} from tasks t where ${isTask(task)}`,
  );
}

/** Returns a page of a step's matching events by seq; null if there is no such step. */
export function listStepEvents(
  database: TenantDatabase,
  stepId: string,
  filter: StepEventFilter,
  page: EventPage,
): Promise<EventChunk<StepEventRecord> | null> {
  const ofStep = sql`e.tenant_id = named.tenant_id and e.task_id = named.task_id and e.step_id = named.id`;
  const condition = allOf(ofStep, matches(STEP_EVENT_FILTERS, filter));
  return readPage(
    database,
    sql`${eventPage(STEP_EVENTS, condition, page)} from steps named where named.id = ${stepId}`,
  );
}

/** Returns a page of an eval's matching events by seq; null if there is no such eval. */
export function listEvalEvents(
  database: TenantDatabase,
  evalId: string,
  filter: EvalEventFilter,
  page: EventPage,
): Promise<EventChunk<EvalEventRecord> | null> {
  const ofEval = sql`e.tenant_id = named.tenant_id and e.eval_id = named.id`;
  const condition = allOf(ofEval, matches(EVAL_EVENT_FILTERS, filter));
  return readPage(
    database,
    sql`${eventPage(EVAL_EVENTS, condition, page)} from evals named where named.id = ${evalId}`,
  );
}

const STEP_EVENTS = { table: sql`step_events`, row: STEP_EVENT_JSON, joins: EVENT_JOINS };
const EVAL_EVENTS = { table: sql`eval_step_events`, row: EVAL_EVENT_JSON, joins: sql`` };

function eventPage(
  { table, row, joins }: typeof STEP_EVENTS,
  condition: SQL,
  page: EventPage,
): SQL {
  const { limit, descending } = page;
  return pageOf({
    found: sql`select e.*, octet_length(e.payload) as bytes from ${table} e
        where ${allOf(condition, isBeyond(sql`e.seq`, page))}
        order by e.seq ${direction(descending)} limit ${limit}`,
    order: sql`seq ${direction(descending)}`,
    limit,
    rows: sql`select json_agg(${row} order by e.seq ${direction(descending)}) from page e ${joins}`,
  });
}

const direction = (descending: boolean): SQL => (descending ? sql`desc` : sql`asc`);

function isBeyond(position: SQL, { after, descending }: EventPage): SQL | false {
  if (after === null) return false;
  return descending ? sql`${position} < ${after}` : sql`${position} > ${after}`;
}

/** Returns the columns `rows` and `isLast` of a page: the rows that are found, until their `bytes` are too many. */
function pageOf(page: { found: SQL; order: SQL; limit: number; rows: SQL }): SQL {
  const { found, order, limit, rows } = page;
  const chunk = sql`found as materialized (${found}),
      page as materialized (${chunkOf(sql`found`, { order, limit })})`;
  return sql`select (with ${chunk} select json_build_object('rows', coalesce((${rows}), '[]'),
      'isLast', (select count(*) from found) = (select count(*) from page))) as page`;
}

/** Runs a statement that selects a page, or no row if its parent does not exist. */
async function readPage<Row>(
  database: TenantDatabase,
  statement: SQL,
): Promise<EventChunk<Row> | null> {
  const [found] = await database.read<{ page: { rows: Row[]; isLast: boolean } }>(statement);
  if (found === undefined) return null;
  const { rows, isLast } = found.page;
  return { rows, next: isLast ? null : true };
}

/** An event of either stream, with its position in the order of writing. */
export interface TimelineRecord {
  place: number;
  event: EventRecord;
}

/**
 * Returns a page of the matching events of a task and its evals, in the order of writing; null if there is no such
 * task.
 */
export function listTimeline(
  database: TenantDatabase,
  task: TaskRef,
  filter: TimelineFilter,
  page: EventPage,
): Promise<EventChunk<TimelineRecord> | null> {
  const { limit, descending } = page;
  const condition = allOf(
    sql`e.tenant_id = t.tenant_id and e.task_id = t.id`,
    matches(TIMELINE_FILTERS, filter),
    isBeyond(sql`e.feed_id`, page),
  );
  const places = (stream: SQL, evalId: SQL) => sql`
        select e.feed_id as place, e.tenant_id, e.task_id, e.seq, ${evalId} as eval_id,
          octet_length(e.payload) as bytes
        from ${stream} e where ${condition}`;
  const order = sql`place ${direction(descending)}`;
  const timeline = pageOf({
    found: sql`${places(sql`step_events`, sql`null::uuid`)} union all
        ${places(sql`eval_step_events`, sql`e.eval_id`)} order by ${order} limit ${limit}`,
    order,
    limit,
    rows: sql`select json_agg(json_build_object('place', placed.place, 'event', shown.event) order by placed.${order})
      from page placed cross join lateral (${EVENT_AT_PLACE}) shown`,
  });
  return readPage(database, sql`${timeline} from tasks t where ${isTask(task)}`);
}

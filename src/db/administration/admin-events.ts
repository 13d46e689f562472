import { sql } from "drizzle-orm";
import type { AdminEventType, AdminSubject } from "../../domain/admin-events.ts";
import type { Actor } from "../../domain/actor.ts";
import type { TenantDatabase } from "../connection/client.ts";
import { type Chunk, CHUNK_ROWS_MAX, chunkFrom, chunkOf } from "../sql/chunks.ts";
import { allOf, type FilterOf, matches } from "../sql/conditions.ts";
import { listed } from "../sql/listed.ts";
import { isActor } from "./actors.ts";

/** The public fields of a subject. */
type State = Record<string, unknown>;

/** An event of administration, as answers show it. */
export interface AdminEventRecord {
  seq: number;
  type: AdminEventType;
  subject: { kind: AdminSubject; id: string };
  actor: Actor;
  reason: string | null;
  /** The subject's public state `before` and `after`, and members that depend on the type. */
  payload: { before: State | null; after: State | null; [detail: string]: unknown };
  operationId: string;
  requestId: string;
  at: string;
  /** The text that is hashed: `hash` is `sha256(prevHash || canonical)`. */
  canonical: string;
  prevHash: string;
  hash: string;
}

/** The text that an event's hash covers, recomputed from its columns, from the alias e. */
const ADMIN_CANONICAL = sql`admin_event_canonical(e.tenant_id, e.seq, e.type, e.subject_kind, e.subject_id, e.actor_id,
  e.actor_name, e.actor_kind, e.actor_role, e.reason, e.payload, e.operation_id, e.request_id, e.at)`;

/** An AdminEventRecord as JSON, from the alias e. */
const ADMIN_EVENT_JSON = sql`json_build_object('seq', e.seq, 'type', e.type,
  'subject', json_build_object('kind', e.subject_kind, 'id', e.subject_id),
  'actor', json_build_object('id', e.actor_id, 'name', e.actor_name, 'kind', e.actor_kind, 'role', e.actor_role),
  'reason', e.reason, 'payload', e.payload::json, 'operationId', e.operation_id, 'requestId', e.request_id,
  'at', iso(e.at), 'canonical', ${ADMIN_CANONICAL}, 'prevHash', encode(e.prev_hash, 'hex'),
  'hash', encode(e.hash, 'hex'))`;

const ADMIN_EVENT_FILTERS = {
  type: (types: AdminEventType[]) => sql`e.type in (${listed(types)})`,
  subjectKind: (kind: AdminSubject) => sql`e.subject_kind = ${kind}`,
  subjectId: (id: string) => sql`e.subject_id = ${id}`,
  actorId: (id: string) => sql`e.actor_id = ${id}`,
  /** The id of an actor, or of a person, who can be several actors. */
  actor: (actor: string) => isActor(sql`e.actor_id`, actor),
  createdAfter: (time: string) => sql`e.at > ${time}::timestamptz`,
  createdBefore: (time: string) => sql`e.at < ${time}::timestamptz`,
};

export type AdminEventFilter = FilterOf<typeof ADMIN_EVENT_FILTERS>;

/** Returns a page of the matching events by seq. `after` is the last seq of the page before. */
export async function listAdminEvents(
  database: TenantDatabase,
  filter: AdminEventFilter,
  { after, limit, descending }: { after: number | null; limit: number; descending: boolean },
): Promise<AdminEventRecord[]> {
  const beyond = descending ? sql`<` : sql`>`;
  const condition = allOf(
    matches(ADMIN_EVENT_FILTERS, filter),
    after !== null && sql`e.seq ${beyond} ${after}`,
  );
  const rows = await database.read<{ event: AdminEventRecord }>(sql`
    select ${ADMIN_EVENT_JSON} as event from admin_events e where ${condition}
    order by e.seq ${descending ? sql`desc` : sql`asc`} limit ${limit}`);
  return rows.map(({ event }) => event);
}

/** Returns a chunk of the matching events after a seq, oldest first. */
export async function readAdminEventChunk(
  database: TenantDatabase,
  filter: AdminEventFilter,
  after: number | null,
): Promise<Chunk<AdminEventRecord, number>> {
  const condition = allOf(sql`e.seq > ${after ?? 0}`, matches(ADMIN_EVENT_FILTERS, filter));
  const limit = CHUNK_ROWS_MAX;
  return chunkFrom(
    await database.read<{ row: AdminEventRecord; place: number; isLast: boolean }>(sql`
with found as materialized (
  select e.*, octet_length(e.payload) as bytes from admin_events e where ${condition} order by e.seq limit ${limit + 1}
),
page as materialized (${chunkOf(sql`found`, { order: sql`seq`, limit })})
select ${ADMIN_EVENT_JSON} as row, e.seq as place, (select count(*) from found) = (select count(*) from page) as "isLast"
from page e order by e.seq`),
  );
}

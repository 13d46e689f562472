import { type SQL, sql } from "drizzle-orm";
import type { AdminSubject } from "../../domain/admin-events.ts";
import type { Actor, Credential } from "../../domain/actor.ts";
import { forbidden, type Refusal, unauthenticated } from "../../domain/refusals.ts";
import type { Operation, TenantDatabase, Written } from "../connection/client.ts";
import { DatabaseFault } from "../connection/faults.ts";
import { keepOrDrop } from "../ledger/operations.ts";

/** Who administers, why, and through which call. */
export interface Administration {
  actor: Actor;
  credential: Credential;
  /** Null if the caller gave none. */
  reason: string | null;
  operation: Operation;
  requestId: string;
}

/** An administrative change of one row, as parts of one statement. */
export interface AdministrativeChange {
  subject: AdminSubject;
  /** Selects the row as it is before the change: its `state` (see ADMINISTERED), and columns that other parts read. */
  before: SQL;
  /** Changes the row. Returns its id in events as `subject`, its new `state`, and columns that other parts read. */
  change: SQL;
  /** The event's type, as text, from the aliases `was` (null if there was no row) and `changed`. */
  type: SQL;
  /** Members that the event's payload has beside `before` and `after`, as jsonb. */
  details?: SQL;
  /** A condition for an event about a change that the state does not show. */
  alsoIf?: SQL;
  /** Further CTEs, which can read `was` and `changed`, and which `details` can read. */
  effects?: SQL;
  /** If nothing was written: the first case whose condition on `was` holds. Without one, there was no such row. */
  refusals?: readonly { when: SQL; refusal: Refusal }[];
  /** What the ledger stores for a repeat, from `changed` and the operation o. */
  result: SQL;
  /** The columns to return, from `changed`. */
  columns: SQL;
}

/** What became of an administrative write: it can also be refused, if the caller's credential has just ended. */
export type Administered<Row> = Written<Row> | { outcome: "refused"; refusal: Refusal };

/**
 * Writes one administrative change together with its event. Before the change, the database asks for the caller's key
 * afresh and locks the tenant's administration (admit_administrator), so that a revoked key has no effect once its
 * revocation is committed, and `before` is the row that `change` finds. A change that changes nothing appends no event.
 * If `change` returns no row, nothing is written, the operation is dropped, and the result has no row or is refused.
 */
export async function writeAdministration<Row>(
  database: TenantDatabase,
  by: Administration,
  parts: AdministrativeChange,
): Promise<Administered<Row>> {
  const written = await administer<Row & { isWritten: boolean; refused: number | null }>(
    database,
    by,
    [statement(database.tenantId, by, parts)],
  );
  if (written.outcome !== "written") return written;
  const refused = written.rows[0]?.refused ?? null;
  const refusal = refused === null ? undefined : parts.refusals?.[refused]?.refusal;
  if (refusal !== undefined) return { outcome: "refused", refusal };
  return { outcome: "written", rows: written.rows.filter(({ isWritten }) => isWritten) };
}

/**
 * Runs the statements of an administrative write after the fresh check of its caller, for a write that does not fit
 * `writeAdministration`. Its last statement has the CTE of `recordedEvent`. A repeat is checked too, because its answer
 * may show a secret.
 */
export async function administer<Row>(
  database: TenantDatabase,
  { credential, operation }: Administration,
  statements: readonly SQL[],
): Promise<Administered<Row>> {
  try {
    return await database.write<Row>(operation, statements, { first: admission(credential) });
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === null) throw error;
    // The answer to an earlier attempt of this call may have been lost, and that attempt may have ended the credential.
    const stored = await database.findOperation(operation);
    if (stored?.id === operation.id) return { outcome: "replayed", operation: stored };
    return { outcome: "refused", refusal };
  }
}

/**
 * The statement that puts the administrative writes of a tenant in order. It comes first, so that the next statement sees
 * everything that was committed before.
 */
export const lockAdministration = (): SQL => sql`select admit_administrator(null)`;

/** The first statement takes the lock, so that the others see everything that was committed before. */
function admission(credential: Credential): SQL[] {
  if (credential.type === "key")
    return [sql`select admit_administrator(${credential.keyId}::uuid)`];
  const { personId, namesRole } = credential;
  if (personId === null) return [lockAdministration()];
  return [lockAdministration(), sql`select admit_person(${personId}::uuid, ${namesRole}::boolean)`];
}

/** The SQLSTATEs that admit_administrator and admit_person raise. */
function refusalOf(error: unknown): Refusal | null {
  if (!(error instanceof DatabaseFault)) return null;
  if (error.sqlState === "SL002") return unauthenticated();
  return error.sqlState === "SL003" ? forbidden("admin") : null;
}

/** What an event says about its call. */
type EventSource = Pick<Administration, "actor" | "reason" | "requestId"> & {
  operation: Pick<Operation, "id">;
};

/** An insert of events. `rows` selects the type, the subject's id, and the payload as jsonb. */
export function insertAdminEvents(
  tenantId: string,
  { actor, reason, operation, requestId }: EventSource,
  { subject, rows }: { subject: AdminSubject; rows: SQL },
): SQL {
  return sql`insert into admin_events (tenant_id, type, subject_kind, subject_id, actor_id, actor_name, actor_kind,
    actor_role, reason, payload, operation_id, request_id)
  select ${tenantId}::uuid, event.type, ${subject}::text, event.subject_id,
    ${actor.id}::text, ${actor.name}::text, ${actor.kind}::text, ${actor.role}::text, ${reason}::text,
    event.payload::text, ${operation.id}::uuid, ${requestId}::text
  from (${rows}) as event(type, subject_id, payload)`;
}

/**
 * The CTE `recorded`, which appends the event of an administrative write. It reads the CTEs `was` (the subject's state
 * before) and `changed` (one row if something was written). `id` and `state` are SQL over `changed`.
 */
export function recordedEvent(
  tenantId: string,
  by: EventSource,
  event: Pick<AdministrativeChange, "subject" | "type" | "details" | "alsoIf"> & {
    id: SQL;
    state: SQL;
  },
): SQL {
  const { subject, type, details = sql`'{}'::jsonb`, alsoIf = sql`false`, id, state } = event;
  return sql`recorded as (
  ${insertAdminEvents(tenantId, by, {
    subject,
    rows: sql`select ${type}, ${id}, jsonb_build_object('before', was.state, 'after', ${state}) || ${details}
    from changed left join was on true
    where was.state is distinct from ${state} or ${alsoIf}`,
  })}
)`;
}

function statement(
  tenantId: string,
  by: Administration,
  {
    before,
    change,
    effects = sql``,
    refusals = [],
    result,
    columns,
    ...event
  }: AdministrativeChange,
): SQL {
  const cases = refusals.map(({ when }, index) => sql`when ${when} then ${index}::integer`);
  const refused =
    cases.length === 0 ? sql`null::integer` : sql`case ${sql.join(cases, sql` `)} end`;
  const recorded = { ...event, id: sql`changed.subject`, state: sql`changed.state` };
  return sql`
with was as materialized (${before}),
changed as (${change})${effects},
${recordedEvent(tenantId, by, recorded)},
${keepOrDrop({ tenantId, operation: by.operation }, { from: sql`changed`, result })}
select changed.subject is not null as "isWritten",
  case when changed.subject is null then ${refused} end as refused, ${columns}
from (select) call left join changed on true left join was on true`;
}

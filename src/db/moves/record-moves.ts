import type { Written, TenantDatabase } from "../connection/client.ts";
import { type BulkBatch, openBulk } from "../bulk/bulk-ledger.ts";
import { type BulkEnding, enqueueEnding } from "../bulk/end-bulk.ts";
import { type Move, type MoveCall, moveInput } from "./move-input.ts";
import { effectsOf, lockStatements, moveStatement } from "./move-statement.ts";
import {
  type MoveInputName,
  type PlainMoveInputName,
  RECORD_MOVES,
  RECORD_PLAIN_MOVES,
} from "./prepared-moves.ts";
import type { Pipeline } from "../../domain/pipelines/pipelines.ts";

export type { Move, MoveCall } from "./move-input.ts";

/** An event as it was written: the numbers, times and hashes that only the writer knows. */
export interface WrittenEvent {
  taskId: string;
  seq: number;
  at: string;
  canonical: string;
  prevHash: string;
  hash: string;
}

export interface WrittenDispatch {
  id: string;
  pipeline: Pipeline;
  taskId: string;
}

/** What the statement wrote. A task that moved since it was loaded has no event here. */
export interface RecordedMoves {
  events: WrittenEvent[];
  dispatched: WrittenDispatch[];
}

/** What a bulk's statement tells beside. */
export interface RecordedBulkMoves extends RecordedMoves {
  /** Tasks that were changed without an event: dispatches alone were made or called back. */
  silent: string[];
  recalled: number;
  alreadyDelivered: number;
}

/** What the ledger keeps of a call, and what its answer is rendered from; of a single move without a key no answer. */
export interface StoredMoves<Answer> extends RecordedMoves {
  answer: Answer;
}

/**
 * The one writer: records any number of decided moves in one round trip, each task whole or not at all.
 * Tasks whose event_seq is no longer the planned one are left alone. Where nothing was written, the
 * operation leaves no trace unless the call says so, so that a later try is judged afresh.
 */
export async function recordMoves(
  database: TenantDatabase,
  moves: readonly Move[],
  call: MoveCall,
): Promise<Written<RecordedMoves>> {
  const { actor, operation, requestId, registryVersion, isKeptIfEmpty } = call;
  const values = {
    ...moveInput(moves),
    actor_name: actor.name,
    actor_kind: actor.kind,
    actor_role: actor.role,
    request_id: requestId,
    registry_version: registryVersion,
    answer: answerText(call),
    is_kept_if_empty: isKeptIfEmpty,
  };
  type Row = RecordedMoves & HasListeners;
  const isPlain = Object.values(effectsOf(moves)).every((isDone) => !isDone);
  const written = isPlain
    ? await database.writePrepared<Row, PlainMoveInputName>(operation, RECORD_PLAIN_MOVES, values)
    : await database.writePrepared<Row, MoveInputName>(operation, RECORD_MOVES, values);
  return enqueueSideEffects(database, written);
}

/**
 * The same for a batch of a bulk operation: its items and its end are written with what they tell of. The statement is
 * sent as it is: for a thousand tasks a plan costs little.
 */
export async function recordBulkMoves(
  database: TenantDatabase,
  moves: readonly Move[],
  call: MoveCall & { bulk: BulkBatch },
): Promise<Written<RecordedBulkMoves>> {
  const { tenantId } = database;
  const inputs = { ...call, tenantId, input: moveInput(moves), answer: answerText(call) };
  const effects = effectsOf(moves);
  const written = await database.write<RecordedBulkMoves & HasListeners & BulkEnding>(
    call.operation,
    [
      ...openBulk(tenantId, call.bulk),
      ...lockStatements(inputs, effects),
      moveStatement(inputs, effects),
    ],
  );
  if (written.outcome === "written") enqueueEnding(database, written.rows[0]);
  return enqueueSideEffects(database, written);
}

function answerText({ answer }: MoveCall): string {
  return JSON.stringify(answer) ?? "null";
}

/** Whether webhooks of the tenant listen to what was written. */
export interface HasListeners {
  hasListeners: boolean;
}

/** Notes what is to leave the database now that it is committed. */
export function enqueueSideEffects<Recorded extends RecordedMoves & HasListeners>(
  { outgoing }: TenantDatabase,
  written: Written<Recorded>,
): Written<Recorded> {
  if (written.outcome === "written") {
    const [row] = written.rows;
    outgoing.dispatches ||= (row?.dispatched.length ?? 0) > 0;
    outgoing.events ||= row?.hasListeners === true && row.events.length > 0;
  }
  return written;
}

import type { Written, TenantDatabase } from "../connection/client.ts";
import { type BulkBatch, openBulk } from "../bulk/bulk-ledger.ts";
import { type BulkEnding, enqueueEnding } from "../bulk/end-bulk.ts";
import { type Move, type MoveCall, moveInput } from "./move-input.ts";
import { callInputs } from "./call-inputs.ts";
import { effectsOf, lockStatements, moveStatement } from "./move-statement.ts";
import {
  type MoveInputName,
  type PlainMoveInputName,
  RECORD_MOVES,
  RECORD_PLAIN_MOVES,
} from "./prepared-moves.ts";
import type { Pipeline } from "../../domain/pipelines/pipelines.ts";

export type { Move, MoveCall } from "./move-input.ts";

/** A written event: the values that only the database assigns. */
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

/** The written rows. A task that was changed by another call after it was loaded has no event here. */
export interface RecordedMoves {
  events: WrittenEvent[];
  dispatched: WrittenDispatch[];
  /** What became of the dispatches of an undone change. Absent for plain moves, which undo nothing. */
  undone?: UndoneDispatches;
}

export interface UndoneDispatches {
  recalled: number;
  alreadyDelivered: number;
}

/** The written rows of a bulk batch. */
export interface RecordedBulkMoves extends RecordedMoves, UndoneDispatches {
  /** Tasks that changed without an event: dispatches were only created or recalled. */
  silent: string[];
}

/**
 * What the ledger stores for a call. Its answer is rendered from this. A single move without a key stores no `answer`.
 */
export interface StoredMoves<Answer> extends RecordedMoves {
  answer: Answer;
}

/**
 * Records any number of decided moves in one round trip, each task completely or not at all. This is the only writer of
 * task events. A task whose event_seq is no longer the planned one is skipped. If nothing was written, the operation is
 * dropped unless the call keeps it, so that a retry is decided again.
 */
export async function recordMoves(
  database: TenantDatabase,
  moves: readonly Move[],
  call: MoveCall,
): Promise<Written<RecordedMoves>> {
  const { operation } = call;
  const input = moveInput(moves, database.plannedAt);
  const values = { ...input, ...callInputs(call), answer: answerText(call) };
  type Row = RecordedMoves & HasListeners;
  const isPlain = Object.values(effectsOf(moves)).every((isPresent) => !isPresent);
  const written = isPlain
    ? await database.writePrepared<Row, PlainMoveInputName>(operation, RECORD_PLAIN_MOVES, values)
    : await database.writePrepared<Row, MoveInputName>(operation, RECORD_MOVES, values);
  return enqueueSideEffects(database, written);
}

/**
 * Records a batch of a bulk operation. The outcomes of its items, and the end of the operation, are written in the same
 * statement. It is sent as text, because planning costs little for a thousand tasks.
 */
export async function recordBulkMoves(
  database: TenantDatabase,
  moves: readonly Move[],
  call: MoveCall & { bulk: BulkBatch },
): Promise<Written<RecordedBulkMoves>> {
  const { tenantId, plannedAt } = database;
  const inputs = {
    ...call,
    tenantId,
    input: moveInput(moves, plannedAt),
    answer: answerText(call),
  };
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

/** Whether a webhook of the tenant listens to tasks. */
export interface HasListeners {
  hasListeners: boolean;
}

/** Adds the side effects of a committed write to the outgoing ones. */
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

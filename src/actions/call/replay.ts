import type { Operation, OperationRecord } from "../../db/connection/client.ts";
import { succeed, type Outcome, refuse, type Refusal } from "../../domain/refusals.ts";
import type { Done } from "./call.ts";

/** Turns a result that the ledger stores into an answer: the same on the first call and on every replay. */
export type Render<Result, Value> = (result: Result) => Value | Promise<Value>;

/**
 * Answers from what an earlier call stored under this operation's id or idempotency key. `keepOrDrop` in
 * db/ledger/operations.ts stores it, and `operationQuery` in db/connection/stored-operation.ts finds it.
 */
export async function replay<Result, Value>(
  operation: Operation,
  stored: OperationRecord,
  render: Render<Result, Value>,
): Promise<Outcome<Done<Value>>> {
  const result = replayOf<Result>(operation, stored);
  if (!result.ok) return result;
  // The database layer retries under one operation id. If it finds the result of its own first attempt, this is still
  // the first answer to the caller.
  return succeed({ value: await render(result.value), replayed: stored.id !== operation.id });
}

/** Returns what an earlier call stored under the same key, or refuses if that call had another body. */
export function replayOf<Result>(operation: Operation, stored: OperationRecord): Outcome<Result> {
  if (stored.fingerprint !== operation.fingerprint) {
    return refuse({
      code: "idempotency_key_reused",
      detail:
        "An earlier request used this Idempotency-Key with different parameters. Use a new key.",
    });
  }
  // The same route wrote the result from the same shape; nothing else writes this column.
  return succeed(stored.result as Result);
}

/** The refusal of a call whose idempotency key belongs to a call that is still in progress. */
export function inProgress(): Refusal {
  return {
    code: "operation_in_progress",
    detail: "An earlier request with this Idempotency-Key is still in progress.",
  };
}

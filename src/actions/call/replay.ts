import type { Operation, OperationRecord, Written } from "../../db/connection/client.ts";
import { succeed, type Outcome, refuse, type Refusal } from "../../domain/refusals.ts";
import type { Done } from "./call.ts";

/** Renders an answer from what the ledger stores: the same the first time and at every repeat. */
type Render<Result, Value> = (result: Result) => Value | Promise<Value>;

/** What a write was: the first of its operation, with its rows, or none, with the answer that stands. */
type Settled<Row, Value> = { rows: Row[] } | { answer: Outcome<Done<Value>> };

/** Tells the rows of a write that was done now from the answer of one that an earlier try did or still does. */
export async function settle<Row, Result, Value>(
  operation: Operation,
  written: Written<Row>,
  render: Render<Result, Value>,
): Promise<Settled<Row, Value>> {
  switch (written.outcome) {
    case "written":
      return { rows: written.rows };
    case "replayed":
      return { answer: await replay(operation, written.operation, render) };
    case "in_progress":
      return { answer: refuse(inProgress()) };
  }
}

/** The answer of an earlier try of this operation, or of its key. */
export async function replay<Result, Value>(
  operation: Operation,
  stored: OperationRecord,
  render: Render<Result, Value>,
): Promise<Outcome<Done<Value>>> {
  const result = replayOf<Result>(operation, stored);
  if (!result.ok) return result;
  // A retry below this call that finds its own first try did not repeat anything for the caller.
  return succeed({ value: await render(result.value), replayed: stored.id !== operation.id });
}

/** What an earlier call under the same key stored; a key that was used for something else is refused. */
export function replayOf<Result>(operation: Operation, stored: OperationRecord): Outcome<Result> {
  if (stored.fingerprint !== operation.fingerprint) {
    return refuse({
      code: "idempotency_key_reused",
      detail: "The first call with this Idempotency-Key asked for something else.",
    });
  }
  // Written by the same route from the same shape: the ledger is this type's only source.
  return succeed(stored.result as Result);
}

/** The first call of this key has not ended: nothing can be said about it yet. */
export function inProgress(): Refusal {
  return {
    code: "operation_in_progress",
    detail: "The first call with this Idempotency-Key has not ended yet.",
  };
}

import type { Operation, StoredOperation } from "../db/client.ts";
import { type Outcome, type Refusal, accept, refuse } from "../domain/refusals.ts";

/** What an earlier call under the same key stored; a key that was used for something else is refused. */
export function replayOf<Result>(operation: Operation, stored: StoredOperation): Outcome<Result> {
  if (stored.fingerprint !== operation.fingerprint) {
    return refuse({
      code: "idempotency_key_reused",
      detail: "The first call with this Idempotency-Key asked for something else.",
    });
  }
  // Written by the same route from the same shape: the ledger is this type's only source.
  return accept(stored.result as Result);
}

/** The first call of this key has not ended: nothing can be said about it yet. */
export function inProgress(): Refusal {
  return {
    code: "operation_in_progress",
    detail: "The first call with this Idempotency-Key has not ended yet.",
  };
}

import type { Operation, Written } from "../../db/connection/client.ts";
import type { StoredWithSecret } from "../../db/webhooks/signing-secrets.ts";
import type { Outcome } from "../../domain/refusals.ts";
import { secretText } from "../../outbound/secrets.ts";
import type { Done } from "../call/call.ts";
import { conclude } from "../call/conclude.ts";

/** A record that signs its messages, with its new secret if this call created one. No later answer shows it. */
export type WithSecret<Record> = Record & { secret: string | null };

/** Shows the secret that this call created. A replay by a later call cannot show it. */
export async function answerWithSecret<Record extends object>(
  operation: Operation,
  created: Uint8Array,
  written: Written<StoredWithSecret<Record>>,
): Promise<Outcome<Done<WithSecret<Record>>>> {
  return conclude(operation, written, {
    result: (stored) => stored,
    // A retry inside this call may find its own first attempt in the ledger: the secret is still in memory.
    render: ({ record, operationId, isSecretMade }) => ({
      ...record,
      secret: isSecretMade && operationId === operation.id ? secretText(created) : null,
    }),
  });
}

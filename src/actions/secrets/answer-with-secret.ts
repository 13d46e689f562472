import type { Operation, Written } from "../../db/connection/client.ts";
import type { StoredWithSecret } from "../../db/webhooks/signing-secrets.ts";
import { succeed, notFound, type Outcome, refuse } from "../../domain/refusals.ts";
import { secretText } from "../../outbound/secrets.ts";
import type { Done } from "../call/call.ts";
import { settle } from "../call/replay.ts";

/** A thing that signs its messages, with its secret where one was made; nobody sees it again. */
export type WithSecret<Record> = Record & { secret: string | null };

/** Shows the secret that this very call made; a repeat by another one has none to show. */
export async function answerWithSecret<Record extends object>(
  operation: Operation,
  made: Uint8Array,
  written: Written<StoredWithSecret<Record>>,
): Promise<Outcome<Done<WithSecret<Record>>>> {
  // Found by a retry below this call, the secret is this call's own, and still at hand.
  const render = ({ record, operationId, isSecretMade }: StoredWithSecret<Record>) => ({
    ...record,
    secret: isSecretMade && operationId === operation.id ? secretText(made) : null,
  });
  const settled = await settle(operation, written, render);
  if ("answer" in settled) return settled.answer;
  const [stored] = settled.rows;
  return stored === undefined
    ? refuse(notFound())
    : succeed({ value: render(stored), replayed: false });
}

import { rotateSecret, type StoredWebhook } from "../db/webhooks.ts";
import { accept, notFound, type Outcome, refuse } from "../domain/refusals.ts";
import type { ActionCall, Done } from "./call.ts";
import { settle } from "./replay.ts";
import { newWebhookSecret, type WebhookWithSecret } from "./webhook-secret.ts";

/** Gives a webhook another secret, which only this answer shows; the one before signs along for a day. */
export async function rotateWebhookSecret(
  { database, operation }: ActionCall,
  name: string,
): Promise<Outcome<Done<WebhookWithSecret>>> {
  const secret = newWebhookSecret();
  const render = ({ record, operationId }: StoredWebhook): WebhookWithSecret => ({
    ...record,
    // Found by a retry below this call, the secret is this call's own, and still at hand.
    secret: operationId === operation.id ? secret.text : null,
  });
  const recorded = await rotateSecret(database, { name, secret: secret.bytes }, operation);
  const settled = await settle(operation, recorded, render);
  if ("answer" in settled) return settled.answer;
  const [rotated] = settled.rows;
  return rotated === undefined
    ? refuse(notFound())
    : accept({ value: render(rotated), replayed: false });
}

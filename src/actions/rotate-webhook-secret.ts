import { rotateSecret, type StoredWebhook, type WebhookRecord } from "../db/webhooks.ts";
import { accept, notFound, type Outcome, refuse } from "../domain/refusals.ts";
import { newSecret, PREVIOUS_SECRET_HOURS, secretText } from "../outbound/secrets.ts";
import type { ActionCall, Done } from "./call.ts";
import { settle } from "./replay.ts";

/** A webhook with its new secret; null in the answer to a repeat, since nobody sees it twice. */
export interface RotatedWebhook extends WebhookRecord {
  secret: string | null;
}

/** Gives a webhook another secret, which only this answer shows; the one before signs along for a day. */
export async function rotateWebhookSecret(
  { database, operation }: ActionCall,
  name: string,
): Promise<Outcome<Done<RotatedWebhook>>> {
  const secret = newSecret();
  const render = ({ record, operationId }: StoredWebhook): RotatedWebhook => ({
    ...record,
    // Found by a retry below this call, the secret is this call's own, and still at hand.
    secret: operationId === operation.id ? secretText(secret) : null,
  });
  const rotation = { name, secret, keptHours: PREVIOUS_SECRET_HOURS };
  const recorded = await rotateSecret(database, rotation, operation);
  const settled = await settle(operation, recorded, render);
  if ("answer" in settled) return settled.answer;
  const [rotated] = settled.rows;
  return rotated === undefined
    ? refuse(notFound())
    : accept({ value: render(rotated), replayed: false });
}

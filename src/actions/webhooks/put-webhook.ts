import { uuidv7 } from "uuidv7";
import {
  storeWebhook,
  type WebhookRecord,
  type WebhookSettings,
} from "../../db/webhooks/webhooks.ts";
import { type Outcome, refuse, urlNotAllowed } from "../../domain/refusals.ts";
import { WEBHOOK_EVENTS } from "../../domain/webhooks/events.ts";
import { judgeEndpoint } from "../../outbound/endpoint-rules.ts";
import type { Outbound } from "../../outbound/post-signed.ts";
import { newSecret } from "../../outbound/secrets.ts";
import { answerWithSecret, type WithSecret } from "../secrets/answer-with-secret.ts";
import type { ActionCall, Done } from "../call/call.ts";

/** Makes a webhook, whose secret only this answer shows, or gives one other settings and leaves its secret alone. */
export async function putWebhook(
  { database, operation, outbound }: ActionCall & { outbound: Outbound },
  settings: WebhookSettings,
): Promise<Outcome<Done<WithSecret<WebhookRecord>>>> {
  const judged = judgeEndpoint(settings.url, outbound);
  if (!judged.ok) return refuse(urlNotAllowed(judged.detail));
  const made = newSecret();
  const events = WEBHOOK_EVENTS.filter((event) => settings.events.includes(event));
  const written = await storeWebhook(
    database,
    { ...settings, events },
    { id: uuidv7(), made },
    operation,
  );
  // What waits goes out now, where it is enabled again or led elsewhere.
  database.outgoing.events ||= settings.enabled;
  return answerWithSecret(operation, made, written);
}

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

/** Creates a webhook, whose secret only this answer shows, or updates the settings of one and keeps its secret. */
export async function putWebhook(
  { database, operation, outbound }: ActionCall & { outbound: Outbound },
  settings: WebhookSettings,
): Promise<Outcome<Done<WithSecret<WebhookRecord>>>> {
  const judged = judgeEndpoint(settings.url, outbound);
  if (!judged.ok) return refuse(urlNotAllowed(judged.detail));
  const created = newSecret();
  const events = WEBHOOK_EVENTS.filter((event) => settings.events.includes(event));
  const written = await storeWebhook(
    database,
    { ...settings, events },
    { id: uuidv7(), generated: created },
    operation,
  );
  // If it was enabled again or its URL has changed, its waiting messages can go out now.
  database.outgoing.events ||= settings.enabled;
  return answerWithSecret(operation, created, written);
}

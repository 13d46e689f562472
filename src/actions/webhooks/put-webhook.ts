import { uuidv7 } from "uuidv7";
import {
  storeWebhook,
  type WebhookRecord,
  type WebhookSettings,
} from "../../db/webhooks/webhooks.ts";
import { type Outcome, refuse, urlNotAllowed } from "../../domain/refusals.ts";
import { WEBHOOK_EVENTS } from "../../domain/webhooks/events.ts";
import { judgeEndpoint } from "../../outbound/endpoint-rules.ts";
import { newSecret } from "../../outbound/secrets.ts";
import { administrationOf, type Done } from "../call/call.ts";
import { type SecretCall, type WithSecret, writeSecret } from "../secrets/write-secret.ts";

/** Creates a webhook, whose secret only this answer shows, or updates the settings of one and keeps its secret. */
export async function putWebhook(
  call: SecretCall,
  { reason, ...settings }: WebhookSettings & { reason?: string | undefined },
): Promise<Outcome<Done<WithSecret<WebhookRecord>>>> {
  const { database, outbound } = call;
  const judged = judgeEndpoint(settings.url, outbound);
  if (!judged.ok) return refuse(urlNotAllowed(judged.detail));
  const events = WEBHOOK_EVENTS.filter((event) => settings.events.includes(event));
  const id = uuidv7();
  // If it was enabled again or its URL has changed, its waiting messages can go out now.
  database.outgoing.events ||= settings.enabled;
  const owner = { kind: "webhook", name: settings.name } as const;
  return writeSecret(call, owner, { value: newSecret(), isGenerated: true }, (secret) =>
    storeWebhook(database, { ...settings, events }, { id, secret }, administrationOf(call, reason)),
  );
}

import { uuidv7 } from "uuidv7";
import {
  type StoredWebhook,
  storeWebhook,
  type WebhookRecord,
  type WebhookSettings,
} from "../db/webhooks.ts";
import { accept, type Outcome, refuse, urlNotAllowed } from "../domain/refusals.ts";
import { WEBHOOK_EVENTS } from "../domain/webhooks/events.ts";
import { judgeEndpoint } from "../outbound/endpoint-rules.ts";
import type { Outbound } from "../outbound/post-signed.ts";
import { newSecret, secretText } from "../outbound/secrets.ts";
import type { ActionCall, Done } from "./call.ts";
import { settle } from "./replay.ts";

/** A webhook as it stands after a call. */
export interface PutWebhook extends WebhookRecord {
  isNew: boolean;
  /** Null where the webhook was there: its secret stays as it is, and nobody sees it again. */
  secret: string | null;
}

/** Makes a webhook, whose secret only this answer shows, or gives one other settings and leaves its secret alone. */
export async function putWebhook(
  { database, operation, outbound }: ActionCall & { outbound: Outbound },
  settings: WebhookSettings,
): Promise<Outcome<Done<PutWebhook>>> {
  const judged = judgeEndpoint(settings.url, outbound);
  if (!judged.ok) return refuse(urlNotAllowed(judged.detail));
  const secret = newSecret();
  const events = WEBHOOK_EVENTS.filter((event) => settings.events.includes(event));
  const webhook = { ...settings, events, id: uuidv7(), secret };
  // Only this very call finds its operation again: so the secret that it shows is the one that was stored.
  const render = ({ record, isNew }: StoredWebhook): PutWebhook => ({
    ...record,
    isNew,
    secret: isNew ? secretText(secret) : null,
  });
  const settled = await settle(operation, await storeWebhook(database, webhook, operation), render);
  // What waits for a webhook that was disabled or led elsewhere goes out now.
  database.outgoing.events ||= settings.enabled;
  if ("answer" in settled) return settled.answer;
  const [stored] = settled.rows;
  if (stored === undefined) throw new Error("A webhook is stored or the statement fails");
  return accept({ value: render(stored), replayed: false });
}

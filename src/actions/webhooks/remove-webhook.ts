import type { StoredWithSecret } from "../../db/webhooks/signing-secrets.ts";
import { deleteWebhook, type WebhookRecord } from "../../db/webhooks/webhooks.ts";
import { succeed, notFound, type Outcome, refuse } from "../../domain/refusals.ts";
import type { ActionCall, Done } from "../call/call.ts";
import { settle } from "../call/replay.ts";

/** Takes a webhook away for good: nothing more is sent to it, and what it was told is out of sight. */
export async function removeWebhook(
  { database, operation }: ActionCall,
  name: string,
): Promise<Outcome<Done<WebhookRecord>>> {
  const recorded = await deleteWebhook(database, name, operation);
  const recordOf = ({ record }: StoredWithSecret<WebhookRecord>) => record;
  const settled = await settle(operation, recorded, recordOf);
  if ("answer" in settled) return settled.answer;
  const [removed] = settled.rows;
  return removed === undefined
    ? refuse(notFound())
    : succeed({ value: removed.record, replayed: false });
}

import { deleteWebhook, type WebhookRecord } from "../../db/webhooks/webhooks.ts";
import type { Outcome } from "../../domain/refusals.ts";
import type { ActionCall, Done } from "../call/call.ts";
import { conclude } from "../call/conclude.ts";

/** Deletes a webhook permanently. Nothing more is sent to it, and its deliveries are no longer listed. */
export async function removeWebhook(
  { database, operation }: ActionCall,
  name: string,
): Promise<Outcome<Done<WebhookRecord>>> {
  const removed = await deleteWebhook(database, name, operation);
  return conclude(operation, removed, {
    result: ({ record }) => (record === null ? null : { record }),
    render: ({ record }) => record,
  });
}

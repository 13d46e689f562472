import { deleteWebhook, type WebhookRecord } from "../../db/webhooks/webhooks.ts";
import type { Outcome } from "../../domain/refusals.ts";
import { type AdministrativeCall, administrationOf, type Done } from "../call/call.ts";
import { conclude } from "../call/conclude.ts";

/** Deletes a webhook permanently. Nothing more is sent to it, and its deliveries are no longer listed. */
export async function removeWebhook(
  call: AdministrativeCall,
  { name, reason }: { name: string; reason?: string | undefined },
): Promise<Outcome<Done<WebhookRecord>>> {
  const removed = await deleteWebhook(call.database, name, administrationOf(call, reason));
  return conclude(call.operation, removed, {
    result: ({ record }) => (record === null ? null : { record }),
    render: ({ record }) => record,
  });
}

import { type DeliveryRecord, retryDelivery } from "../../db/webhooks/webhook-deliveries.ts";
import type { Outcome } from "../../domain/refusals.ts";
import { type AdministrativeCall, administrationOf, type Done } from "../call/call.ts";
import { asStored, conclude } from "../call/conclude.ts";

/** Sends a webhook message again, under the same id, with a new set of attempts. */
export async function retryWebhookDelivery(
  call: AdministrativeCall,
  { reason, ...delivery }: { webhook: string; deliveryId: string; reason?: string | undefined },
): Promise<Outcome<Done<DeliveryRecord>>> {
  const { database, operation } = call;
  const retried = await retryDelivery(database, delivery, administrationOf(call, reason));
  database.outgoing.events ||= retried.outcome === "written" && retried.rows.length > 0;
  return conclude(operation, retried, { result: ({ record }) => record, render: asStored });
}

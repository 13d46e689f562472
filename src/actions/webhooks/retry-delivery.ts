import { type DeliveryRecord, retryDelivery } from "../../db/webhooks/webhook-deliveries.ts";
import type { Outcome } from "../../domain/refusals.ts";
import type { ActionCall, Done } from "../call/call.ts";
import { asStored, conclude } from "../call/conclude.ts";

/** Sends a webhook message again, under the same id, with a new set of attempts. */
export async function retryWebhookDelivery(
  { database, operation }: ActionCall,
  delivery: { webhook: string; deliveryId: string },
): Promise<Outcome<Done<DeliveryRecord>>> {
  const retried = await retryDelivery(database, delivery, operation);
  database.outgoing.events ||= retried.outcome === "written" && retried.rows.length > 0;
  return conclude(operation, retried, { result: ({ record }) => record, render: asStored });
}

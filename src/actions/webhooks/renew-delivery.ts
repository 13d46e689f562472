import { type DeliveryRecord, renewDelivery } from "../../db/webhooks/webhook-deliveries.ts";
import type { Outcome } from "../../domain/refusals.ts";
import type { ActionCall, Done } from "../call/call.ts";
import { asStored, conclude } from "../call/conclude.ts";

/** Sends a webhook message again, under the same id. Its earlier attempts stay on record. */
export async function renewWebhookDelivery(
  { database, operation }: ActionCall,
  delivery: { webhook: string; deliveryId: string },
): Promise<Outcome<Done<DeliveryRecord>>> {
  const renewed = await renewDelivery(database, delivery, operation);
  database.outgoing.events ||= renewed.outcome === "written" && renewed.rows.length > 0;
  return conclude(operation, renewed, { result: ({ record }) => record, render: asStored });
}

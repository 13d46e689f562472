import { type DeliveryRecord, renewDelivery } from "../../db/webhooks/webhook-deliveries.ts";
import { succeed, notFound, type Outcome, refuse } from "../../domain/refusals.ts";
import type { ActionCall, Done } from "../call/call.ts";
import { settle } from "../call/replay.ts";

/** Has a message to a webhook sent again, under its id and with every try before it. */
export async function renewWebhookDelivery(
  { database, operation }: ActionCall,
  delivery: { webhook: string; deliveryId: string },
): Promise<Outcome<Done<DeliveryRecord>>> {
  const recorded = await renewDelivery(database, delivery, operation);
  const settled = await settle(operation, recorded, (record: DeliveryRecord) => record);
  if ("answer" in settled) return settled.answer;
  const [renewed] = settled.rows;
  if (renewed === undefined) return refuse(notFound());
  database.outgoing.events = true;
  return succeed({ value: renewed.record, replayed: false });
}

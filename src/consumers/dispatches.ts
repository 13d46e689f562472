import { deliverDispatch } from "../actions/dispatches/deliver-dispatch.ts";
import { type Queues, sendOutgoing } from "../actions/outgoing/send-outgoing.ts";
import type { Database } from "../db/connection/client.ts";
import { giveUpDispatch } from "../db/dispatches/end-dispatch.ts";
import type { Outbound } from "../outbound/post-signed.ts";
import { type DispatchMessage, dispatchMessage } from "../queues/messages.ts";
import type { Consumer } from "./consume.ts";

interface Dependencies {
  database: Database;
  queues: Queues;
  outbound: Outbound;
}

/** The consumer of `stepledger-dispatches`: delivers what comes, once however often it comes. */
export function dispatchConsumer(dependencies: Dependencies): Consumer<DispatchMessage> {
  const { database, outbound } = dependencies;
  return {
    schema: dispatchMessage,
    handle: async ({ tenantId, dispatchId }) => {
      const tenant = database.forTenant(tenantId);
      const now = new Date();
      const delivery = await deliverDispatch({ database: tenant, outbound, now }, dispatchId);
      await sendOutgoing(dependencies, tenant);
      return delivery;
    },
  };
}

/** Says of the dispatch that a message was about that it is dead: its queue has given the message up. */
export async function giveUpMessage(dependencies: Dependencies, body: unknown): Promise<void> {
  const parsed = dispatchMessage.safeParse(body);
  // What is no message is about nothing.
  if (!parsed.success) return;
  const { tenantId, dispatchId } = parsed.data;
  const tenant = dependencies.database.forTenant(tenantId);
  await giveUpDispatch(tenant, dispatchId, "queue_gave_up");
  await sendOutgoing(dependencies, tenant);
}

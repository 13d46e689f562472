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

/** The consumer of `stepledger-dispatches`: delivers each dispatch once, however often its message arrives. */
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

/** Marks the dispatch of a message as dead, because the queue gave up on the message. */
export async function giveUpMessage(dependencies: Dependencies, body: unknown): Promise<void> {
  const parsed = dispatchMessage.safeParse(body);
  // An invalid message names no dispatch.
  if (!parsed.success) return;
  const { tenantId, dispatchId } = parsed.data;
  const tenant = dependencies.database.forTenant(tenantId);
  await giveUpDispatch(tenant, dispatchId, "queue_gave_up");
  await sendOutgoing(dependencies, tenant);
}

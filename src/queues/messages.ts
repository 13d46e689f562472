import * as z from "zod";

// Messages hold ids alone: what they are about is read when they come, as it is then. Each says its version, so that
// one that an older release sent is told from garbage.

const version = z.literal(1);

/** Deliver this dispatch. */
export const dispatchMessage = z.strictObject({
  version,
  tenantId: z.uuid(),
  dispatchId: z.uuid(),
});
export type DispatchMessage = z.output<typeof dispatchMessage>;

/** Go on with this bulk operation. */
export const bulkMessage = z.strictObject({
  version,
  tenantId: z.uuid(),
  operationId: z.uuid(),
});
export type BulkMessage = z.output<typeof bulkMessage>;

/** Tell this tenant's webhooks what they have not been told, or send this one delivery. */
export const webhookMessage = z.strictObject({
  version,
  tenantId: z.uuid(),
  deliveryId: z.uuid().optional(),
});
export type WebhookMessage = z.output<typeof webhookMessage>;

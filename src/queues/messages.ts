import * as z from "zod";

// Messages only hold ids; the consumer reads the present state. The version distinguishes a message of an older release
// from an invalid one.

const version = z.literal(1);

/** Deliver this dispatch. */
export const dispatchMessage = z.strictObject({
  version,
  tenantId: z.uuid(),
  dispatchId: z.uuid(),
});
export type DispatchMessage = z.output<typeof dispatchMessage>;

/** Work on this bulk operation. */
export const bulkMessage = z.strictObject({
  version,
  tenantId: z.uuid(),
  operationId: z.uuid(),
});
export type BulkMessage = z.output<typeof bulkMessage>;

/** Deliver this webhook message or, without `deliveryId`, write and send the tenant's pending ones. */
export const webhookMessage = z.strictObject({
  version,
  tenantId: z.uuid(),
  deliveryId: z.uuid().optional(),
});
export type WebhookMessage = z.output<typeof webhookMessage>;

/** Go on with this seed run. */
export const seedMessage = z.strictObject({
  version,
  tenantId: z.uuid(),
  runId: z.uuid(),
});
export type SeedMessage = z.output<typeof seedMessage>;

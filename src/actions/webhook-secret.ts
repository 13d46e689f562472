import type { WebhookRecord } from "../db/webhooks.ts";

/** A webhook with the secret that this one answer shows; null where it stayed as it was, or was shown before. */
export interface WebhookWithSecret extends WebhookRecord {
  secret: string | null;
}

const SECRET_BYTES = 32;

/** Makes a secret: as it signs, and as its receiver is given it. */
export function newWebhookSecret(): { bytes: Uint8Array; text: string } {
  const bytes = crypto.getRandomValues(new Uint8Array(SECRET_BYTES));
  return { bytes, text: `whsec_${btoa(String.fromCharCode(...bytes))}` };
}

import * as z from "zod";
import { LIVE_SECRETS_MAX } from "../../db/webhooks/signing-secrets.ts";
import { reason, timestamp } from "../http/schemas.ts";

/** When the replaced signing secrets of a webhook or a pipeline have all expired. */
export const previousSecretUntil = timestamp.nullable().openapi({
  description:
    "Until this time, messages are also signed with a secret that was replaced. Null if only the current secret signs.",
});

/** The signing secret, in the response of a call that can create one. */
export const secret = z.string().nullable().openapi({
  description:
    "The secret that verifies messages, for a Standard Webhooks library. Only the response of the call that created it contains it. Null if the call created none.",
});

/** The body of a rotation. */
export const rotation = z.strictObject({ reason: reason.optional() }).openapi("RotateSecret");

export const ROTATION_DESCRIPTION = `Returns a new secret. The secret that it replaces stays valid for 24 hours, and so does every secret that was replaced in the last 24 hours: messages have one signature for each, the newest first. A retry with the same \`Idempotency-Key\` returns the same secret, as long as it is valid. At most ${LIVE_SECRETS_MAX} secrets are valid at once.`;

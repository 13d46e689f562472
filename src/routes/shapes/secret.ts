import * as z from "zod";
import { timestamp } from "../http/schemas.ts";

/** When the previous signing secret of a webhook or a pipeline expires. */
export const previousSecretUntil = timestamp.nullable().openapi({
  description:
    "Until this time, messages are also signed with the previous secret. Null if there is none.",
});

/** The signing secret, in the response of a call that can create one. */
export const secret = z.string().nullable().openapi({
  description:
    "The secret that verifies messages, for a Standard Webhooks library. Only this response contains it. Null if the call created none.",
});

export const ROTATION_DESCRIPTION =
  "Returns a new secret. For 24 hours, messages have two signatures, one with each secret; after that, the old secret is invalid. A retry with the same `Idempotency-Key` returns `secret: null`. If you lost the first response, rotate again.";

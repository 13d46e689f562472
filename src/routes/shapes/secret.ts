import * as z from "zod";
import { timestamp } from "../http/schemas.ts";

/** Of a thing that signs its messages. */
export const previousSecretUntil = timestamp.nullable().openapi({
  description: "Until then the secret before the present one signs along; null where none does.",
});

/** In the answer to a call that may make one. */
export const secret = z.string().nullable().openapi({
  description:
    "What verifies its messages, for a Standard Webhooks library. Nothing shows it again; null where none was made.",
});

export const ROTATION =
  "For 24 hours messages bear two signatures, one by each secret; then the old one is void. A repeat with the same Idempotency-Key answers `secret: null`; when the first answer was lost, rotate again.";

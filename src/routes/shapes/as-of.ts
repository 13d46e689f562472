import * as z from "zod";
import { timestamp } from "../http/schemas.ts";

const SEQ_MAX = 2_147_483_647;

/** A point in a task's history: a time, or `seq:` followed by the number of an event. */
export const asOf = z
  .string()
  .transform((text, context): { seq: number } | { time: string } => {
    const [, digits] = /^seq:(\d{1,10})$/.exec(text) ?? [];
    const seq = Number(digits);
    if (digits !== undefined && seq >= 1 && seq <= SEQ_MAX) return { seq };
    if (timestamp.safeParse(text).success) return { time: text };
    context.addIssue({
      code: "custom",
      params: { code: "invalid_moment" },
      message: "Must be a time in UTC, such as 2026-11-21T20:19:57Z, or seq:n.",
    });
    return z.NEVER;
  })
  .openapi("AsOf", {
    type: "string",
    description:
      "A point in the task's history: a time in UTC, or `seq:` followed by the number of an event.",
    example: "seq:3",
  });

import * as z from "zod";
import { parseTime } from "../../domain/moments.ts";

const SEQ_MAX = 2_147_483_647;

/** A point in a task's history: a time, or `seq:` followed by the number of an event. */
export const asOf = z
  .string()
  .transform((text, context): { seq: number } | { time: string } => {
    const [, digits] = /^seq:(\d{1,10})$/.exec(text) ?? [];
    const seq = Number(digits);
    if (digits !== undefined && seq >= 1 && seq <= SEQ_MAX) return { seq };
    const parsed = parseTime(text);
    if (parsed.ok) return { time: parsed.value };
    context.addIssue({
      code: "custom",
      params: { code: "invalid_moment" },
      message: `${parsed.message} Or \`seq:n\`, with the number of an event.`,
    });
    return z.NEVER;
  })
  .openapi("AsOf", {
    type: "string",
    description:
      "A point in the task's history: a time with any offset, or `seq:` followed by the number of an event.",
    example: "seq:3",
  });

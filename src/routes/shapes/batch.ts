import * as z from "zod";
import { type Batch, BATCH_MAX, EXAMPLES_MAX } from "../../domain/delivery/batch.ts";
import { uuid } from "../http/schemas.ts";

/** The members of a request that changes all that match a filter, besides the filter. */
export const batchInput = {
  after: uuid.optional().openapi({
    description: "`nextAfter` of the call before, to go on where it ended.",
  }),
  limit: z.int().min(1).max(BATCH_MAX).default(BATCH_MAX).openapi({
    description: "How many this call looks at, at most. The oldest come first.",
  }),
  dryRun: z.boolean().default(false).openapi({
    description: "Whether only to say what the call would do. Nothing is changed then.",
  }),
};

const count = z.int().min(0);

/** The answer to such a request. */
export const batchOutput = z
  .strictObject({
    dryRun: z.boolean(),
    matched: count.openapi({ description: "The number of all that match, after `after`." }),
    examined: count.openapi({
      description: "How many of them this call looked at: `changed`, and those in `refused`.",
    }),
    changed: count.openapi({ description: "With `dryRun`, how many the call would change." }),
    refused: z
      .array(
        z.strictObject({
          reason: z.string().openapi({ example: "run_begun" }),
          detail: z.string(),
          count,
          examples: z.array(uuid).openapi({
            description: `The ids of the first ${EXAMPLES_MAX}.`,
          }),
        }),
      )
      .openapi({ description: "Those that were left as they are, by the reason." }),
    nextAfter: uuid.nullable().openapi({
      description: "Pass it as `after` to go on. Null if no more match.",
    }),
  })
  .openapi("BatchResult");

/** Returns the answer, with the sentence of each reason. */
export function batchView<Reason extends string>(
  { refused, ...batch }: Batch<Reason>,
  dryRun: boolean,
  details: Readonly<Record<Reason, string>>,
): z.input<typeof batchOutput> {
  return {
    dryRun,
    ...batch,
    refused: refused.map((left) => ({ ...left, detail: details[left.reason] })),
  };
}

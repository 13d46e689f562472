import type { SecondLine } from "./guard.ts";

/** The conditions that no test can show to be needed, because each is the second line of defense. */
export const SECOND_LINES: readonly SecondLine[] = [
  {
    condition: "the review is not withdrawn yet",
    file: "src/db/moves/move-statement.ts",
    text: " and r.withdrawn_seq is null",
    because: "A withdrawal is an event of the task, so a second one fails the check of the seq.",
  },
  {
    condition: "the lease of a slot that is taken over",
    file: "drizzle/functions/claim_reviews.sql",
    text: "      where s.lease_until <= now()\n",
    because: "The step before has compared it under the lock of the task.",
  },
  {
    condition: "the lock of an owner's secrets",
    file: "src/db/webhooks/signing-secrets.ts",
    text: "    lockSecretsOf(tenantId, owner),\n",
    because:
      "The lock of administration already puts rotations in order. This one is for `npm run seal`, which takes no other lock.",
  },
  {
    condition: "one product event for each bulk operation",
    file: "src/db/bulk/end-bulk.ts",
    text: "  on conflict do nothing\n",
    because: "A statement ends an operation only if it has not ended, so it ends once.",
  },
];

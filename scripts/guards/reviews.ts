import type { Guard } from "./guard.ts";

/** Guards of the statements about claims of reviews. */
export const REVIEW_GUARDS: readonly Guard[] = [
  {
    name: "claim-review-lease",
    prevents: "A review that one person holds is claimed by another.",
    file: "drizzle/functions/claim_reviews.sql",
    text: "else s.lease_until > now() end",
    without: "else false end",
    test: "test/routes/reviews/claims.test.ts",
    fails: "hands out the most urgent task, then the one that waits longest, each to one person",
  },
  {
    name: "claim-review-declined",
    prevents: "A review is offered again to someone who declined it.",
    file: "drizzle/functions/claim_reviews.sql",
    text: "s.round = v.round and s.person = claimant else",
    without: "false else",
    test: "test/routes/reviews/claims.test.ts",
    fails: "is not offered in the same round to someone who declined it",
  },
  {
    name: "claim-review-lock",
    prevents: "Two people claim one review at the same moment.",
    file: "drizzle/functions/claim_reviews.sql",
    text: "      for no key update of t skip locked\n",
    without: "",
    test: "test/proofs/review-claims.test.ts",
    fails: "take one round trip for each claim",
  },
  {
    name: "claim-change-own",
    prevents: "Someone changes the claim of another person.",
    file: "src/db/reviews/slots.ts",
    text: " and s.person = ${person}::text and ${isHeld(sql`s`)}",
    without: " and ${isHeld(sql`s`)}",
    test: "test/routes/reviews/claims.test.ts",
    fails: "frees the task when its lease runs out: for the late holder as for anyone else",
  },
  {
    name: "claim-renew-open",
    prevents: "A claim is renewed after its step has ended.",
    file: "src/db/reviews/slots.ts",
    text: "${isRenewal ? IS_OPEN : sql`true`}",
    without: "true",
    test: "test/routes/reviews/claims.test.ts",
    fails: "is not renewed once its step has ended or is no longer current",
  },
  {
    name: "claim-held",
    prevents: "A claim whose lease has run out keeps others out.",
    file: "src/db/reviews/slots.ts",
    text: "(${slot}.slot is not null and ${slot}.lease_until > now())",
    without: "(${slot}.slot is not null)",
    test: "test/routes/reviews/claims.test.ts",
    fails: "frees the task when its lease runs out: for the late holder as for anyone else",
  },
];

import * as z from "zod";

/** How the tasks of a story end, or that they have not ended at the anchor. */
export const SEED_OUTCOMES = [
  "delivered",
  "approved",
  "rejected",
  "duplicate",
  "in_progress",
] as const;
export type SeedOutcome = (typeof SEED_OUTCOMES)[number];

const DEFAULT_OUTCOMES: Record<SeedOutcome, number> = {
  delivered: 0.5,
  approved: 0.14,
  rejected: 0.1,
  duplicate: 0.06,
  in_progress: 0.2,
};

const share = z.number().min(0).max(1);

/** Shares that a caller writes with a few decimals add up to 1 only approximately. */
const SUM_TOLERANCE = 1e-6;

const outcomes = z
  .strictObject({
    delivered: share.default(0),
    approved: share.default(0),
    rejected: share.default(0),
    duplicate: share.default(0),
    in_progress: share.default(0),
  })
  .refine(
    (shares) =>
      Math.abs(SEED_OUTCOMES.reduce((sum, name) => sum + shares[name], 0) - 1) < SUM_TOLERANCE,
    "The shares of the outcomes must add up to 1.",
  )
  .default(DEFAULT_OUTCOMES);

const rates = z
  .strictObject({
    /** The first quality check fails. */
    check_fails: share.default(0.2),
    /** The first run that generates the output crashes. */
    output_fails: share.default(0.09),
    /** The expert asks for changes, and reviews again. Of tasks that an expert approves in the end. */
    changes_requested: share.default(0.22),
    /** Work goes on after an approval, and is approved again. Of tasks that are approved in the end. */
    revised_after_approval: share.default(0.06),
    /** Someone blocks the output while its worker runs. Of tasks whose output is generated. */
    held: share.default(0.05),
    /** A reviewer withdraws a verdict and decides again. Of tasks that an expert approves in the end. */
    review_withdrawn: share.default(0.05),
    /** The scoring crashes or finds fault. Of tasks that are delivered. */
    scoring_fails: share.default(0.08),
    /** A trial is retracted. Of tasks that are approved in the end. */
    trial_retracted: share.default(0.04),
    /** An expert approves the task while its quality check runs. Such tasks have no failed check before. */
    optimistic_review: share.default(0.06),
    /** The check disagrees with such an approval. Of optimistic reviews. */
    optimistic_disagrees: share.default(0.4),
  })
  .prefault({});

/** The shares of outcomes, and how often each detour happens. Everything that is absent has its default. */
export const seedMix = z.strictObject({ outcomes, rates }).prefault({});
export type SeedMix = z.output<typeof seedMix>;
export type SeedRate = keyof SeedMix["rates"];

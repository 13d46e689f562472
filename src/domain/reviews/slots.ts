/** How many reviewers can hold the same step. The keys of `review_slots` allow more. */
export const SLOTS_PER_STEP = 1;

/** How many tasks one call claims. */
export const CLAIMED_MAX = 20;

/** How long a reviewer can hold a task without renewing the claim, in seconds. */
export const LEASE_SECONDS = { min: 60, max: 14_400, default: 1800 } as const;

/** The length of a saved draft: that of a review's notes. */
export const DRAFT_MAX = 20_000;

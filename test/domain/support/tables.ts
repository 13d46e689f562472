/**
 * A second transcription of the domain's tables, as plain text without types. Tests compare the product's
 * tables with it. Sources without a transition are omitted.
 */

/** The transitions of steps: a stage, then for each status the statuses that may follow. */
export const STEP_TRANSITIONS_TEXT = `
ingestion
  pending: queued
  queued: running failed
  running: awaiting_review failed
  awaiting_review: approved rejected
  rejected: duplicate
  duplicate: rejected
  failed: queued cancelled
  cancelled: queued
authoring
  pending: queued rejected duplicate
  queued: running cancelled rejected duplicate
  running: awaiting_input paused awaiting_review approved cancelled
  paused: running cancelled rejected duplicate
  awaiting_input: running cancelled rejected duplicate
  awaiting_review: in_review approved changes_requested rejected duplicate
  in_review: approved changes_requested rejected duplicate
  changes_requested: running cancelled rejected duplicate
  approved: changes_requested
  rejected: duplicate
  duplicate: rejected
  cancelled: queued rejected duplicate
pre_qa
  pending: queued rejected duplicate
  queued: running failed cancelled rejected duplicate
  running: awaiting_review approved changes_requested failed cancelled rejected duplicate
  awaiting_review: in_review approved changes_requested rejected duplicate
  in_review: approved changes_requested rejected duplicate
  changes_requested: queued cancelled rejected duplicate
  approved: queued changes_requested rejected duplicate
  rejected: duplicate
  duplicate: rejected
  failed: queued cancelled rejected duplicate
  cancelled: queued rejected duplicate
output_generation
  pending: queued rejected duplicate
  queued: running paused failed cancelled rejected duplicate
  running: paused approved failed cancelled
  paused: queued cancelled rejected duplicate
  approved: queued rejected duplicate
  rejected: duplicate
  duplicate: rejected
  failed: queued cancelled rejected duplicate
  cancelled: queued rejected duplicate
expert_review
  pending: queued rejected duplicate
  queued: awaiting_review in_review approved changes_requested rejected duplicate
  paused: in_review approved changes_requested rejected duplicate
  awaiting_input: in_review approved changes_requested rejected duplicate
  awaiting_review: in_review approved changes_requested rejected duplicate
  in_review: paused awaiting_input approved changes_requested rejected duplicate
  changes_requested: in_review awaiting_review approved rejected duplicate
  approved: changes_requested rejected duplicate
  rejected: duplicate
  duplicate: rejected
calibration
  pending: queued rejected duplicate
  queued: running failed rejected duplicate
  running: awaiting_review approved failed rejected duplicate
  awaiting_review: approved failed rejected duplicate
  approved: queued rejected duplicate
  rejected: duplicate
  duplicate: rejected
  failed: queued rejected duplicate
delivery
  pending: queued rejected duplicate
  queued: running failed rejected duplicate
  running: approved failed rejected duplicate
  rejected: duplicate
  duplicate: rejected
  failed: queued rejected duplicate
`;

/** The gate that each status implies. */
export const GATE_ON_STATUS_TEXT = `
pending: locked
queued: locked
running: pending
paused: blocked
awaiting_input: blocked
awaiting_review: awaiting_review
in_review: evaluating
changes_requested: failed
approved: passed
rejected: failed
duplicate: failed
failed: errored
cancelled: locked
`;

/** Every possible change of a gate. */
export const GATE_TRANSITIONS_TEXT = `
locked: pending evaluating awaiting_review blocked passed waived failed errored
pending: locked evaluating awaiting_review blocked passed waived failed errored
evaluating: awaiting_review blocked passed failed errored
awaiting_review: evaluating blocked passed waived failed errored
blocked: locked pending evaluating awaiting_review passed waived failed errored revoked
passed: blocked revoked
waived: blocked passed revoked
failed: locked pending evaluating awaiting_review blocked passed waived
errored: locked pending evaluating awaiting_review blocked passed waived failed
revoked: locked pending evaluating awaiting_review blocked passed waived failed errored
`;

/** The rules of the resolver: number, stage, status, gate, standing review, running worker, label. */
export const RESOLVER_TEXT = `
1 | any | duplicate | any | any | any | DUPLICATE
2 | any | rejected | any | any | any | REJECTED
3 | delivery | approved | any | any | any | DELIVERED
4 | calibration,delivery | any | any | any | any | PASSED
5 | expert_review | approved | any | any | any | PASSED
6 | expert_review | changes_requested | any | any | any | CHANGES_REQUESTED
7 | expert_review | queued | any | any | EXPERT_REVIEW | IN_REVIEW
8 | expert_review | pending,queued | any | any | any | SUBMITTED
9 | expert_review | any | any | any | any | IN_REVIEW
10 | output_generation | running | any | any | any | GENERATING_OUTPUT
11 | output_generation | any | any | any | OUTPUT_GENERATION | GENERATING_OUTPUT
12 | output_generation | failed,cancelled | any | any | any | OUTPUT_FAILED
13 | output_generation | any | any | any | any | SUBMITTED
14 | pre_qa | any | waived | any | any | READY_TO_SUBMIT
15 | pre_qa | any | any | failed | any | QUALITY_CHECK_FAILED
16 | any | any | any | any | QUALITY_AUTOMATION | CHECKING_QUALITY
17 | pre_qa | approved | any | any | any | READY_TO_SUBMIT
18 | pre_qa | changes_requested | any | any | any | QUALITY_CHECK_FAILED
19 | pre_qa | cancelled | any | any | any | DRAFT
20 | pre_qa | any | any | any | any | CHECKING_QUALITY
21 | any | any | any | any | any | DRAFT
`;

/** The bulk targets that are allowed from each label. */
export const BULK_ALLOWED_TARGETS_TEXT = `
DRAFT:
CHECKING_QUALITY:
QUALITY_CHECK_FAILED: REJECTED DUPLICATE
READY_TO_SUBMIT:
SUBMITTED: REJECTED DUPLICATE
GENERATING_OUTPUT:
OUTPUT_FAILED: SUBMITTED REJECTED DUPLICATE
IN_REVIEW: CHANGES_REQUESTED PASSED REJECTED DUPLICATE
CHANGES_REQUESTED: IN_REVIEW PASSED REJECTED DUPLICATE
PASSED: REJECTED DUPLICATE
DELIVERED:
REJECTED: DUPLICATE
DUPLICATE: REJECTED
`;

/** The status that each bulk target writes. */
export const BULK_STEP_STATUS_TEXT = `
SUBMITTED: queued
IN_REVIEW: in_review
CHANGES_REQUESTED: changes_requested
PASSED: approved
REJECTED: rejected
DUPLICATE: duplicate
`;

/** The transitions of evaluations. */
export const EVAL_TRANSITIONS_TEXT = `
draft: queued cancelled
queued: running cancelled
running: completed failed cancelled
failed: queued
`;

/** The transitions of trials. */
export const TRIAL_TRANSITIONS_TEXT = `
pending: running passed failed scored errored
running: passed failed scored errored
errored: running
`;

/** The transitions of worker runs. */
export const RUN_TRANSITIONS_TEXT = `
QUEUED: RUNNING SUCCEEDED FAILED CANCELLED
RUNNING: SUCCEEDED FAILED CANCELLED
`;

/** The transitions of dispatches. */
export const DISPATCH_TRANSITIONS_TEXT = `
pending: sent recalled dead
sent: delivered pending dead recalled
dead: pending
`;

/** The transitions of bulk operations. */
export const OPERATION_TRANSITIONS_TEXT = `
queued: running cancelled
running: completed partial failed refused cancelled
`;

/** Parses lines of the form "from: to to". */
export function parseRows(text: string): Map<string, string[]> {
  const rows = text
    .trim()
    .split("\n")
    .map((line) => line.split(":"));
  return new Map(
    rows.map(([from = "", to = ""]) => [from.trim(), to.trim().split(" ").filter(Boolean)]),
  );
}

/** Parses blocks of such lines, each under the name of a stage. */
export function parseRowsByKind(text: string): Map<string, Map<string, string[]>> {
  const blocks = text.trim().split(/\n(?=\w)/);
  return new Map(
    blocks.map((block) => {
      const [kind = "", ...rows] = block.split("\n");
      return [kind.trim(), parseRows(rows.join("\n"))];
    }),
  );
}

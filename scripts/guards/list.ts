import { ADMINISTRATION_GUARDS } from "./administration.ts";
import { BULK_GUARDS } from "./bulk.ts";
import { CLOCK_GUARDS } from "./clocks.ts";
import { DATA_GUARDS } from "./data.ts";
import { DEMO_GUARDS } from "./demos.ts";
import { DISPATCH_GUARDS } from "./dispatches.ts";
import { EVAL_GUARDS } from "./evals.ts";
import { FEED_GUARDS } from "./feed.ts";
import type { Guard } from "./guard.ts";
import { HISTORY_GUARDS } from "./history.ts";
import { LEDGER_GUARDS } from "./ledger.ts";
import { MOVE_GUARDS } from "./moves.ts";
import { REVIEW_GUARDS } from "./reviews.ts";
import { RUN_GUARDS } from "./runs.ts";
import { WEBHOOK_GUARDS } from "./webhooks.ts";

/** Every guard, in the order of a task's life. */
export const GUARDS: readonly Guard[] = [
  ...MOVE_GUARDS,
  ...RUN_GUARDS,
  ...DISPATCH_GUARDS,
  ...REVIEW_GUARDS,
  ...WEBHOOK_GUARDS,
  ...EVAL_GUARDS,
  ...BULK_GUARDS,
  ...FEED_GUARDS,
  ...DATA_GUARDS,
  ...ADMINISTRATION_GUARDS,
  ...LEDGER_GUARDS,
  ...HISTORY_GUARDS,
  ...CLOCK_GUARDS,
  ...DEMO_GUARDS,
];

import * as z from "zod";
import { SEED_OUTCOMES, seedMix, type SeedRate } from "../../domain/seed/mix.ts";
import { SEED_RUN_STATES } from "../../domain/seed/run-states.ts";
import { SEED_DAYS_MAX, SEED_DAYS_MIN } from "../../domain/seed/settings.ts";
import "../http/zod-openapi.ts";
import { timestamp, uuid } from "../http/schemas.ts";

/** A week in a second. */
const SPEED_MAX = 604_800;

export const seedSpeed = z.number().min(0).max(SPEED_MAX).openapi({
  description:
    "Simulated seconds per second, up to a week. With 0, the run goes on only when a call advances it.",
});

const RATES: Record<SeedRate, string> = {
  check_fails: "The first quality check fails.",
  output_fails: "The first run that generates the output crashes.",
  changes_requested:
    "The expert asks for changes, and reviews again. Of tasks that an expert approves in the end.",
  revised_after_approval:
    "Work goes on after an approval, and is approved again. Of tasks that are approved in the end.",
  held: "Someone blocks the output while its worker runs. Of tasks whose output is generated.",
  review_withdrawn:
    "A reviewer withdraws a verdict and decides again. Of tasks that an expert approves in the end.",
  scoring_fails: "The scoring crashes or finds fault. Of tasks that are delivered.",
  trial_retracted: "A trial is retracted. Of tasks that are approved in the end.",
  optimistic_review:
    "An expert approves the task while its quality check runs. Of tasks without a failed check.",
  optimistic_disagrees: "The check disagrees with such an approval. Of optimistic reviews.",
};

const rates = Object.entries(RATES).map(([rate, what]) => `- \`${rate}\`: ${what}`);

const MIX = `Shares from 0 to 1.

\`outcomes\` says how the tasks have ended at the anchor: ${SEED_OUTCOMES.map((outcome) => `\`${outcome}\``).join(", ")}. These add up to 1; one that is absent is 0, and without \`outcomes\` all have their defaults. \`in_progress\` is the share of tasks that have not ended.

\`rates\` says how often each detour happens. One that is absent has its default.

${rates.join("\n")}`;

/** The shares of a new run. */
export const newSeedMix = seedMix.describe(MIX);

const share = z.number().min(0).max(1);
const shares = z.record(z.string(), share);

const count = z.int().min(0);

export const seedRun = z
  .strictObject({
    id: uuid,
    state: z.enum(SEED_RUN_STATES).openapi({
      description:
        "`active`: the story is being applied, or can be. `ended`: all of it is applied. `deleting`: its tasks are being archived. `deleted`: they are. A tenant has at most one run that is `active` or `deleting`.",
    }),
    seed: count,
    tasks: count,
    days: z.int().min(SEED_DAYS_MIN).max(SEED_DAYS_MAX),
    begin: timestamp.openapi({ description: "When the story begins." }),
    anchor: timestamp.openapi({ description: "When the story ends." }),
    mix: z.strictObject({ outcomes: shares, rates: shares }),
    speed: seedSpeed,
    clock: timestamp.openapi({
      description: "How far the story is applied. Like the two times above, it is simulated.",
    }),
    wantedUntil: timestamp.openapi({
      description: "How far it shall be applied so far, by calls or by its speed.",
    }),
    progress: z.strictObject({
      share: share.openapi({ description: "How much of the story's time is applied." }),
      until: timestamp.nullable().openapi({
        description: "The end of the part that is being applied; null if none is.",
      }),
      teams: z.strictObject({ done: count, total: count }).openapi({
        description:
          "The teams that are done with that part or, if the run is being deleted, whose tasks are archived.",
      }),
      actions: z.strictObject({ applied: count, refused: count }).openapi({
        description:
          "Actions are refused if someone else has changed their task in a way that the rules do not allow them after.",
      }),
    }),
    nextActionAt: timestamp.nullable().openapi({
      description: "When something happens next; null if that is not known, or nothing does.",
    }),
    createdBy: z.string(),
    createdAt: timestamp,
    updatedAt: timestamp,
  })
  .openapi("SeedRun");

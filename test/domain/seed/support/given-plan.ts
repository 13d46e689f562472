import { seedMix } from "../../../../src/domain/seed/mix.ts";
import type { TeamPlan } from "../../../../src/domain/seed/plan.ts";
import { planTeam } from "../../../../src/domain/seed/plan-team.ts";
import type * as z from "zod";
import type { SeedTexts } from "../../../../src/domain/seed/texts.ts";
import { TINY_TEXTS } from "./tiny-texts.ts";

export const ANCHOR = "2026-11-30T12:00:00Z";

interface Wanted {
  seed: number;
  tasks?: number;
  days?: number;
  team?: number;
  mix?: z.input<typeof seedMix>;
  texts?: SeedTexts;
}

/** Plans a team of 200 tasks, unless asked otherwise. The story lasts 91 days and crosses the end of summer time. */
export function givenPlan({
  seed,
  tasks = 200,
  days = 91,
  team = 0,
  mix = {},
  texts = TINY_TEXTS,
}: Wanted): TeamPlan {
  const settings = { seed, tasks, anchor: ANCHOR, days, mix: seedMix.parse(mix) };
  return planTeam(settings, { index: team, tasks }, texts);
}

import { type SeedRunWish, wishOfSeedRun } from "../../db/seed/change-seed-runs.ts";
import { findSeedRun, type SeedRunRecord } from "../../db/seed/seed-runs.ts";
import {
  notFound,
  type Outcome,
  refuse,
  seedRunOver,
  validationFailed,
} from "../../domain/refusals.ts";
import type { ActionCall, Done } from "../call/call.ts";
import { asStored, conclude } from "../call/conclude.ts";
import { replay } from "../call/replay.ts";

/** Wants more of a story, or changes its speed. Nothing is told yet: that is the work on the run. */
export async function advanceSeedRun(
  { database, operation }: ActionCall,
  { runId, ...wish }: SeedRunWish & { runId: string },
): Promise<Outcome<Done<SeedRunRecord>>> {
  const { found, stored } = await findSeedRun(database, runId, operation);
  if (stored !== null) return replay(operation, stored, asStored<SeedRunRecord>);
  if (found === undefined) return refuse(notFound());
  if (found.state !== "active") return refuse(seedRunOver(found.state));
  if (wish.until !== undefined && Date.parse(wish.until) < Date.parse(found.appliedUntil)) {
    const message = `A simulated clock never falls. The story has been told up to ${found.appliedUntil}.`;
    return refuse(validationFailed({ path: ["to"], code: "too_early", message }));
  }
  const wanted = await wishOfSeedRun(database, runId, { ...wish, operation });
  return conclude(operation, wanted, {
    result: ({ run }) => run,
    render: asStored,
    unwritten: async () => {
      const { found: now } = await findSeedRun(database, runId);
      return refuse(now === undefined ? notFound() : seedRunOver(now.state));
    },
  });
}

import { beginSeedDeletion } from "../../db/seed/change-seed-runs.ts";
import { findSeedRun, findSeedRunObstacles, type SeedRunRecord } from "../../db/seed/seed-runs.ts";
import {
  notFound,
  type Outcome,
  refuse,
  seedRunOpen,
  seedRunOver,
  succeed,
} from "../../domain/refusals.ts";
import type { ActionCall, Done } from "../call/call.ts";
import { asStored, conclude } from "../call/conclude.ts";
import { replay } from "../call/replay.ts";

/** Ends the story of a run where it is. The work on the run then archives its tasks. Nothing deletes history. */
export async function deleteSeedRun(
  { database, operation }: ActionCall,
  runId: string,
): Promise<Outcome<Done<SeedRunRecord>>> {
  const { found, stored } = await findSeedRun(database, runId, operation);
  if (stored !== null) return replay(operation, stored, asStored<SeedRunRecord>);
  if (found === undefined) return refuse(notFound());
  if (found.state === "deleted") return succeed({ value: found, replayed: false });
  const begun = await beginSeedDeletion(database, runId, operation);
  return conclude(operation, begun, {
    result: ({ run }) => run,
    render: asStored,
    unwritten: async () => {
      const { open } = await findSeedRunObstacles(database);
      return refuse(open === null ? seedRunOver("deleted") : seedRunOpen(open));
    },
  });
}

import { claimDeletion, endDeletion, recordProgress } from "../../db/seed/seed-work.ts";
import type { SeedRunRecord } from "../../db/seed/seed-runs.ts";
import { moveSimulatedClock } from "../../db/tenants/simulated-clock.ts";
import { teamsOf } from "../../domain/seed/settings.ts";
import { derivedId } from "../call/derived-id.ts";
import { moveTasks } from "../moves/move-tasks.ts";
import { storyOf } from "./story-of-team.ts";
import { operationOf, ROWS_MAX, type SeedWork, type Work } from "./seed-work.ts";

const REASON = "The seed run was deleted.";

/**
 * Archives the tasks of a run that is being deleted. Those that were never created, or that someone has archived, are refused,
 * which does no harm.
 */
export async function archiveTasks(work: Work, { id }: SeedRunRecord): Promise<SeedWork> {
  const { joint, texts, requestId, holder, roundTripsMax } = work;
  const run = await claimDeletion(joint.at(null), id, holder);
  if (run === null) return { is: "busy" };
  const lease = { id, holder };
  const state = "deleting";
  // The clock stands still from now on.
  const stopped = await moveSimulatedClock(joint.at(null), { at: null, speed: 0, until: null });
  if (!stopped.ok) throw new Error("A tenant that is no demo has a seed run");
  const { nextActionAt, actionsApplied, actionsRefused } = run;
  const counts = { nextActionAt, actionsApplied, actionsRefused };
  for (const { index, tasks } of teamsOf(run).slice(run.teamsDone)) {
    const { taskId } = storyOf(run, index, texts);
    for (let from = 0; from < tasks; from += ROWS_MAX) {
      const numbers = Array.from({ length: Math.min(ROWS_MAX, tasks - from) }, (_, n) => from + n);
      const archived = await moveTasks(
        {
          database: joint.at(null),
          actor: SIMULATOR,
          requestId,
          operation: operationOf(
            id,
            derivedId(`${id} archives ${index} ${from}`, Date.parse(run.createdAt)),
          ),
        },
        numbers.map((number) => ({
          task: { id: taskId(number) },
          command: { type: "archive", reason: REASON },
        })),
      );
      if (!archived.ok) throw new Error("The tasks of a run could not be archived");
    }
    const isLast = joint.roundTrips >= roundTripsMax;
    const progress = { ...counts, teamsDone: index + 1, batchesDone: 0, isLast, state } as const;
    if (!(await recordProgress(joint.at(null), lease, progress))) return { is: "busy" };
    if (isLast) return { is: "unfinished" };
  }
  return { is: (await endDeletion(joint.at(null), lease)) ? "idle" : "busy" };
}

const SIMULATOR = {
  id: "simulator",
  name: "Simulator",
  kind: "system",
  role: "admin",
} as const;

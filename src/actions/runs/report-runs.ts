import { loadTasks } from "../../db/snapshots/load-tasks.ts";
import { type Move, recordMoves, type StoredMoves } from "../../db/moves/record-moves.ts";
import type { ReportCommand } from "../../domain/lifecycle/commands.ts";
import { decide } from "../../domain/lifecycle/decide.ts";
import type { Outcome } from "../../domain/refusals.ts";
import { REGISTRY_VERSION } from "../../domain/registry-version.ts";
import type { ActionCall, Done } from "../call/call.ts";
import { conclude } from "../call/conclude.ts";
import { idsOf } from "../call/ids-of.ts";
import { replay } from "../call/replay.ts";

/** One of many reports. Each is on a run of a different task, and is decided by itself. */
export interface ReportOfMany extends Omit<ReportCommand, "type" | "run" | "reporter"> {
  runId: string;
  /** The planned time of the report, if the tenant has a simulated clock. */
  at?: string | undefined;
}

/**
 * What became of a report: it moved its task; the rules refused it; or it has to be made by itself, because it moves nothing,
 * or lost a race.
 */
export type ReportedItem = "moved" | "refused" | "alone";

/** Records the reports on many runs that move their tasks, in two round trips. The answer has one item for each report. */
export async function reportRuns(
  call: ActionCall & { credentialName: string },
  reports: readonly ReportOfMany[],
): Promise<Outcome<Done<ReportedItem[]>>> {
  const { database, actor, operation, credentialName } = call;
  const runIds = reports.map(({ runId }) => runId);
  const loaded = await loadTasks(database, { runIds }, { operation });
  if (loaded.stored) return replay(operation, loaded.stored, render);
  const runs = new Map(loaded.runs.map((run) => [run.id, run]));
  const taken = new Set<string>();
  const moves: Move[] = [];
  const answer = reports.map(({ runId, at, ...report }, index): Draft => {
    const run = runs.get(runId);
    const snapshot = run && loaded.find({ id: run.taskId });
    if (run === undefined || snapshot === undefined) return "refused";
    const command = { type: "report", run, reporter: credentialName, ...report } as const;
    const decided = decide(snapshot, command, { actor, newId: idsOf(call, index) });
    if (!decided.ok) return "refused";
    if (decided.value.events.length === 0 || taken.has(run.taskId)) return "alone";
    taken.add(run.taskId);
    moves.push({ snapshot, decision: decided.value, run, at });
    return { taskId: run.taskId };
  });
  const recorded = await recordMoves(database, moves, {
    ...call,
    registryVersion: REGISTRY_VERSION,
    answer,
    isKeptIfEmpty: true,
  });
  return conclude(operation, recorded, {
    result: (written) => ({ answer, ...written }),
    render,
  });
}

/** An item before it is written: its task, or what is known without the writer. */
type Draft = { taskId: string } | Exclude<ReportedItem, "moved">;

function render({ answer, events }: StoredMoves<Draft[]>): ReportedItem[] {
  const moved = new Set(events.map(({ taskId }) => taskId));
  return answer.map((draft) =>
    typeof draft === "string" ? draft : moved.has(draft.taskId) ? "moved" : "alone",
  );
}

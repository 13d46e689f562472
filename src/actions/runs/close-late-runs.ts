import { uuidv7 } from "uuidv7";
import type { Database, TenantDatabase } from "../../db/connection/client.ts";
import type { Move } from "../../db/moves/record-moves.ts";
import { loadTasks } from "../../db/snapshots/load-tasks.ts";
import type { GuardedRun } from "../../db/runs/run-guards.ts";
import { endOverdueRuns, findLateRuns } from "../../db/runs/worker-runs.ts";
import { decide } from "../../domain/lifecycle/decide.ts";
import type { RunChange } from "../../domain/lifecycle/decision.ts";
import { isRunEnded, TIMED_OUT } from "../../domain/lifecycle/runs.ts";
import { type Queues, sendOutgoing } from "../outgoing/send-outgoing.ts";
import { recordSwept, SWEEP, type SweepingCall } from "./record-swept.ts";

/** Runs of one query and one statement. Each run ends with up to three events. */
const LATE_RUNS_MAX = 500;
/** A Worker invocation is limited in its calls. What is left waits for the next sweep. */
const QUERIES_MAX = 40;

/** The route of its operations, by which a write is found again if the database's answer is lost. */
const ROUTE = "closeLateRuns";

/**
 * Fails the runs of every tenant whose deadline has passed, so that a dead worker does not hold its task forever. Uses
 * the same decision as a report of failure. It can run concurrently with itself; a run that is reported on meanwhile
 * stays open. Returns how many runs it closed.
 * @throws the first error, once all other runs are done.
 */
export async function closeLateRuns(
  shared: { database: Database; queues: Queues },
  { requestId }: { requestId: string },
): Promise<number> {
  const errors: unknown[] = [];
  let closed = 0;
  for (let query = 0; query < QUERIES_MAX; query += 1) {
    const late = await findLateRuns(shared.database, LATE_RUNS_MAX);
    const before = closed;
    for (const [tenantId, runs] of Map.groupBy(late, (run) => run.tenantId)) {
      const tenant = shared.database.forTenant(tenantId);
      const ids = runs.map(({ id }) => id);
      try {
        closed += await closeRunsOf(tenant, ids, { route: ROUTE, requestId, errors });
        await sendOutgoing(shared, tenant);
      } catch (error) {
        errors.push(error);
      }
    }
    // Runs that could not be closed would be found again by the next query.
    if (late.length < LATE_RUNS_MAX || closed === before) break;
  }
  if (errors.length > 0) throw errors[0];
  return closed;
}

/** Closes one tenant's runs in two or three round trips, repeated as often as one task has late runs. */
async function closeRunsOf(
  tenant: TenantDatabase,
  runIds: readonly string[],
  closing: SweepingCall,
): Promise<number> {
  let closed = 0;
  let remaining = runIds;
  while (remaining.length > 0) {
    const { moves, runsOnly, later } = await decideLate(tenant, remaining);
    closed += await recordSwept(tenant, moves, closing);
    closed += await endOverdueRuns(tenant, runsOnly);
    remaining = later;
  }
  return closed;
}

interface DecidedLate {
  /** Runs whose end changes their task, one for each task. */
  moves: Move[];
  /** Runs whose end changes nothing but the run. */
  runsOnly: { report: RunChange; found: GuardedRun }[];
  /** Ids of runs whose task is in `moves`: they are decided on the task's next state. */
  later: string[];
}

async function decideLate(tenant: TenantDatabase, runIds: readonly string[]): Promise<DecidedLate> {
  const loaded = await loadTasks(tenant, { runIds }, { operation: null, withSteps: false });
  const decided: DecidedLate = { moves: [], runsOnly: [], later: [] };
  const moved = new Set<string>();
  for (const run of loaded.runs) {
    const snapshot = loaded.find({ id: run.taskId });
    if (snapshot === undefined) throw new Error("A run names a task that was not loaded");
    // Closing an earlier run of this batch has already ended it.
    if (isRunEnded(run.state)) continue;
    if (moved.has(run.taskId)) {
      decided.later.push(run.id);
      continue;
    }
    const command = { type: "report", run, state: "FAILED", error: TIMED_OUT } as const;
    const outcome = decide(snapshot, command, { actor: SWEEP, newId: uuidv7 });
    if (!outcome.ok) throw new Error(`A deadline was refused: ${outcome.refusal.code}`);
    const decision = outcome.value;
    const [report] = decision.runs;
    if (decision.events.length > 0) {
      moved.add(run.taskId);
      decided.moves.push({ snapshot, decision, run: { ...run, isOverdue: true } });
    } else if (report !== undefined) {
      decided.runsOnly.push({ report, found: run });
    }
  }
  return decided;
}

import { uuidv7 } from "uuidv7";
import type { Database, Operation, TenantDatabase } from "../../db/connection/client.ts";
import { DatabaseFault } from "../../db/connection/faults.ts";
import { loadTasks } from "../../db/snapshots/load-tasks.ts";
import { type Move, recordMoves, type RecordedMoves } from "../../db/moves/record-moves.ts";
import type { GuardedRun } from "../../db/runs/run-guards.ts";
import { endOverdueRuns, findLateRuns } from "../../db/runs/worker-runs.ts";
import type { Actor } from "../../domain/actor.ts";
import { decide } from "../../domain/lifecycle/decide.ts";
import type { RunChange } from "../../domain/lifecycle/decision.ts";
import { isRunEnded, TIMED_OUT } from "../../domain/lifecycle/runs.ts";
import { REGISTRY_VERSION } from "../../domain/registry-version.ts";
import { conclude } from "../call/conclude.ts";
import { type Queues, sendOutgoing } from "../outgoing/send-outgoing.ts";

/** What one look takes, and one statement records: each run ends with up to three events. */
const LATE_RUNS_MAX = 500;
/** A Worker may make only so many calls; what is left waits for the next sweep. */
const LOOKS_MAX = 40;

/** What its writes are found by where an answer of the database is lost. */
const ROUTE = "closeLateRuns";

const DEADLINE: Actor = { id: "system", name: "Deadline", kind: "system", role: "service" };

/**
 * Gives up runs whose worker has been silent beyond their deadline, of every tenant, by the very decision that a
 * report of their failure is judged by: a dead machine holds no task for ever. It may be called at any time and
 * beside itself: a run that was reported on meanwhile goes on.
 * @throws what the database refused, once all else is done.
 */
export async function closeLateRuns(
  shared: { database: Database; queues: Queues },
  { requestId }: { requestId: string },
): Promise<number> {
  const refused: unknown[] = [];
  let closed = 0;
  for (let look = 0; look < LOOKS_MAX; look += 1) {
    const late = await findLateRuns(shared.database, LATE_RUNS_MAX);
    const before = closed;
    for (const [tenantId, runs] of Map.groupBy(late, (run) => run.tenantId)) {
      const tenant = shared.database.forTenant(tenantId);
      const ids = runs.map(({ id }) => id);
      try {
        closed += await closeRunsOf(tenant, ids, { requestId, refused });
        await sendOutgoing(shared, tenant);
      } catch (error) {
        refused.push(error);
      }
    }
    // What could not be closed now would be found again and again.
    if (late.length < LATE_RUNS_MAX || closed === before) break;
  }
  if (refused.length > 0) throw refused[0];
  return closed;
}

interface Closing {
  requestId: string;
  /** What one task's run was refused with is kept here, and the others go on. */
  refused: unknown[];
}

/** One tenant's late runs, in two or three round trips; as often as the most of them are of one task. */
async function closeRunsOf(
  tenant: TenantDatabase,
  runIds: readonly string[],
  closing: Closing,
): Promise<number> {
  let closed = 0;
  let waiting = runIds;
  while (waiting.length > 0) {
    const { moves, alone, later } = await decideLate(tenant, waiting);
    closed += await recordLate(tenant, moves, closing);
    closed += await endOverdueRuns(tenant, alone);
    waiting = later;
  }
  return closed;
}

interface DecidedLate {
  /** Those from which something follows for their task, one of each task. */
  moves: Move[];
  /** Those of which their own record alone tells. */
  alone: { report: RunChange; found: GuardedRun }[];
  /** Those whose task is one of `moves`: they are judged by what it has become. */
  later: string[];
}

async function decideLate(tenant: TenantDatabase, runIds: readonly string[]): Promise<DecidedLate> {
  const loaded = await loadTasks(tenant, { runIds }, { operation: null, withSteps: false });
  const decided: DecidedLate = { moves: [], alone: [], later: [] };
  const moved = new Set<string>();
  for (const run of loaded.runs) {
    const snapshot = loaded.find({ id: run.taskId });
    if (snapshot === undefined) throw new Error("A run is of a task");
    // Its step was left or ended with another one of these.
    if (isRunEnded(run.state)) continue;
    if (moved.has(run.taskId)) {
      decided.later.push(run.id);
      continue;
    }
    const command = { type: "report", run, state: "FAILED", error: TIMED_OUT } as const;
    const outcome = decide(snapshot, command, { actor: DEADLINE, newId: uuidv7 });
    if (!outcome.ok) throw new Error(`A deadline was refused: ${outcome.refusal.code}`);
    const decision = outcome.value;
    const [report] = decision.runs;
    if (decision.events.length > 0) {
      moved.add(run.taskId);
      decided.moves.push({ snapshot, decision, run: { ...run, isOverdue: true } });
    } else if (report !== undefined) {
      decided.alone.push({ report, found: run });
    }
  }
  return decided;
}

/** Records in one statement; where the database refuses that, in halves, so that one task takes no other with it. */
async function recordLate(
  tenant: TenantDatabase,
  moves: readonly Move[],
  closing: Closing,
): Promise<number> {
  if (moves.length === 0) return 0;
  try {
    return await recordBatch(tenant, moves, closing);
  } catch (error) {
    if (!(error instanceof DatabaseFault)) throw error;
    if (moves.length === 1) {
      closing.refused.push(error);
      return 0;
    }
    const middle = Math.ceil(moves.length / 2);
    const first = await recordLate(tenant, moves.slice(0, middle), closing);
    return first + (await recordLate(tenant, moves.slice(middle), closing));
  }
}

/** How many of the runs were closed: the others are no longer what they were when they were found. */
async function recordBatch(
  tenant: TenantDatabase,
  moves: readonly Move[],
  { requestId }: Closing,
): Promise<number> {
  const id = uuidv7();
  const operation: Operation = {
    id,
    actorId: DEADLINE.id,
    route: ROUTE,
    key: null,
    fingerprint: id,
  };
  const recorded = await recordMoves(tenant, moves, {
    actor: DEADLINE,
    operation,
    requestId,
    registryVersion: REGISTRY_VERSION,
    answer: null,
    isKeptIfEmpty: false,
  });
  const outcome = await conclude(operation, recorded, {
    result: (written) => written,
    render: countTasks,
  });
  return outcome.ok ? outcome.value.value : 0;
}

function countTasks({ events }: RecordedMoves): number {
  return new Set(events.map(({ taskId }) => taskId)).size;
}

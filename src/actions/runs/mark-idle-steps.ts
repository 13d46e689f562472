import { uuidv7 } from "uuidv7";
import type { Database, TenantDatabase } from "../../db/connection/client.ts";
import type { Move } from "../../db/moves/record-moves.ts";
import { findIdleSteps } from "../../db/runs/idle-steps.ts";
import { loadTasks } from "../../db/snapshots/load-tasks.ts";
import { decide } from "../../domain/lifecycle/decide.ts";
import { type Queues, sendOutgoing } from "../outgoing/send-outgoing.ts";
import { recordSwept, SWEEP, type SweepingCall } from "./record-swept.ts";

/** Steps of one query and one statement. Each gets one event. */
const STEPS_MAX = 500;
/** A Worker invocation is limited in its calls. What is left waits for the next sweep. */
const QUERIES_MAX = 20;

const ROUTE = "markIdleSteps";

/**
 * Marks the steps of every tenant that are running without an open run for longer than the run deadline of the pipeline
 * that works on their stage. It can run concurrently with itself: a task that moves meanwhile, or gets a run, is left
 * alone. Returns how many steps it marked.
 * @throws the first error, once all other steps are done.
 */
export async function markIdleSteps(
  shared: { database: Database; queues: Queues },
  { requestId }: { requestId: string },
): Promise<number> {
  const errors: unknown[] = [];
  let marked = 0;
  for (let query = 0; query < QUERIES_MAX; query += 1) {
    const idle = await findIdleSteps(shared.database, STEPS_MAX);
    const before = marked;
    for (const [tenantId, tasks] of Map.groupBy(idle, (step) => step.tenantId)) {
      const tenant = shared.database.forTenant(tenantId);
      const ids = tasks.map(({ taskId }) => taskId);
      try {
        marked += await markStepsOf(tenant, ids, { route: ROUTE, requestId, errors });
        await sendOutgoing(shared, tenant);
      } catch (error) {
        errors.push(error);
      }
    }
    // Steps that could not be marked would be found again by the next query.
    if (idle.length < STEPS_MAX || marked === before) break;
  }
  if (errors.length > 0) throw errors[0];
  return marked;
}

/** Marks one tenant's steps in two round trips. */
async function markStepsOf(
  tenant: TenantDatabase,
  taskIds: readonly string[],
  call: SweepingCall,
): Promise<number> {
  const names = { tasks: taskIds.map((id) => ({ id })) };
  const { tasks } = await loadTasks(tenant, names, { operation: null });
  const moves = tasks.flatMap((snapshot): Move[] => {
    const outcome = decide(snapshot, { type: "idle" }, { actor: SWEEP, newId: uuidv7 });
    // An archived task is refused, and a step that is not idle any more gets no event.
    const isIdle = outcome.ok && outcome.value.events.length > 0;
    return isIdle ? [{ snapshot, decision: outcome.value }] : [];
  });
  return recordSwept(tenant, moves, call);
}

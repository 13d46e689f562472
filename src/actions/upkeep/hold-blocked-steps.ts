import { uuidv7 } from "uuidv7";
import type { Database, Operation, TenantDatabase } from "../../db/connection/client.ts";
import { isAboutRows } from "../../db/connection/faults.ts";
import { type Move, recordMoves } from "../../db/moves/record-moves.ts";
import { loadTasks } from "../../db/snapshots/load-tasks.ts";
import { findBlockedSteps } from "../../db/tasks/blocked-steps.ts";
import type { Actor } from "../../domain/actor.ts";
import { holdBlocked } from "../../domain/lifecycle/decide/hold-blocked.ts";
import { REGISTRY_VERSION } from "../../domain/registry-version.ts";
import { conclude } from "../call/conclude.ts";

/** Steps of one query and one statement. */
const STEPS_MAX = 500;
/** A Worker invocation is limited in its calls. What is left waits for the next sweep. */
const QUERIES_MAX = 20;

/** The route of its operations, by which a write is found again if the database's answer is lost. */
const ROUTE = "holdBlockedSteps";

const HOLDS: Actor = { id: "system", name: "Holds", kind: "system", role: "service" };
const REASON = "The gate was blocked by hand before steps could be held.";

/**
 * Holds the steps of every tenant that were blocked by hand before holds existed. Each gets an event, through the writer
 * and in chunks, so that it works while the service runs; a task that moves meanwhile is found again if it still has to
 * be held. Returns how many steps it held.
 */
export async function holdBlockedSteps(
  database: Database,
  { requestId }: { requestId: string },
): Promise<number> {
  let held = 0;
  for (let query = 0; query < QUERIES_MAX; query += 1) {
    const found = await findBlockedSteps(database, STEPS_MAX);
    const before = held;
    for (const [tenantId, tasks] of Map.groupBy(found, (task) => task.tenantId)) {
      held += await holdIn(database.forTenant(tenantId), tasks, requestId);
    }
    // Steps that could not be held would be found again by the next query.
    if (found.length < STEPS_MAX || held === before) break;
  }
  return held;
}

async function holdIn(
  tenant: TenantDatabase,
  tasks: readonly { id: string }[],
  requestId: string,
): Promise<number> {
  const loaded = await loadTasks(tenant, { tasks }, { operation: null });
  const moves = loaded.tasks.flatMap((snapshot): Move[] => {
    const decision = holdBlocked(snapshot, { reason: REASON });
    return decision === null ? [] : [{ snapshot, decision }];
  });
  return record(tenant, moves, requestId);
}

/** Records the holds in one statement, or in halves if the database rejects it, and returns how many it wrote. */
async function record(
  tenant: TenantDatabase,
  moves: readonly Move[],
  requestId: string,
): Promise<number> {
  if (moves.length === 0) return 0;
  const id = uuidv7();
  const operation: Operation = { id, actorId: HOLDS.id, route: ROUTE, key: null, fingerprint: id };
  try {
    const recorded = await recordMoves(tenant, moves, {
      actor: HOLDS,
      operation,
      requestId,
      registryVersion: REGISTRY_VERSION,
      answer: null,
      isKeptIfEmpty: false,
    });
    const outcome = await conclude(operation, recorded, {
      result: (written) => written,
      render: ({ events }) => events.length,
    });
    return outcome.ok ? outcome.value.value : 0;
  } catch (error) {
    if (!isAboutRows(error) || moves.length === 1) throw error;
    const middle = Math.ceil(moves.length / 2);
    const first = await record(tenant, moves.slice(0, middle), requestId);
    return first + (await record(tenant, moves.slice(middle), requestId));
  }
}

import { uuidv7 } from "uuidv7";
import type { Operation, TenantDatabase } from "../../db/connection/client.ts";
import { isAboutRows } from "../../db/connection/faults.ts";
import { type Move, recordMoves, type RecordedMoves } from "../../db/moves/record-moves.ts";
import type { Actor } from "../../domain/actor.ts";
import { REGISTRY_VERSION } from "../../domain/registry-version.ts";
import { conclude } from "../call/conclude.ts";

/** The actor of what only time causes. */
export const SWEEP: Actor = { id: "system", name: "Deadline", kind: "system", role: "service" };

export interface SweepingCall {
  /** The route of its operations, by which a write is found again if the database's answer is lost. */
  route: string;
  requestId: string;
  /** Collects the errors of single tasks, so that the others continue. */
  errors: unknown[];
}

/**
 * Records moves of the sweep in one statement, or in halves if the database rejects it, so that one failing task does
 * not affect the others. Returns how many tasks moved. The others have changed since they were found.
 */
export async function recordSwept(
  tenant: TenantDatabase,
  moves: readonly Move[],
  call: SweepingCall,
): Promise<number> {
  if (moves.length === 0) return 0;
  try {
    return await recordBatch(tenant, moves, call);
  } catch (error) {
    if (!isAboutRows(error)) throw error;
    if (moves.length === 1) {
      call.errors.push(error);
      return 0;
    }
    const middle = Math.ceil(moves.length / 2);
    const first = await recordSwept(tenant, moves.slice(0, middle), call);
    return first + (await recordSwept(tenant, moves.slice(middle), call));
  }
}

async function recordBatch(
  tenant: TenantDatabase,
  moves: readonly Move[],
  { route, requestId }: SweepingCall,
): Promise<number> {
  const id = uuidv7();
  const operation: Operation = { id, actorId: SWEEP.id, route, key: null, fingerprint: id };
  const recorded = await recordMoves(tenant, moves, {
    actor: SWEEP,
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

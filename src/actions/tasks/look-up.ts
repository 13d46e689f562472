import type { TenantDatabase } from "../../db/connection/client.ts";
import { lookUpTasks } from "../../db/tasks/tasks.ts";
import { isUuid } from "../../db/sql/uuid.ts";
import { resolve } from "../../domain/status/resolve.ts";
import type { UnifiedStatus } from "../../domain/status/unified.ts";
import { finderOf, type TaskRef, taskRefOf } from "../../domain/task-ref.ts";

/** The names of one round trip. More would need too much memory at once. */
export const LOOKED_UP_PER_PART_MAX = 2500;

interface FoundTask {
  /** The id or external id that the caller sent. */
  input: string;
  id: string;
  externalId: string | null;
  title: string;
  unifiedStatus: UnifiedStatus;
}

/** What became of some of the names. */
export interface LookedUp {
  found: FoundTask[];
  unresolved: string[];
}

/**
 * Finds tasks by ids and external ids, in the order given, in one round trip. Inputs that match no task are returned as
 * unresolved.
 */
export async function lookUp(
  database: TenantDatabase,
  inputs: readonly string[],
): Promise<LookedUp> {
  const named = inputs.map((input) => ({ input, ref: refOf(input) }));
  const tasks = await lookUpTasks(
    database,
    named.map(({ ref }) => ref),
  );
  const find = finderOf(tasks);

  const found: FoundTask[] = [];
  const unresolved: string[] = [];
  for (const { input, ref } of named) {
    const task = find(ref);
    if (task === undefined) {
      unresolved.push(input);
    } else {
      const { id, externalId, title, facts } = task;
      found.push({ input, id, externalId, title, unifiedStatus: resolve(facts) });
    }
  }
  return { found, unresolved };
}

/** People paste external ids without a prefix, so anything that is neither prefixed nor a UUID is one. */
function refOf(input: string): TaskRef {
  const ref = taskRefOf(input);
  return "id" in ref && !isUuid(ref.id) ? { externalId: input } : ref;
}

import type { TenantDatabase } from "../../db/connection/client.ts";
import { findWholeVersions, type WholeVersionRecord } from "../../db/content/versions.ts";
import { succeed, notFound, type Outcome, refuse } from "../../domain/refusals.ts";
import type { TaskRef } from "../../domain/task-ref.ts";
import { diffVersions, type VersionDiff } from "../../domain/versions/diff.ts";

/** The differences between two versions of a task. */
export interface ComparedVersions extends VersionDiff {
  taskId: string;
  from: { id: string; number: number; contentHash: string };
  to: { id: string; number: number; contentHash: string };
  truncated: boolean;
}

/** Compares any two versions of a task, in either order. */
export async function compareVersions(
  database: TenantDatabase,
  task: TaskRef,
  numbers: { from: number; to: number },
): Promise<Outcome<ComparedVersions>> {
  const versions = await findWholeVersions(database, task, numbers);
  const from = versions.find(({ number }) => number === numbers.from);
  const to = versions.find(({ number }) => number === numbers.to);
  if (from === undefined || to === undefined) return refuse(notFound());
  return succeed({
    taskId: from.taskId,
    from: refOf(from),
    to: refOf(to),
    ...diffVersions(from, to),
    truncated: from.truncated || to.truncated,
  });
}

function refOf({ id, number, contentHash }: WholeVersionRecord) {
  return { id, number, contentHash };
}

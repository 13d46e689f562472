/** The name of a task in a call: its id, or its external id. */
export type TaskRef = { id: string } | { externalId: string };

const EXTERNAL_PREFIX = "ext:";

/** Parses `ext:…` as an external id, and anything else as an id. Does not check that it is a UUID or exists. */
export function taskRefOf(name: string): TaskRef {
  return name.startsWith(EXTERNAL_PREFIX)
    ? { externalId: name.slice(EXTERNAL_PREFIX.length) }
    : { id: name.toLowerCase() };
}

const SURROUNDING_BLANKS = /^\p{White_Space}+|\p{White_Space}+$/gu;

/**
 * Returns what makes an external id the same as another one: its composed form (NFC) without surrounding blanks. The
 * database function external_id_key returns the same.
 */
export function externalIdKey(externalId: string): string {
  return externalId.normalize("NFC").replace(SURROUNDING_BLANKS, "");
}

/** Returns a function that finds a task by its id or its external id. An exact external id comes first. */
export function finderOf<Task extends { id: string; externalId: string | null }>(
  tasks: readonly Task[],
): (ref: TaskRef) => Task | undefined {
  const byId = new Map<string, Task>();
  const byExternalId = new Map<string, Task>();
  const byKey = new Map<string, Task>();
  for (const task of tasks) {
    byId.set(task.id, task);
    if (task.externalId === null) continue;
    byExternalId.set(task.externalId, task);
    byKey.set(externalIdKey(task.externalId), task);
  }
  return (ref) => {
    if ("id" in ref) return byId.get(ref.id);
    return byExternalId.get(ref.externalId) ?? byKey.get(externalIdKey(ref.externalId));
  };
}

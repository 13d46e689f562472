/** How a call names a task: by its id, or by the id that it has where it comes from. */
export type TaskRef = { id: string } | { externalId: string };

const EXTERNAL_PREFIX = "ext:";

/** Reads `ext:…` as an external id and everything else as an id, which need not exist or even be one. */
export function taskRefOf(name: string): TaskRef {
  return name.startsWith(EXTERNAL_PREFIX)
    ? { externalId: name.slice(EXTERNAL_PREFIX.length) }
    : { id: name.toLowerCase() };
}

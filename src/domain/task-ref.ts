/** The name of a task in a call: its id, or its external id. */
export type TaskRef = { id: string } | { externalId: string };

const EXTERNAL_PREFIX = "ext:";

/** Parses `ext:…` as an external id, and anything else as an id. Does not check that it is a UUID or exists. */
export function taskRefOf(name: string): TaskRef {
  return name.startsWith(EXTERNAL_PREFIX)
    ? { externalId: name.slice(EXTERNAL_PREFIX.length) }
    : { id: name.toLowerCase() };
}

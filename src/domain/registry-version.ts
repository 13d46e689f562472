/**
 * The version of the domain's tables, stored on every event and signed into every plan. It goes up by one
 * whenever a table changes, so that history is judged by the tables of its time.
 */
export const REGISTRY_VERSION = 1;

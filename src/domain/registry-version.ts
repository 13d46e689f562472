/**
 * The version of the domain's tables. Every event stores it, and every plan token signs it. Increment it when a table
 * changes, so that history can be checked against the tables of its time.
 */
export const REGISTRY_VERSION = 2;

/** The role of a blob in its task. */
export const DATA_KINDS = ["golden", "source", "calibrated", "generated", "delivery"] as const;
export type DataKind = (typeof DATA_KINDS)[number];

/**
 * Whether data of this kind are given with a version, and not made while it is worked on. They are part of what the
 * version means, so it takes none once it is sealed or delivered.
 */
export const isGiven = (kind: DataKind): boolean => kind === "golden" || kind === "source";

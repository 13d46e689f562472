/** The role of a blob in its task. */
export const DATA_KINDS = ["golden", "source", "calibrated", "generated", "delivery"] as const;
export type DataKind = (typeof DATA_KINDS)[number];

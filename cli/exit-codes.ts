/** How a command ends: done; refused, wholly or in part; not understood; or the service did not answer. */
export const EXIT = { done: 0, refused: 1, usage: 2, unavailable: 3 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The command cannot be carried out as it was given. Its message is for the person who gave it. */
export class UsageFault extends Error {}

/**
 * The exit codes. `refused`: the service refused all or part of it. `usage`: the command line is wrong.
 * `unavailable`: the service did not answer, or failed.
 */
export const EXIT = { done: 0, refused: 1, usage: 2, unavailable: 3 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The command cannot run as given. The message is shown to the user, followed by the command's usage. */
export class UsageError extends Error {}

/** The command cannot run as given. The message is shown to the user. */
export class UsageError extends Error {}

/** The command cannot be carried out as it was given. Its message is for the person who gave it. */
export class UsageFault extends Error {}

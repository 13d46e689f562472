import type { PeopleRole } from "./rights.ts";

/** Someone who works for a tenant, with any number of credentials. */
export interface Person {
  id: string;
  /** The subject of the person's tokens; null for someone without tokens. */
  subject: string | null;
  name: string;
  email: string | null;
  /** Counts only for tokens that name no role. */
  role: PeopleRole | null;
  /** The credentials of someone who is not active are rejected. */
  active: boolean;
}

/**
 * Returns the text that identifies who calls, for questions about whose something is. All credentials of a person are
 * the same caller; a machine is each of its credentials.
 */
export const identityOf = (credentialName: string, personId: string | null): string =>
  personId === null ? credentialName : `person:${personId}`;

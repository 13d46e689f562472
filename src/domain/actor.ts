export const ROLES = ["viewer", "operator", "reviewer", "admin", "service"] as const;
export type Role = (typeof ROLES)[number];

export const ACTOR_KINDS = ["person", "key", "service", "system"] as const;
export type ActorKind = (typeof ACTOR_KINDS)[number];

/** The caller, as its credential identifies it. Every event stores the actor's id and name. */
export interface Actor {
  id: string;
  name: string;
  kind: ActorKind;
  role: Role;
}

/** Whose key it is: a person's, or that of a program. */
export const KEY_KINDS = ["person", "machine"] as const;
export type KeyKind = (typeof KEY_KINDS)[number];

/** What the caller authenticated with. It can end while a call is in progress. */
export type Credential =
  | { type: "key"; keyId: string }
  | {
      type: "token";
      expiresAt: Date;
      /** Null for a machine. */
      personId: string | null;
      /** Whether the token names the role. Otherwise it is the person's own. */
      namesRole: boolean;
    };

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

export const ROLES = ["viewer", "operator", "reviewer", "admin", "service"] as const;
export type Role = (typeof ROLES)[number];

export const ACTOR_KINDS = ["person", "key", "service", "system"] as const;
export type ActorKind = (typeof ACTOR_KINDS)[number];

/** Who acts, as the credential says it: stored with its name on every event. */
export interface Actor {
  id: string;
  name: string;
  kind: ActorKind;
  role: Role;
}

import type { Role } from "../../domain/actor.ts";

/** Roles that include those below them. `service` stands beside: it has a list of its own. */
const RANK = { viewer: 0, operator: 1, reviewer: 2, admin: 3 } as const;

/** Whether a role may call a route at all; what depends on the task is decided by the domain. */
export function mayCall(role: Role, required: Role, openToService: boolean): boolean {
  if (role === "service") return openToService || required === "service";
  return required !== "service" && RANK[role] >= RANK[required];
}

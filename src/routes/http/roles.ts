import type { Role } from "../../domain/actor.ts";
import { PEOPLE_ROLES } from "../../domain/rights.ts";

/** Whether a role may call a route at all; what depends on the task is decided by the domain. */
export function mayCall(role: Role, required: Role, openToService: boolean): boolean {
  if (role === "service") return openToService || required === "service";
  return required !== "service" && PEOPLE_ROLES.indexOf(role) >= PEOPLE_ROLES.indexOf(required);
}

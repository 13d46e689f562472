import type { Role } from "../../domain/actor.ts";
import { PEOPLE_ROLES } from "../../domain/rights.ts";

/** Returns whether a role may call a route. The domain decides what depends on the task. */
export function mayCall(role: Role, required: Role, openToService: boolean): boolean {
  if (role === "service") return openToService || required === "service";
  return required !== "service" && PEOPLE_ROLES.indexOf(role) >= PEOPLE_ROLES.indexOf(required);
}

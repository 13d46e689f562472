import { ROLES, type Role } from "../../domain/actor.ts";
import { PEOPLE_ROLES } from "../../domain/rights.ts";

/** What a token's role claim says: a role; nothing, so that the person's own role counts; or something unknown. */
export type ClaimedRole = Role | "none" | "unknown";

/**
 * Reads a role claim. Of a list, such as the groups of a person, the highest role of people counts and other entries are
 * ignored. `service` is no rank among these: a list names it only if it names no role of people, because a machine is in
 * no group of people. A text must be a role.
 */
export function roleOfClaim(claim: unknown): ClaimedRole {
  if (claim === undefined || claim === null || claim === "") return "none";
  if (!Array.isArray(claim)) return isRole(claim) ? claim : "unknown";
  const known = claim.filter(isRole);
  return PEOPLE_ROLES.findLast((role) => known.includes(role)) ?? known[0] ?? "none";
}

function isRole(claim: unknown): claim is Role {
  return (ROLES as readonly unknown[]).includes(claim);
}

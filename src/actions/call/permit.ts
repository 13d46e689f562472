import type { Actor } from "../../domain/actor.ts";
import type { Command } from "../../domain/lifecycle/commands.ts";
import { forbidden, type Outcome, succeed, refuse } from "../../domain/refusals.ts";
import { isPermitted, requiredRole } from "../../domain/rights.ts";
import { rightFor } from "../../domain/lifecycle/right-for.ts";

/** Refuses a command that the actor's role may never give, before anything is loaded. */
export function permit(actor: Actor, command: Command): Outcome<Command> {
  const right = rightFor(command);
  return isPermitted(actor.role, right) ? succeed(command) : refuse(forbidden(requiredRole(right)));
}

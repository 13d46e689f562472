import type { Role } from "./actor.ts";
import type { Command } from "./lifecycle/commands.ts";
import type { TaskSnapshot } from "./lifecycle/snapshot.ts";
import { isAgainstFailure } from "./lifecycle/standing.ts";
import type { StepStatus } from "./lifecycle/statuses.ts";

/** Roles of people, each of which includes those before it. The service role stands beside them. */
export const PEOPLE_ROLES = [
  "viewer",
  "operator",
  "reviewer",
  "admin",
] as const satisfies readonly Role[];
export type PeopleRole = (typeof PEOPLE_ROLES)[number];

interface Grant {
  /** The least role of a person that may; null where only the service may. */
  people: PeopleRole | null;
  service: boolean;
}

/** Who may do what: the table of roles, one row for each right. */
export const RIGHTS = {
  read: { people: "viewer", service: true },
  lookup: { people: "viewer", service: true },
  preview: { people: "viewer", service: true },

  create: { people: "operator", service: false },
  import: { people: "operator", service: false },
  edit: { people: "operator", service: false },
  note: { people: "operator", service: false },
  recordPrompt: { people: "operator", service: true },
  recordData: { people: "operator", service: true },
  recordEval: { people: "operator", service: true },
  recordTrial: { people: "operator", service: true },
  transition: { people: "operator", service: false },
  advance: { people: "operator", service: true },
  reworkUnfinished: { people: "operator", service: false },
  newVersion: { people: "operator", service: false },
  block: { people: "operator", service: false },
  markErrored: { people: "operator", service: false },
  dispatch: { people: "operator", service: false },

  review: { people: "reviewer", service: false },
  reviewByAutomation: { people: "reviewer", service: true },
  judgeExpertReview: { people: "reviewer", service: false },
  approveAgainstFailure: { people: "reviewer", service: false },
  rejectOrMarkDuplicate: { people: "reviewer", service: false },
  waive: { people: "reviewer", service: false },
  revoke: { people: "reviewer", service: false },
  reworkEnded: { people: "reviewer", service: false },
  start: { people: "reviewer", service: false },
  bulk: { people: "reviewer", service: false },
  archiveAndRestore: { people: "reviewer", service: false },

  administer: { people: "admin", service: false },

  reportRun: { people: null, service: true },
  recordInsight: { people: null, service: true },
} as const satisfies Record<string, Grant>;
export type Right = keyof typeof RIGHTS;

/** The role that a refusal names as required. */
export function requiredRole(right: Right): Role {
  return RIGHTS[right].people ?? "service";
}

/** Whether a role holds a right. */
export function isPermitted(role: Role, right: Right): boolean {
  const { people, service } = RIGHTS[right];
  if (role === "service") return service;
  return people !== null && PEOPLE_ROLES.indexOf(role) >= PEOPLE_ROLES.indexOf(people);
}

/** Statuses after which rework undoes a decision. */
export const ENDED_STEP_STATUSES = [
  "approved",
  "rejected",
  "duplicate",
] as const satisfies readonly StepStatus[];

/**
 * The right that a command takes. Without a snapshot it is the least that any task would ask for, so that a
 * caller who may not in any case is refused before anything is looked up.
 */
export function rightFor(command: Command, snapshot?: TaskSnapshot): Right {
  switch (command.type) {
    case "transition":
      return rightForTransition(command.status, snapshot);
    case "gate":
      if (command.gate === "waived") return "waive";
      if (command.gate === "revoked") return "revoke";
      return command.gate === "errored" ? "markErrored" : "block";
    case "advance":
      return "advance";
    case "rework":
      return snapshot !== undefined && isEnded(snapshot.step.status)
        ? "reworkEnded"
        : "reworkUnfinished";
    case "version":
      return "newVersion";
    case "review":
      return command.kind === "automated" && command.move === undefined
        ? "reviewByAutomation"
        : "review";
    case "report":
      return "reportRun";
    case "edit":
      return "edit";
    case "archive":
    case "restore":
      return "archiveAndRestore";
    case "note":
      return "note";
  }
}

/** The role that a command takes: the least of people's roles, or `service` where only that one may. */
export function minimumRole(command: Command, snapshot?: TaskSnapshot): Role {
  return requiredRole(rightFor(command, snapshot));
}

function rightForTransition(status: StepStatus, snapshot: TaskSnapshot | undefined): Right {
  if (status === "rejected" || status === "duplicate") return "rejectOrMarkDuplicate";
  if (snapshot === undefined) return "transition";
  const judges = status === "approved" || status === "changes_requested";
  if (snapshot.step.kind === "expert_review" && judges) return "judgeExpertReview";
  return isAgainstFailure(status, snapshot) ? "approveAgainstFailure" : "transition";
}

function isEnded(status: StepStatus): boolean {
  return ENDED_STEP_STATUSES.some((ended) => ended === status);
}

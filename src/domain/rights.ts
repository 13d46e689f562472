import type { Role } from "./actor.ts";

/** The roles of people. Each role includes the earlier ones. The service role is separate. */
export const PEOPLE_ROLES = [
  "viewer",
  "operator",
  "reviewer",
  "admin",
] as const satisfies readonly Role[];
export type PeopleRole = (typeof PEOPLE_ROLES)[number];

interface Grant {
  /** The lowest role of people that has the right. */
  people: PeopleRole;
  service: boolean;
}

/** The roles that have each right. */
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
  newVersionOfFinished: { people: "reviewer", service: false },
  start: { people: "reviewer", service: false },
  bulk: { people: "reviewer", service: false },
  archiveAndRestore: { people: "reviewer", service: false },

  administer: { people: "admin", service: false },

  reportRun: { people: "admin", service: true },
  recordInsight: { people: "admin", service: true },
} as const satisfies Record<string, Grant>;
export type Right = keyof typeof RIGHTS;

/** Returns the role that a refusal names as required. */
export function requiredRole(right: Right): Role {
  return RIGHTS[right].people;
}

/** Returns true if the role has the right. */
export function isPermitted(role: Role, right: Right): boolean {
  const { people, service } = RIGHTS[right];
  if (role === "service") return service;
  return PEOPLE_ROLES.indexOf(role) >= PEOPLE_ROLES.indexOf(people);
}

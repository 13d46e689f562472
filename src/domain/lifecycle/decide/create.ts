import type { Outcome } from "../../refusals.ts";
import { succeed, forbidden, refuse, validationFailed } from "../../refusals.ts";
import { isPermitted, requiredRole } from "../../rights.ts";
import type { CreateInput, DecisionContext } from "../commands.ts";
import type { Decision } from "../decision.ts";
import { GATE_ON_STATUS } from "../gates.ts";
import { NOT_HELD, type StepSnapshot, type TaskFields } from "../snapshot.ts";
import { startStatuses } from "../transitions.ts";
import { identityOf, NO_CHANGES } from "./changes.ts";
import { eventOpening } from "./events.ts";

/** A new task, with the decision that creates its version 1, its first step and its first event. */
export interface Creation {
  task: { id: string } & TaskFields;
  decision: Decision;
}

/**
 * Creates a task with a queued ingestion step. An imported task begins at `start` instead: its history makes no claim
 * about earlier stages, and no pipeline is dispatched.
 */
export function decideCreate(input: CreateInput, context: DecisionContext): Outcome<Creation> {
  const { fields, content, contentHash, start } = input;
  const right = start === undefined ? "create" : "start";
  if (!isPermitted(context.actor.role, right)) return refuse(forbidden(requiredRole(right)));
  const kind = start?.kind ?? "ingestion";
  const status = start?.status ?? "queued";
  const statuses = startStatuses(kind);
  if (!statuses.includes(status)) {
    const message = `A task cannot start at ${kind} as ${status}. Allowed: ${statuses.join(", ")}.`;
    return refuse(validationFailed({ path: ["start", "status"], code: "not_in_kind", message }));
  }

  const { newId } = context;
  const task = { id: newId(), ...fields };
  const version = { id: newId(), number: 1, content, contentHash, reason: null };
  const opened: StepSnapshot = {
    id: newId(),
    versionId: version.id,
    kind,
    attempt: 1,
    status,
    gate: GATE_ON_STATUS[status],
    ...NOT_HELD,
  };
  const payload = {
    title: fields.title,
    externalId: fields.externalId,
    taxonomyCode: fields.taxonomyCode,
    priority: fields.priority,
    assignee: fields.assignee,
    contentHash,
    opened: { kind, attempt: opened.attempt, fromStepId: null },
    ...(start !== undefined && { imported: true as const }),
  };
  const event = eventOpening("task_created", opened, payload, { reason: start?.reason });
  const decision = { ...NO_CHANGES, events: [event], version, step: identityOf(opened) };
  return succeed({ task, decision });
}

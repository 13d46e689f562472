import type { Outcome } from "../../refusals.ts";
import { succeed } from "../../refusals.ts";
import type { DecisionContext, VersionCommand } from "../commands.ts";
import type { Decision } from "../decision.ts";
import { GATE_ON_STATUS } from "../gates.ts";
import { NOT_HELD, type StepSnapshot, type TaskSnapshot } from "../snapshot.ts";
import { dispatchesOnEntry, identityOf, leave, NO_CHANGES } from "./changes.ts";
import { eventOpening } from "./events.ts";

/** Opens the next version and its first step. Seals the previous version and all its steps. */
export function decideVersion(
  snapshot: TaskSnapshot,
  command: VersionCommand,
  context: Pick<DecisionContext, "newId">,
): Outcome<Decision> {
  const { content, contentHash, reason, firstKind = "authoring" } = command;
  const version = {
    id: context.newId(),
    number: snapshot.version.number + 1,
    content,
    contentHash,
    reason,
  };
  const opened: StepSnapshot = {
    id: context.newId(),
    versionId: version.id,
    kind: firstKind,
    attempt: 1,
    status: "queued",
    gate: GATE_ON_STATUS.queued,
    ...NOT_HELD,
  };
  const left = leave(snapshot.step, snapshot.openRuns);
  const payload = {
    version: { number: version.number, contentHash, firstKind },
    opened: { kind: firstKind, attempt: opened.attempt, fromStepId: snapshot.step.id },
    cancelledRuns: left.runs.map(({ id }) => id),
  };
  return succeed({
    ...NO_CHANGES,
    ...left,
    events: [eventOpening("version_created", opened, payload, command)],
    version,
    step: identityOf(opened),
    dispatches: dispatchesOnEntry(opened, command.runAttachedWorkflows, context.newId),
  });
}

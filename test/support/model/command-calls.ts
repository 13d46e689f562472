import { contentHash } from "../../../src/actions/tasks/content-hash.ts";
import type { Role } from "../../../src/domain/actor.ts";
import type { Command, DecisionContext } from "../../../src/domain/lifecycle/commands.ts";
import { REVIEW_MOVES } from "../../../src/domain/lifecycle/review-moves.ts";
import { lawfulMoves } from "../../../src/domain/lifecycle/moves.ts";
import { isJudging, isRunEnded } from "../../../src/domain/lifecycle/runs.ts";
import type { Original } from "../../../src/domain/lifecycle/duplicates.ts";
import type { StepSnapshot } from "../../../src/domain/lifecycle/snapshot.ts";
import { runsAttachedByDefault } from "../../../src/domain/lifecycle/attached.ts";
import { NOT_OFFERED } from "../../domain/support/world.ts";
import type { RandomCall, WishTo } from "./random-calls.ts";
import type { TaskModel } from "./task-model.ts";
import { placeholders } from "./unify.ts";

/** An id that does not exist. */
export const UNKNOWN_ID = "01932d4a-7c3e-7b11-9a42-5d0c9e6f1a20";
export const REASON = "Because it is so";

/** A call as sent to the API. */
export interface Sent {
  method: string;
  path: string;
  body: Record<string, unknown>;
}

/** A command on one task, in the form of the domain and in that of the API. */
export interface CommandCall extends Sent {
  command: Command;
}

/** Resolves the symbolic names in a wish. */
interface Names {
  externalId: (wanted: WishTo<"edit">["externalId"]) => string | null | undefined;
  original: (name: string) => Original;
  originalOf: (
    wanted: WishTo<"transition">["original"],
    model: TaskModel | null,
  ) => string | undefined;
}

/** Translates a wish for the domain and for the API. Returns null if the task has nothing that the wish applies to. */
export function commandCallOf(
  call: RandomCall,
  wish: Exclude<
    RandomCall["wish"],
    { do: "create" | "run" | "idle" | "dispatch" | "bulk" | "moves" | "claim" | "letGo" }
  >,
  model: TaskModel,
  names: Names,
): CommandCall | null {
  const { snapshot } = model;
  const { externalId } = snapshot;
  const name = call.isNamedByExternalId && externalId !== null ? `ext:${externalId}` : model.id;
  const task = `/tasks/${encodeURIComponent(name)}`;
  const post = (path: string, body: object, command: Command): CommandCall => ({
    method: "POST",
    path: `${task}/${path}`,
    body: { ...body },
    command,
  });
  const flagged = (flag: boolean | undefined) => ({
    sent: flag === undefined ? {} : { runAttachedWorkflows: flag },
    resolved: {
      runAttachedWorkflows: flag ?? runsAttachedByDefault({ role: call.as, tasks: "one" }),
    },
  });
  switch (wish.do) {
    case "onward": {
      if (snapshot.archivedAt !== null) return post("restore", {}, { type: "restore" });
      const { sent, resolved } = flagged(wish.flag);
      const move = lawfulMove(model, wish.pick);
      if ("advance" in move) return post("advance", sent, { type: "advance", ...resolved });
      if ("rework" in move) {
        const body = { toKind: move.rework, reason: REASON };
        return post("rework", { ...body, ...sent }, { type: "rework", ...body, ...resolved });
      }
      const body = { ...move, reason: REASON, payload: { by: "a walk" } };
      return {
        method: "PATCH",
        path: `/steps/${snapshot.step.id}`,
        body: { ...body, ...sent },
        command: { type: "transition", target: targetOf(snapshot.step), ...body, ...resolved },
      };
    }
    case "transition": {
      const step = stepOf(model, wish);
      const { sent, resolved } = flagged(wish.flag);
      const duplicateOf = names.originalOf(wish.original, model);
      const body = { status: wish.status, ...(wish.hasReason && { reason: REASON }) };
      const named = namedIn(duplicateOf, names);
      return {
        method: "PATCH",
        path: `/steps/${step.id}`,
        body: { ...body, ...named.sent, ...sent },
        command: {
          type: "transition",
          target: targetOf(step),
          ...body,
          ...named.resolved,
          ...resolved,
        },
      };
    }
    case "gate": {
      const step = stepOf(model, wish);
      const { gates } = lawfulMoves(snapshot);
      const gate =
        (wish.isLawful ? gates[wish.step % Math.max(1, gates.length)] : null) ?? wish.gate;
      const body = { gate, ...(wish.hasReason && { reason: REASON }) };
      return {
        method: "PATCH",
        path: `/steps/${step.id}/gate`,
        body,
        command: { type: "gate", target: targetOf(step), ...body },
      };
    }
    case "advance": {
      const { sent, resolved } = flagged(wish.flag);
      const { hold } = wish;
      return post("advance", { hold, ...sent }, { type: "advance", hold, ...resolved });
    }
    case "rework": {
      const { sent, resolved } = flagged(wish.flag);
      const body = { toKind: wish.toKind, reason: REASON };
      return post("rework", { ...body, ...sent }, { type: "rework", ...body, ...resolved });
    }
    case "version": {
      const { sent, resolved } = flagged(wish.flag);
      const content = { brief: wish.brief };
      const { firstKind } = wish;
      const body = { content, reason: REASON, ...(firstKind !== undefined && { firstKind }) };
      const command = { ...body, contentHash: contentHash(content), ...resolved };
      return post("versions", { ...body, ...sent }, { type: "version", ...command });
    }
    case "edit": {
      const externalId = names.externalId(wish.externalId);
      const { title, assignee, priority } = wish;
      const changes = { title, assignee, priority, externalId };
      return { method: "PATCH", path: task, body: changes, command: { type: "edit", changes } };
    }
    case "archive":
    case "restore":
      return post(wish.do, {}, { type: wish.do });
    case "note":
      return post("notes", { text: wish.text }, { type: "note", text: wish.text });
    case "review": {
      const { kind, outcome, notes, move } = wish;
      const stepId = wish.names ? stepOf(model, wish).id : undefined;
      const review = {
        kind,
        outcome,
        ...(stepId !== undefined && { stepId }),
        ...(notes !== undefined && { notes }),
      };
      const { heldClaim } = model;
      const isTaken = heldClaim !== null && heldClaim.by !== call.as;
      const command = {
        type: "review" as const,
        ...review,
        ...(isTaken && { takenUntil: heldClaim.leaseUntil }),
      };
      if (move === undefined) return post("reviews", review, command);
      const { sent, resolved } = flagged(move.flag);
      const duplicateOf = names.originalOf(move.original, model);
      const fitting = lawfulMoves(snapshot).transitions.filter((status) =>
        REVIEW_MOVES[outcome].includes(status),
      );
      const lawful = move.isLawful ? fitting[wish.step % (fitting.length || 1)] : undefined;
      const nextMove = {
        status: lawful ?? move.status,
        ...(move.hasReason && { reason: REASON }),
      };
      const named = namedIn(duplicateOf, names);
      return post(
        "reviews",
        { ...review, move: { ...nextMove, ...named.sent, ...sent } },
        { ...command, move: { ...nextMove, ...named.resolved, ...resolved } },
      );
    }
    case "withdraw": {
      const { reviews } = model;
      const review = wish.isNewest ? reviews.at(-1) : reviews[wish.review % (reviews.length || 1)];
      if (review === undefined) return null;
      const { by, seq: _, namedBefore: name, ...recorded } = review;
      const namedBefore = name === null ? null : names.original(name);
      const events = model.eventsSince(review);
      const known = { ...recorded, namedBefore, isOwn: by === call.as, events };
      return {
        method: "POST",
        path: `/reviews/${review.id}/withdraw`,
        body: { reason: REASON },
        command: { type: "withdraw", review: known, reason: REASON },
      };
    }
    case "report": {
      const open = model.runs.filter((one) => !isRunEnded(one.state));
      const runs = wish.isOpen && open.length > 0 ? open : model.runs;
      const run = runs[wish.run % Math.max(1, runs.length)];
      if (run === undefined) return null;
      const judges = isJudging(run.type) && wish.state === "SUCCEEDED";
      const hasVerdict = judges === wish.hasFittingVerdict;
      const { result, error, attempt } = wish;
      const body = {
        state: wish.state,
        ...(hasVerdict && { verdict: wish.verdict }),
        ...(result !== undefined && { result }),
        ...(error !== undefined && { error }),
        ...(attempt !== undefined && { attempt }),
      };
      return {
        method: "PATCH",
        path: `/worker-runs/${run.id}`,
        body,
        command: { type: "report", run: { ...NOT_OFFERED, ...run }, ...body },
      };
    }
  }
}

/** The original that a call names, in the form of the API and in that of the domain. */
function namedIn(name: string | undefined, names: Names) {
  if (name === undefined) return { sent: {}, resolved: {} };
  return { sent: { duplicateOf: name }, resolved: { duplicateOf: names.original(name) } };
}

/** Returns a move that the tables allow, or a rework if they allow none. */
export function lawfulMove({ snapshot }: TaskModel, pick: number) {
  const { advance, transitions } = lawfulMoves(snapshot);
  if (advance && pick % 3 > 0) return { advance: true as const };
  const onward = transitions.filter((next) => next !== "rejected" && next !== "duplicate");
  const status = onward[pick % Math.max(1, onward.length)];
  return status === undefined ? { rework: snapshot.step.kind } : { status };
}

/** Returns the step that a wish addresses: the current one or another. */
export function stepOf(model: TaskModel, wish: { step: number; isCurrent: boolean }): StepSnapshot {
  const steps = model.allSteps;
  const other = wish.isCurrent ? undefined : steps[wish.step % steps.length];
  return other ?? model.snapshot.step;
}

export function targetOf({ id, versionId }: StepSnapshot) {
  return { stepId: id, versionId };
}

/** The caller, in the form of the domain. */
export function contextOf(role: Role): DecisionContext {
  const kind = role === "service" ? "service" : "key";
  return { actor: { id: role, name: role, kind, role }, newId: placeholders() };
}

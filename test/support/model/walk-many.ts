import { expect } from "vitest";
import type { MovedItem, MovedMany } from "../../../src/actions/moves/move-tasks.ts";
import type { BulkExecution, BulkPreview } from "../../../src/actions/views/bulk-views.ts";
import { type BulkPlan, planBulk } from "../../../src/domain/bulk/plan.ts";
import type { Command } from "../../../src/domain/lifecycle/commands.ts";
import { decide } from "../../../src/domain/lifecycle/decide.ts";
import { runsAttachedByDefault } from "../../../src/domain/lifecycle/attached.ts";
import { forbidden } from "../../../src/domain/refusals.ts";
import { isPermitted, requiredRole } from "../../../src/domain/rights.ts";
import { rightFor } from "../../../src/domain/lifecycle/right-for.ts";
import { expectDone, expectProblem } from "../api.ts";
import { expectRecorded, expectUnchanged } from "./agreement.ts";
import { contextOf, lawfulMove, REASON, UNKNOWN_ID } from "./command-calls.ts";
import type { RandomCall, WishTo } from "./random-calls.ts";
import { expectRefusal, refusalOfOriginal } from "./refusals.ts";
import { placeholders } from "./unify.ts";
import type { WalkedTenant } from "./walked-tenant.ts";

/** Sends a bulk change, after a preview if the wish asks for one. */
export async function walkBulk(
  walk: WalkedTenant,
  call: RandomCall,
  wish: WishTo<"bulk">,
): Promise<void> {
  const { as } = call;
  const models = wish.tasks.map((number) => walk.modelOf(number));
  const taskIds = [...models.map(({ id }) => id), ...(wish.hasUnknown ? [UNKNOWN_ID] : [])];
  const name = walk.originalOf(wish.original, models[0] ?? null);
  const original = name === undefined ? undefined : walk.original(name);
  const body: Record<string, unknown> = {
    taskIds,
    targetStatus: wish.target,
    reason: REASON,
    ...(name !== undefined && { duplicateOf: name }),
    ...(wish.flag !== undefined && { runAttachedWorkflows: wish.flag }),
  };
  const plan = planBulk(
    {
      taskIds,
      snapshots: new Map(models.map((model) => [model.id, walk.namedSnapshot(model)])),
      intent: { targetStatus: wish.target },
      reason: REASON,
      runAttachedWorkflows: wish.flag ?? false,
      duplicateOf: original ?? null,
    },
    { newId: placeholders() },
  );
  const misuse = refusalOfOriginal(wish.target, original);
  let planToken: string | undefined;
  if (wish.isPreviewed) {
    const previewed = await walk.api.call<BulkPreview>("POST", "/bulk/preview", { as, body });
    if (misuse === null) planToken = expectPreviewed(plan, expectDone(previewed));
    else expectRefusal(previewed, misuse);
  }

  const sent = { method: "POST", path: "/bulk/execute", body: { ...body, planToken } };
  const answer = await walk.send<BulkExecution>({ ...call, isRepeated: true }, sent, { as });
  if (!isPermitted(as, "bulk")) return expectRefusal(answer, forbidden(requiredRole("bulk")));
  if (misuse !== null) return expectRefusal(answer, misuse);
  const answered = expectDone(answer);
  expectExecuted(plan, answered);
  let dispatched = 0;
  for (const model of new Set(models)) {
    const item = plan.items.find(({ taskId }) => taskId === model.id);
    if (item?.decision === "eligible") {
      dispatched += model.acceptedDispatches(item.change).length;
      await expectRecorded(walk.api, model, {
        decision: item.change,
        bulkOperationId: answered.operationId,
        by: as,
      });
    } else await expectUnchanged(walk.api, model);
  }
  expect(answered.dispatched).toBe(dispatched);
}

/** Expects the preview to show the plan, and returns its token. */
function expectPreviewed(plan: BulkPlan, answered: BulkPreview): string {
  const { items, counts, pipelines, primaryLabel, planToken } = answered;
  expect(counts).toEqual(plan.counts);
  expect(pipelines).toEqual(plan.pipelines);
  expect(primaryLabel).toBe(plan.primaryLabel);
  expect(items.map(({ taskId, decision, code }) => ({ taskId, decision, code }))).toEqual(
    plan.items.map(({ taskId, decision, ...item }) => ({
      taskId,
      decision,
      code: "code" in item ? item.code : undefined,
    })),
  );
  return planToken;
}

/** Expects the answer to report the whole plan as executed. */
function expectExecuted(plan: BulkPlan, answered: BulkExecution): void {
  const { requested, eligible: changed, refused } = plan.counts;
  expect(answered.state).toBe(refused === requested ? "refused" : "completed");
  expect(answered.counts).toEqual({ requested, changed, refused, stale: 0, failed: 0 });
  expect(answered.items).toEqual(
    plan.items.map((item) =>
      item.decision === "eligible"
        ? {
            taskId: item.taskId,
            outcome: "changed",
            from: item.from,
            to: item.to,
            eventSeq: item.eventSeq + 1,
          }
        : {
            taskId: item.taskId,
            outcome: "refused",
            code: item.code,
            from: item.from,
            to: item.to,
            allowed: item.allowed,
          },
    ),
  );
}

/** Sends many moves in one call. */
export async function walkMoves(
  walk: WalkedTenant,
  call: RandomCall,
  wish: WishTo<"moves">,
): Promise<void> {
  const { as } = call;
  const runAttachedWorkflows = wish.flag ?? runsAttachedByDefault({ role: as, tasks: "many" });
  const moveCalls = wish.moves.map((move) => moveCall(walk, move, runAttachedWorkflows));
  const context = contextOf(as);
  const refused = moveCalls
    .map(({ command }) => rightFor(command))
    .find((right) => !isPermitted(as, right));
  const outcomes = moveCalls.map(({ model, command, ifSeq }) =>
    ifSeq !== undefined && ifSeq !== model.snapshot.eventSeq
      ? ("stale" as const)
      : decide(walk.namedSnapshot(model), command, context),
  );
  const body = {
    moves: moveCalls.map(({ sent }) => sent),
    ...(wish.flag !== undefined && { runAttachedWorkflows: wish.flag }),
  };
  const sent = { method: "POST", path: "/moves", body };
  const answer = await walk.send<MovedMany>(call, sent, { as });
  if (refused !== undefined) return expectRefusal(answer, forbidden(requiredRole(refused)));

  const moving = moveCalls.filter((_, index) => {
    const outcome = outcomes[index];
    return outcome !== "stale" && outcome?.ok === true;
  });
  if (new Set(moveCalls.map(({ model }) => model)).size < moveCalls.length) {
    const { issues } = expectProblem(answer, "validation_failed", 400);
    expect(new Set(issues?.map(({ code }) => code))).toEqual(new Set(["repeated_task"]));
    return;
  }
  const answered = expectDone(answer);
  expect(answered.items).toEqual(
    outcomes.map((outcome, index): MovedItem => {
      if (outcome === "stale") return { index, outcome: "stale", error: "stale" };
      const { eventSeq } =
        moveCalls[index]?.model.snapshot ?? expect.fail("the move does not exist");
      if (outcome.ok) {
        const written = outcome.value.events.length;
        return { index, outcome: "changed", eventSeq: eventSeq + written };
      }
      const { code, ...members } = outcome.refusal;
      const allowed = "allowed" in members ? { allowed: members.allowed } : {};
      const issues =
        "issues" in members
          ? members.issues.map((issue) => ({ ...issue, path: ["moves", index, ...issue.path] }))
          : undefined;
      return { index, outcome: "refused", error: code, ...allowed, ...(issues && { issues }) };
    }),
  );
  for (const { model } of moveCalls.filter((move) => !moving.includes(move))) {
    if (!moving.some((move) => move.model === model)) await expectUnchanged(walk.api, model);
  }
  for (const [index, { model }] of moveCalls.entries()) {
    const outcome = outcomes[index];
    if (outcome === "stale" || outcome?.ok !== true) continue;
    const decision = outcome.value;
    await expectRecorded(walk.api, model, { decision, bulkOperationId: null, by: as });
  }
}

/** Translates one of many moves for the domain and for the API. */
function moveCall(
  walk: WalkedTenant,
  { task, ask, hasReason, bound }: WishTo<"moves">["moves"][number],
  runAttachedWorkflows: boolean,
) {
  const model = walk.modelOf(task);
  const { eventSeq } = model.snapshot;
  const ifSeq = { no: undefined, now: eventSeq, before: eventSeq + 1 }[bound];
  const sent = "lawful" in ask ? lawfulMove(model, ask.lawful) : ask;
  const reason = hasReason || "rework" in sent ? REASON : undefined;
  const common = { reason, runAttachedWorkflows };
  const command: Command =
    "status" in sent
      ? { type: "transition", status: sent.status, ...common }
      : "rework" in sent
        ? { type: "rework", toKind: sent.rework, reason: REASON, runAttachedWorkflows }
        : { type: "advance", ...common };
  return { model, command, ifSeq, sent: { task: model.id, ...sent, reason, ifSeq } };
}

import { expect } from "vitest";
import type { ReviewWorkView } from "../../../src/actions/reviews/claim-reviews.ts";
import { taskView } from "../../../src/actions/views/task-view.ts";
import type { ClaimRecord } from "../../../src/db/reviews/slots.ts";
import { claimLost, forbidden } from "../../../src/domain/refusals.ts";
import { expectDone } from "../api.ts";
import { expectUnchanged } from "./agreement.ts";
import { REASON } from "./command-calls.ts";
import type { RandomCall, WishTo } from "./random-calls.ts";
import { expectRefusal } from "./refusals.ts";
import type { TaskModel } from "./task-model.ts";
import type { WalkedTenant } from "./walked-tenant.ts";

const REVIEWERS: readonly RandomCall["as"][] = ["reviewer", "admin"];
const LEASE_SECONDS = 14_400;

/** Claims reviews of the walk, and expects exactly the tasks that wait, in their order. No event is written. */
export async function walkClaim(
  walk: WalkedTenant,
  call: RandomCall,
  { max, own }: WishTo<"claim">,
): Promise<void> {
  const { as } = call;
  const body = { taxonomyCode: walk.name, max, own, leaseSeconds: LEASE_SECONDS };
  const sent = { method: "POST", path: "/reviews/claim", body };
  const answer = await walk.send<{ data: ReviewWorkView[] }>(call, sent, { as });
  if (!REVIEWERS.includes(as)) return expectRefusal(answer, forbidden("reviewer"));
  const offered = walk.models
    .filter((model) => model.isOffered(as, { own }))
    .toSorted(inOrder)
    .slice(0, max);
  const { data } = expectDone(answer);
  expect(data.map(({ task }) => task)).toEqual(offered.map(({ snapshot }) => taskView(snapshot)));
  for (const [index, model] of offered.entries()) {
    const { claim } = data[index] ?? expect.fail("a claim is missing");
    const { step, id: taskId } = model.snapshot;
    expect(claim).toMatchObject({ taskId, stepId: step.id, round: model.round, isOwn: true });
    model.claim = { id: claim.id, by: as, stepId: step.id, leaseUntil: claim.leaseUntil };
    await expectUnchanged(walk.api, model);
  }
}

/** Releases or declines the claim of a task, if someone holds it. Only the holder can. */
export async function walkLetGo(
  walk: WalkedTenant,
  call: RandomCall,
  { verb }: WishTo<"letGo">,
): Promise<void> {
  const { as } = call;
  const model = walk.models.find(({ heldClaim }) => heldClaim !== null);
  const held = model?.heldClaim;
  if (model === undefined || !held) return;
  const body: Record<string, unknown> = verb === "decline" ? { reason: REASON } : {};
  const sent = { method: "POST", path: `/reviews/claims/${held.id}/${verb}`, body };
  const answer = await walk.send<ClaimRecord>(call, sent, { as });
  if (!REVIEWERS.includes(as)) return expectRefusal(answer, forbidden("reviewer"));
  if (held.by !== as) return expectRefusal(answer, claimLost());
  expect(expectDone(answer).id).toBe(held.id);
  model.letGo({ isDeclined: verb === "decline" });
  await expectUnchanged(walk.api, model);
}

/** The most urgent first, then the one that waits longest. */
function inOrder({ snapshot: one }: TaskModel, { snapshot: other }: TaskModel): number {
  if (one.priority !== other.priority) return other.priority - one.priority;
  const [first, second] = [`${one.statusSince} ${one.id}`, `${other.statusSince} ${other.id}`];
  return first < second ? -1 : 1;
}

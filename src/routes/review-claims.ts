import * as z from "zod";
import { changeClaim } from "../actions/reviews/change-claim.ts";
import { claimReviews } from "../actions/reviews/claim-reviews.ts";
import { type ClaimFilter, listClaims } from "../db/reviews/list-claims.ts";
import { CLAIMED_MAX, DRAFT_MAX, LEASE_SECONDS } from "../domain/reviews/slots.ts";
import { replyTo, reply } from "./http/call.ts";
import { defineContract } from "./http/contract.ts";
import { createHandler, type Route } from "./http/create-handler.ts";
import { answerPage } from "./http/paging.ts";
import {
  booleanText,
  type FilterQuery,
  name,
  page,
  paging,
  reason,
  safeText,
  taskRef,
  timestamp,
  uuid,
} from "./http/schemas.ts";
import { step, task } from "./shapes/task.ts";

const TAGS = ["Reviews and workers"] as const;

const claim = z
  .strictObject({
    id: uuid,
    taskId: uuid,
    versionId: uuid,
    stepId: uuid.openapi({ description: "Send it as `stepId` of the review." }),
    round: z.int().openapi({
      description: "The number of expert reviews of the step before, plus one.",
    }),
    holder: z.strictObject({ id: z.string(), name: z.string() }),
    isOwn: z.boolean().openapi({
      description: "Whether the caller holds it, with this or another credential.",
    }),
    claimedAt: timestamp,
    leaseUntil: timestamp,
    draft: z.string().nullable().openapi({
      description: "The notes that the holder has saved. Null for everyone else.",
    }),
  })
  .openapi("ReviewClaim");

const leaseSeconds = z.int().min(LEASE_SECONDS.min).max(LEASE_SECONDS.max);

const postClaim = defineContract({
  operationId: "claimReviews",
  method: "POST",
  path: "/reviews/claim",
  summary: "Claim the next reviews",
  description:
    "Hands out tasks that wait for an expert review: those with the highest priority first, then those that wait longest. No one else gets a task that someone holds. A task waits if its step in `expert_review` is `queued`, `awaiting_review` or `in_review`, is not held, and the task is not archived. Tasks that the caller created or wrote the active version of are left out, and so are those that the caller declined. The claim ends with the caller's review, when it is released or declined, or when its lease runs out. It writes no event.",
  tags: TAGS,
  role: "reviewer",
  body: z
    .strictObject({
      taxonomyCode: name().optional(),
      max: z.int().min(1).max(CLAIMED_MAX).default(1),
      leaseSeconds: leaseSeconds.default(LEASE_SECONDS.default).openapi({
        description: "How long the caller holds the tasks, in seconds.",
      }),
      own: z.boolean().default(false).openapi({
        description: "Whether the caller's own work is offered too.",
      }),
    })
    .openapi("ClaimReviews"),
  example: { max: 5, leaseSeconds: 1800, own: true },
  response: {
    status: 200,
    description: "The claimed tasks, each with its version and step. Empty if none waits.",
    schema: z
      .strictObject({
        data: z.array(
          z
            .strictObject({
              claim,
              task,
              version: z.strictObject({ id: uuid, number: z.int(), contentHash: z.string() }),
              step,
            })
            .openapi("ReviewWork"),
        ),
      })
      .openapi("ClaimedReviews"),
  },
  errors: [],
  idempotency: "optional",
});

const onClaim = z.strictObject({ claimId: uuid });

const CLAIM_ERRORS = ["not_found", "lease_lost"] as const;

const postRenewal = defineContract({
  operationId: "renewReviewClaim",
  method: "POST",
  path: "/reviews/claims/{claimId}/renew",
  summary: "Renew a claim",
  description:
    "Extends the lease of a claim that the caller holds, counted from now. Refused with `lease_lost` once the lease has run out, or if the step has ended or is no longer current.",
  tags: TAGS,
  role: "reviewer",
  params: onClaim,
  body: z
    .strictObject({
      leaseSeconds: leaseSeconds.optional().openapi({
        description: "By default as long as before.",
      }),
    })
    .openapi("RenewReviewClaim"),
  example: { leaseSeconds: 1800 },
  response: { status: 200, description: "The renewed claim.", schema: claim },
  errors: CLAIM_ERRORS,
  idempotency: "optional",
});

const postRelease = defineContract({
  operationId: "releaseReviewClaim",
  method: "POST",
  path: "/reviews/claims/{claimId}/release",
  summary: "Release a claim",
  description:
    "Gives the task back. It is offered again, also to the caller, who then finds the saved draft.",
  tags: TAGS,
  role: "reviewer",
  params: onClaim,
  response: { status: 200, description: "The claim that has ended.", schema: claim },
  errors: CLAIM_ERRORS,
  idempotency: "optional",
});

const postDecline = defineContract({
  operationId: "declineReviewClaim",
  method: "POST",
  path: "/reviews/claims/{claimId}/decline",
  summary: "Decline a claim",
  description:
    "Gives the task back with a reason. It is offered to others, and not to the caller again until someone else has reviewed it.",
  tags: TAGS,
  role: "reviewer",
  params: onClaim,
  body: z.strictObject({ reason }).openapi("DeclineReviewClaim"),
  example: { reason: "I know the author." },
  response: { status: 200, description: "The claim that has ended.", schema: claim },
  errors: CLAIM_ERRORS,
  idempotency: "optional",
});

const putDraft = defineContract({
  operationId: "saveReviewDraft",
  method: "PUT",
  path: "/reviews/claims/{claimId}/draft",
  summary: "Save the draft of a review",
  description:
    "Saves the notes of a review that is not finished, on the claim. Only the holder reads them. They are lost when someone else takes the task.",
  tags: TAGS,
  role: "reviewer",
  params: onClaim,
  body: z.strictObject({ draft: safeText(DRAFT_MAX).nullable() }).openapi("SaveReviewDraft"),
  example: { draft: "Step one holds. Step two needs a unit." },
  response: { status: 200, description: "The claim.", schema: claim },
  errors: CLAIM_ERRORS,
});

const getClaims = defineContract({
  operationId: "listReviewClaims",
  method: "GET",
  path: "/reviews/claims",
  summary: "List claims",
  description:
    "Returns the claims that are held and whose step has not ended, newest first: those of the caller, or with `all` those of everyone.",
  tags: TAGS,
  role: "viewer",
  query: z.strictObject({
    task: taskRef.optional(),
    stepId: uuid.optional(),
    all: booleanText.optional(),
    ...paging,
  } satisfies FilterQuery<ClaimFilter> & typeof paging & { all: z.ZodType }),
  response: { status: 200, description: "A page of claims.", schema: page(claim) },
  errors: ["invalid_cursor"],
});

export const reviewClaimRoutes: readonly Route[] = [
  createHandler(postClaim, async (call, { body }) => {
    const outcome = await claimReviews(call, body);
    if (!outcome.ok) return outcome;
    const { value: data, replayed } = outcome.value;
    return reply({ data }, { replayed });
  }),
  createHandler(postRenewal, async (call, { params: { claimId }, body }) => {
    const change = { kind: "renewed", leaseSeconds: body.leaseSeconds ?? null } as const;
    return replyTo(await changeClaim(call, { claimId, change }));
  }),
  createHandler(postRelease, async (call, { params: { claimId } }) =>
    replyTo(await changeClaim(call, { claimId, change: { kind: "released" } })),
  ),
  createHandler(postDecline, async (call, { params: { claimId }, body }) =>
    replyTo(await changeClaim(call, { claimId, change: { kind: "declined", ...body } })),
  ),
  createHandler(putDraft, async (call, { params: { claimId }, body }) =>
    replyTo(await changeClaim(call, { claimId, change: { kind: "drafted", ...body } })),
  ),
  createHandler(getClaims, (call, { query: { limit, cursor, all = false, ...filter } }) =>
    answerPage(
      call,
      { limit, cursor },
      {
        operationId: getClaims.operationId,
        filter: { ...filter, all, person: call.identity },
        sort: "-id",
        position: uuid,
        read: (after, rows) =>
          listClaims(
            call.database,
            { ...filter, person: call.identity, ofOthers: all },
            { after, limit: rows },
          ),
        positionOf: ({ id }) => id,
        itemOf: (found) => found,
      },
    ),
  ),
];

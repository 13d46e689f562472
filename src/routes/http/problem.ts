import type { Issue, LawfulCommands, RefusalData } from "../../domain/refusals.ts";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { lawfulCalls } from "./lawful-calls.ts";

/** Every error code with the members of its problem document: the domain's refusals, and the codes of the HTTP layer. */
export interface FaultData extends RefusalData {
  malformed_json: object;
  json_too_deep: { max: number };
  duplicate_key: { path: Issue["path"] };
  idempotency_key_required: object;
  csrf_rejected: object;
  method_not_allowed: { allow: readonly string[] };
  request_timeout: object;
  rate_limited: object;
  internal: object;
  unavailable: object;
}
export type ErrorCode = keyof FaultData;

/** Why a request failed. Without `detail`, the response has the catalog's sentence. */
export type Fault = {
  [Code in ErrorCode]: {
    code: Code;
    detail?: string;
    next?: LawfulCommands;
    /** The error in the challenge of a 401. It is no member of the document, which is the same for every failure. */
    challenge?: "invalid_token";
  } & FaultData[Code];
}[ErrorCode];

/** Whether to retry: the `same` request; after a `reload` of the current state, with a new decision; or `never`. */
export const RETRIES = ["same", "reload", "never"] as const;
export type Retry = (typeof RETRIES)[number];

interface CatalogueEntry<Code extends ErrorCode> {
  status: ContentfulStatusCode;
  retry: Retry;
  title: string;
  /** The default explanation, for a fault without one of its own. */
  detail: string;
  /** The members that this code adds to the common ones. */
  members: readonly (keyof FaultData[Code])[];
  retryAfterSeconds?: number;
  /** Always answers with this `detail` and ignores the fault's own, which could leak information. */
  fixed?: true;
}

/** The error catalog, and the only place that assigns status codes. Codes never change; texts may. */
export const PROBLEMS: { readonly [Code in ErrorCode]: CatalogueEntry<Code> } = {
  validation_failed: {
    status: 400,
    retry: "never",
    title: "Validation failed",
    detail: "The request has invalid input. `issues` lists each field and the rule that it breaks.",
    members: ["issues"],
  },
  malformed_json: {
    status: 400,
    retry: "never",
    title: "Malformed JSON",
    detail: "The request body is not valid JSON.",
    members: [],
  },
  json_too_deep: {
    status: 400,
    retry: "never",
    title: "JSON nested too deeply",
    detail: "The objects and arrays in the request body are nested more than `max` levels deep.",
    members: ["max"],
  },
  duplicate_key: {
    status: 400,
    retry: "never",
    title: "Duplicate key in JSON",
    detail: "An object in the request body has the same key twice. `path` points to it.",
    members: ["path"],
  },
  too_many_items: {
    status: 400,
    retry: "never",
    title: "Too many items",
    detail: "A list in the request has more than `max` items. Split it into several requests.",
    members: ["max"],
  },
  invalid_cursor: {
    status: 400,
    retry: "reload",
    title: "Invalid cursor",
    detail:
      "The cursor does not belong to this list with these filters. Start again without a cursor.",
    members: [],
  },
  invalid_plan_token: {
    status: 400,
    retry: "reload",
    title: "Invalid plan token",
    detail: "The plan token was not issued for this change. Preview the change again.",
    members: [],
  },
  url_not_allowed: {
    status: 400,
    retry: "never",
    title: "URL not allowed",
    detail: "The URL must use https and point to a public host.",
    members: [],
  },
  idempotency_key_required: {
    status: 400,
    retry: "never",
    title: "Idempotency-Key is missing",
    detail: "This call requires an `Idempotency-Key` header, so that it can be retried safely.",
    members: [],
  },
  unauthenticated: {
    status: 401,
    retry: "never",
    title: "Invalid credentials",
    detail:
      "No valid API key or token was provided. Send one in the `Authorization` header as a `Bearer` token.",
    members: [],
    fixed: true,
  },
  forbidden: {
    status: 403,
    retry: "never",
    title: "Insufficient permissions",
    detail: "The credential's role does not permit this call. `required` names the role that does.",
    members: ["required"],
  },
  not_a_demo: {
    status: 403,
    retry: "never",
    title: "Not a demo tenant",
    detail: "This works only in a demo tenant. Nothing was changed.",
    members: [],
  },
  csrf_rejected: {
    status: 403,
    retry: "never",
    title: "Cross-site request rejected",
    detail:
      "A write by someone whom a cookie identifies must come from the service's own origin, or from one that it allows.",
    members: [],
  },
  not_found: {
    status: 404,
    retry: "never",
    title: "Not found",
    detail: "The resource does not exist, or this credential cannot access it.",
    members: [],
    fixed: true,
  },
  method_not_allowed: {
    status: 405,
    retry: "never",
    title: "Method not allowed",
    detail:
      "This path does not support the request's method. `allow` lists the methods that it supports.",
    members: ["allow"],
  },
  request_timeout: {
    status: 408,
    retry: "same",
    title: "Request timeout",
    detail: "The request body arrived too slowly. Nothing was changed.",
    members: [],
  },
  invalid_transition: {
    status: 409,
    retry: "reload",
    title: "Invalid transition",
    detail:
      "The current state does not allow this transition. `allowed` lists the states that it can change to.",
    members: ["from", "to", "allowed"],
  },
  gate_closed: {
    status: 409,
    retry: "reload",
    title: "Gate is closed",
    detail:
      "The step's gate does not allow this call. `allowed` lists what it would accept instead.",
    members: ["gate", "allowed"],
  },
  no_next_step: {
    status: 409,
    retry: "never",
    title: "No next step",
    detail: "The task is at its last stage, so it cannot advance.",
    members: [],
  },
  already_in_status: {
    status: 409,
    retry: "never",
    title: "Already in this status",
    detail: "The step already has this status. Nothing was changed.",
    members: ["done"],
  },
  step_not_current: {
    status: 409,
    retry: "reload",
    title: "Step is not current",
    detail:
      "Only the task's current step can change. `currentStepId` is the id of that step. For a review, `draft` is the text that was not recorded.",
    members: ["currentStepId", "draft"],
  },
  version_sealed: {
    status: 409,
    retry: "reload",
    title: "Version is sealed",
    detail:
      "A newer version has replaced this one, so its steps can no longer change. Golden and source data also need a version that was not delivered.",
    members: ["activeVersion"],
  },
  archived: {
    status: 409,
    retry: "reload",
    title: "Task is archived",
    detail: "An archived task cannot change. Restore it first.",
    members: [],
  },
  plan_stale: {
    status: 409,
    retry: "reload",
    title: "Plan is out of date",
    detail: "Tasks have changed since the preview. `changed` lists them. Nothing was changed.",
    members: ["changed"],
  },
  plan_expired: {
    status: 409,
    retry: "reload",
    title: "Plan has expired",
    detail: "The plan token has expired. Preview the change again.",
    members: [],
  },
  not_revertible: {
    status: 409,
    retry: "never",
    title: "Cannot be reverted",
    detail:
      "This bulk operation does not support a revert, or it was already reverted. A review can be withdrawn by the person who recorded it, as long as nothing has happened to its task since.",
    members: [],
  },
  not_retriable: {
    status: 409,
    retry: "never",
    title: "Operation cannot be retried",
    detail: "A retry of the bulk operation would not do what was agreed to. The detail says why.",
    members: [],
  },
  stale: {
    status: 409,
    retry: "reload",
    title: "Conflict: concurrent update",
    detail: "The resource kept changing while this request was processed. Nothing was changed.",
    members: [],
  },
  lease_lost: {
    status: 409,
    retry: "never",
    title: "Lease lost",
    detail: "The caller does not hold the lease on this run or claim. The call was ignored.",
    members: [],
  },
  claim_taken: {
    status: 409,
    retry: "reload",
    title: "Claim taken",
    detail:
      "Someone else has claimed the review of this step until `leaseUntil`. Claim another task.",
    members: ["leaseUntil"],
  },
  conflict: {
    status: 409,
    retry: "never",
    title: "Conflict with another resource",
    detail:
      "Another resource prevents the change. `existing` identifies it, or `namedBy` lists the duplicates that name the task: the first 100, and `isNamedByMore` says whether there are more.",
    members: ["existing", "namedBy", "isNamedByMore"],
  },
  too_many_keys: {
    status: 409,
    retry: "never",
    title: "Too many API keys",
    detail: "`max` API keys work already. Revoke one that is no longer used.",
    members: ["max"],
  },
  key_ended: {
    status: 409,
    retry: "never",
    title: "API key has ended",
    detail: "The API key was revoked or has expired, so it cannot be rotated.",
    members: [],
  },
  last_admin_key: {
    status: 409,
    retry: "never",
    title: "Last admin key",
    detail:
      "No other admin key works as long as this one. Create one that does, or rotate this key, before it ends.",
    members: [],
  },
  operation_in_progress: {
    status: 409,
    retry: "same",
    title: "Request still in progress",
    detail: "An earlier request with this `Idempotency-Key` is still in progress.",
    members: [],
    retryAfterSeconds: 1,
  },
  version_conflict: {
    status: 412,
    retry: "reload",
    title: "Precondition failed",
    detail: "`If-Match` does not match the task's current state. Nothing was changed.",
    members: ["eventSeq"],
  },
  payload_too_large: {
    status: 413,
    retry: "never",
    title: "Payload too large",
    detail: "The request body is larger than `max` bytes.",
    members: ["max"],
  },
  unsupported_media_type: {
    status: 415,
    retry: "never",
    title: "Unsupported media type",
    detail:
      "Send JSON as `application/json` in UTF-8, and content under the media type that it was declared with. Do not compress either.",
    members: [],
  },
  range_not_satisfiable: {
    status: 416,
    retry: "never",
    title: "Range not satisfiable",
    detail:
      "The requested range starts beyond the end of the content, which is `sizeBytes` bytes long.",
    members: ["sizeBytes"],
  },
  idempotency_key_reused: {
    status: 422,
    retry: "never",
    title: "Idempotency-Key is already used",
    detail:
      "An earlier request used this `Idempotency-Key` with different parameters. Use a new key.",
    members: [],
  },
  rate_limited: {
    status: 429,
    retry: "same",
    title: "Too many requests",
    detail:
      "The rate limit is exceeded. Wait for the number of seconds in `Retry-After`, then retry.",
    members: [],
    retryAfterSeconds: 60,
  },
  internal: {
    status: 500,
    retry: "never",
    title: "Internal server error",
    detail: "An unexpected error occurred. Include the request id when you report it.",
    members: [],
    fixed: true,
  },
  unavailable: {
    status: 503,
    retry: "same",
    title: "Service unavailable",
    detail:
      "The service is temporarily unavailable. The same request with its `Idempotency-Key` is safe to retry.",
    members: [],
    retryAfterSeconds: 2,
    fixed: true,
  },
};

export const ERROR_CODES = Object.keys(PROBLEMS) as ErrorCode[]; // keys of a total table

export const PROBLEM_MEDIA_TYPE = "application/problem+json";

/** Returns the path of a code's documentation. It is relative, so that it works on any host. */
export const problemType = (code: ErrorCode): string => `/docs/errors#${code}`;

/** Returns the problem document (RFC 9457) for a fault. */
export function problemResponse(fault: Fault, requestId: string): Response {
  const { code, detail, next, challenge: _, ...members } = fault;
  const entry = PROBLEMS[code];
  const body = {
    type: problemType(code),
    title: entry.title,
    status: entry.status,
    detail: entry.fixed === true ? entry.detail : (detail ?? entry.detail),
    instance: requestId,
    error: code,
    retry: entry.retry,
    ...members,
    ...(next === undefined ? {} : { next: lawfulCalls(next) }),
  };
  return new Response(JSON.stringify(body), { status: entry.status, headers: headersOf(fault) });
}

function headersOf(fault: Fault): Record<string, string> {
  const headers: Record<string, string> = { "content-type": PROBLEM_MEDIA_TYPE };
  const { retryAfterSeconds } = PROBLEMS[fault.code];
  if (retryAfterSeconds !== undefined) headers["retry-after"] = String(retryAfterSeconds);
  if (fault.code === "unauthenticated") headers["www-authenticate"] = challengeOf(fault);
  if (fault.code === "method_not_allowed") headers["allow"] = fault.allow.join(", ");
  if (fault.code === "version_conflict") headers["etag"] = entityTag(fault.eventSeq);
  if (fault.code === "range_not_satisfiable") {
    headers["content-range"] = `bytes */${fault.sizeBytes}`;
  }
  return headers;
}

/**
 * Returns the challenge (RFC 6750, section 3). A request without a credential gets no error, and every other one the
 * same, so that guesses learn nothing.
 */
function challengeOf({ challenge }: Fault): string {
  if (challenge === undefined) return "Bearer";
  return `Bearer error="${challenge}", error_description="The API key or token is not valid"`;
}

/** Returns a task's strong entity tag. The event seq is the task's version. */
export const entityTag = (eventSeq: number): string => `"${eventSeq}"`;

import type { LawfulCall, Issue, RefusalData } from "../../domain/refusals.ts";
import type { ContentfulStatusCode } from "hono/utils/http-status";

/** Every error that an answer can bear, with its members: the domain's refusals and the edge's own. */
export interface FaultData extends RefusalData {
  malformed_json: object;
  json_too_deep: { max: number };
  duplicate_key: { path: Issue["path"] };
  idempotency_key_required: object;
  unauthenticated: object;
  csrf_rejected: object;
  method_not_allowed: { allow: readonly string[] };
  lease_lost: object;
  payload_too_large: { max: number };
  rate_limited: object;
  internal: object;
  unavailable: object;
}
export type ErrorCode = keyof FaultData;

/** A reason why a request gets no success. Without `detail` the catalogue's own sentence is told. */
export type Fault = {
  [Code in ErrorCode]: { code: Code; detail?: string; next?: LawfulCall[] } & FaultData[Code];
}[ErrorCode];

/**
 * What a client should do: send the `same` request again; `reload` what it knows and decide anew; or `never` send
 * this request again.
 */
export const RETRIES = ["same", "reload", "never"] as const;
export type Retry = (typeof RETRIES)[number];

interface CatalogueEntry<Code extends ErrorCode> {
  status: ContentfulStatusCode;
  retry: Retry;
  title: string;
  /** One sentence, told where the fault brings none of its own. */
  detail: string;
  /** The members that this code promises beside the common ones. */
  members: readonly (keyof FaultData[Code])[];
  retryAfterSeconds?: number;
  /** Told as it stands here, whatever the fault says: anything more would tell what it must not. */
  fixed?: true;
}

/** The catalogue of errors, and the one place that chooses status numbers. Codes never change; sentences may. */
export const PROBLEMS: { readonly [Code in ErrorCode]: CatalogueEntry<Code> } = {
  validation_failed: {
    status: 400,
    retry: "never",
    title: "The request is not valid",
    detail: "The request does not match what this call takes; `issues` says where.",
    members: ["issues"],
  },
  malformed_json: {
    status: 400,
    retry: "never",
    title: "The body is not JSON",
    detail: "The body could not be read as JSON.",
    members: [],
  },
  json_too_deep: {
    status: 400,
    retry: "never",
    title: "The body is nested too deeply",
    detail: "Objects and arrays may stand inside each other only so far.",
    members: ["max"],
  },
  duplicate_key: {
    status: 400,
    retry: "never",
    title: "A key stands twice",
    detail:
      "An object of the body names the same key twice, so it is not clear which one is meant.",
    members: ["path"],
  },
  too_many_items: {
    status: 400,
    retry: "never",
    title: "Too many items",
    detail: "The list is longer than this call takes; send it in parts.",
    members: ["max"],
  },
  invalid_cursor: {
    status: 400,
    retry: "reload",
    title: "The cursor is not valid",
    detail: "The cursor was not made for this list with these filters; begin again without one.",
    members: [],
  },
  invalid_plan_token: {
    status: 400,
    retry: "reload",
    title: "The plan token is not valid",
    detail: "The plan token was not made for this change; preview it again.",
    members: [],
  },
  url_not_allowed: {
    status: 400,
    retry: "never",
    title: "The address is not allowed",
    detail: "Only https addresses of public hosts are called.",
    members: [],
  },
  idempotency_key_required: {
    status: 400,
    retry: "never",
    title: "An Idempotency-Key is required",
    detail:
      "This call changes much at once: send an Idempotency-Key, so that it can be repeated safely.",
    members: [],
  },
  unauthenticated: {
    status: 401,
    retry: "never",
    title: "Who are you?",
    detail: "Send a valid API key or token as `Authorization: Bearer`.",
    members: [],
    fixed: true,
  },
  forbidden: {
    status: 403,
    retry: "never",
    title: "Not permitted",
    detail: "The credential's role does not permit this call.",
    members: ["required"],
  },
  csrf_rejected: {
    status: 403,
    retry: "never",
    title: "Cross-site request refused",
    detail: "A request with the session cookie must come from the panel's own origin.",
    members: [],
  },
  not_found: {
    status: 404,
    retry: "never",
    title: "Not found",
    detail: "There is nothing here by that name.",
    members: [],
    fixed: true,
  },
  method_not_allowed: {
    status: 405,
    retry: "never",
    title: "Method not allowed",
    detail: "This address does not take that method; `allow` lists those it takes.",
    members: ["allow"],
  },
  invalid_transition: {
    status: 409,
    retry: "reload",
    title: "No such move",
    detail: "The move is not lawful from the present state; `allowed` lists those that are.",
    members: ["from", "to", "allowed"],
  },
  gate_closed: {
    status: 409,
    retry: "reload",
    title: "The gate is closed",
    detail: "The step's gate does not let the task pass.",
    members: ["gate", "allowed"],
  },
  no_next_step: {
    status: 409,
    retry: "never",
    title: "No next step",
    detail: "The task is at its last step.",
    members: [],
  },
  already_in_status: {
    status: 409,
    retry: "never",
    title: "Already so",
    detail: "The step already has that status; nothing was done.",
    members: ["done"],
  },
  step_not_current: {
    status: 409,
    retry: "reload",
    title: "Not the current step",
    detail: "Only the step that the task stands at can move.",
    members: ["currentStepId"],
  },
  version_sealed: {
    status: 409,
    retry: "reload",
    title: "The version is sealed",
    detail: "A newer version took this one's place; its steps no longer move.",
    members: ["activeVersion"],
  },
  archived: {
    status: 409,
    retry: "reload",
    title: "The task is archived",
    detail: "An archived task does not change; restore it first.",
    members: [],
  },
  plan_stale: {
    status: 409,
    retry: "reload",
    title: "The plan is stale",
    detail: "Tasks have changed since the preview; `changed` lists them. Nothing was done.",
    members: ["changed"],
  },
  plan_expired: {
    status: 409,
    retry: "reload",
    title: "The plan has expired",
    detail: "The preview is too old; preview the change again.",
    members: [],
  },
  not_revertible: {
    status: 409,
    retry: "never",
    title: "The operation cannot be taken back",
    detail: "This bulk operation cannot be taken back, or was already.",
    members: [],
  },
  stale: {
    status: 409,
    retry: "reload",
    title: "Somebody was faster",
    detail: "The task kept changing while this call was decided. Nothing was done.",
    members: [],
  },
  lease_lost: {
    status: 409,
    retry: "never",
    title: "The lease is lost",
    detail:
      "The caller holds no lease on this run, or another worker was given it; the report changes nothing.",
    members: [],
  },
  conflict: {
    status: 409,
    retry: "never",
    title: "It exists already",
    detail: "Something that excludes this exists already; `existing` names it.",
    members: ["existing"],
  },
  operation_in_progress: {
    status: 409,
    retry: "same",
    title: "Still at work",
    detail: "The first call with this Idempotency-Key has not ended yet.",
    members: [],
    retryAfterSeconds: 1,
  },
  version_conflict: {
    status: 412,
    retry: "reload",
    title: "The task has changed",
    detail: "If-Match names another state than the present one. Nothing was done.",
    members: ["eventSeq"],
  },
  payload_too_large: {
    status: 413,
    retry: "never",
    title: "The body is too large",
    detail: "The body has more bytes than this call takes.",
    members: ["max"],
  },
  unsupported_media_type: {
    status: 415,
    retry: "never",
    title: "The body's type is not taken",
    detail:
      "Send JSON as application/json in UTF-8, content as it was declared, and neither compressed.",
    members: [],
  },
  range_not_satisfiable: {
    status: 416,
    retry: "never",
    title: "There is no such part",
    detail: "The range that was asked for lies beyond the content, which has `sizeBytes` bytes.",
    members: ["sizeBytes"],
  },
  idempotency_key_reused: {
    status: 422,
    retry: "never",
    title: "The Idempotency-Key was used for something else",
    detail: "The first call with this Idempotency-Key asked for something else.",
    members: [],
  },
  rate_limited: {
    status: 429,
    retry: "same",
    title: "Too many requests",
    detail: "Send fewer requests a minute.",
    members: [],
    retryAfterSeconds: 60,
  },
  internal: {
    status: 500,
    retry: "never",
    title: "A fault of ours",
    detail: "Something went wrong on our side. Tell us the request id.",
    members: [],
    fixed: true,
  },
  unavailable: {
    status: 503,
    retry: "same",
    title: "Not available just now",
    detail:
      "The service cannot answer just now. It is safe to send the same request again with its Idempotency-Key.",
    members: [],
    retryAfterSeconds: 2,
    fixed: true,
  },
};

export const ERROR_CODES = Object.keys(PROBLEMS) as ErrorCode[]; // keys of a total table

export const PROBLEM_MEDIA_TYPE = "application/problem+json";

/** Where a code is explained; relative, so that it holds on any host. */
export const problemType = (code: ErrorCode): string => `/docs/errors#${code}`;

/** The answer to a fault, as RFC 9457 has it. */
export function problemResponse(fault: Fault, requestId: string): Response {
  const { code, detail, next, ...members } = fault;
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
    ...(next === undefined ? {} : { next }),
  };
  return new Response(JSON.stringify(body), { status: entry.status, headers: headersOf(fault) });
}

function headersOf(fault: Fault): Record<string, string> {
  const headers: Record<string, string> = { "content-type": PROBLEM_MEDIA_TYPE };
  const { retryAfterSeconds } = PROBLEMS[fault.code];
  if (retryAfterSeconds !== undefined) headers["retry-after"] = String(retryAfterSeconds);
  if (fault.code === "unauthenticated") headers["www-authenticate"] = "Bearer";
  if (fault.code === "method_not_allowed") headers["allow"] = fault.allow.join(", ");
  if (fault.code === "version_conflict") headers["etag"] = entityTag(fault.eventSeq);
  if (fault.code === "range_not_satisfiable") {
    headers["content-range"] = `bytes */${fault.sizeBytes}`;
  }
  return headers;
}

/** A task's strong entity tag: the event seq is its version. */
export const entityTag = (eventSeq: number): string => `"${eventSeq}"`;

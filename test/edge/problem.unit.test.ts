import { describe, expect, test } from "vitest";
import {
  ERROR_CODES,
  type ErrorCode,
  PROBLEMS,
  problemResponse,
} from "../../src/routes/http/problem.ts";
import { FAULTS } from "../support/faults.ts";

/** A second copy of the public contract: a code never disappears and never changes its status. */
const STATUS_BY_CODE: Record<ErrorCode, number> = {
  validation_failed: 400,
  malformed_json: 400,
  json_too_deep: 400,
  duplicate_key: 400,
  too_many_items: 400,
  invalid_cursor: 400,
  invalid_plan_token: 400,
  url_not_allowed: 400,
  idempotency_key_required: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_a_demo: 403,
  csrf_rejected: 403,
  not_found: 404,
  method_not_allowed: 405,
  invalid_transition: 409,
  gate_closed: 409,
  no_next_step: 409,
  already_in_status: 409,
  step_not_current: 409,
  version_sealed: 409,
  archived: 409,
  plan_stale: 409,
  plan_expired: 409,
  not_revertible: 409,
  not_retriable: 409,
  stale: 409,
  lease_lost: 409,
  claim_taken: 409,
  conflict: 409,
  too_many_keys: 409,
  key_ended: 409,
  last_admin_key: 409,
  operation_in_progress: 409,
  version_conflict: 412,
  request_timeout: 408,
  payload_too_large: 413,
  unsupported_media_type: 415,
  range_not_satisfiable: 416,
  idempotency_key_reused: 422,
  rate_limited: 429,
  internal: 500,
  unavailable: 503,
};

describe.each(ERROR_CODES)("%s", (code) => {
  test("returns an RFC 9457 problem with its status and members", async () => {
    const { code: _, ...members } = FAULTS[code];
    const response = problemResponse(FAULTS[code], "request-1");
    expect(response.status).toBe(STATUS_BY_CODE[code]);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    expect(await response.json()).toEqual({
      type: `/docs/errors#${code}`,
      title: PROBLEMS[code].title,
      status: STATUS_BY_CODE[code],
      detail: PROBLEMS[code].detail,
      instance: "request-1",
      error: code,
      retry: expect.stringMatching(/^(same|reload|never)$/),
      ...members,
    });
    expect(Object.keys(members)).toEqual(PROBLEMS[code].members);
  });
});

test("only codes that allow the same request again return Retry-After", () => {
  const retryAfter = (code: ErrorCode) =>
    problemResponse(FAULTS[code], "r").headers.get("retry-after");
  const timed = ERROR_CODES.filter((code) => retryAfter(code) !== null);
  expect(timed).toEqual(["operation_in_progress", "rate_limited", "unavailable"]);
  expect(timed.every((code) => PROBLEMS[code].retry === "same")).toBe(true);
  expect(retryAfter("operation_in_progress")).toBe("1");
});

test("some codes add headers: WWW-Authenticate, Allow, ETag and Content-Range", () => {
  const headers = (code: ErrorCode) => problemResponse(FAULTS[code], "r").headers;
  expect(headers("unauthenticated").get("www-authenticate")).toBe("Bearer");
  expect(headers("method_not_allowed").get("allow")).toBe("GET, HEAD");
  expect(headers("version_conflict").get("etag")).toBe('"9"');
  expect(headers("range_not_satisfiable").get("content-range")).toBe("bytes */10");
});

test("a fault's own detail replaces the default, and `next` is the last member", async () => {
  const commands = [{ type: "transition", status: "queued", needsReason: false }] as const;
  const next = { taskId: "t", stepId: "a", commands };
  const fault = { ...FAULTS.invalid_transition, detail: "Not from here.", next };
  const body = await problemResponse(fault, "r").json();
  expect(body).toMatchObject({
    detail: "Not from here.",
    next: [{ method: "PATCH", path: "/v1/steps/a", body: { status: "queued" } }],
  });
  expect(Object.keys(body as object).at(-1)).toBe("next");
});

test("not_found, unauthenticated and internal ignore a fault's own detail", async () => {
  for (const code of ["not_found", "unauthenticated", "internal"] as const) {
    const detailed = await problemResponse(
      { code, detail: "Task 42 is another tenant's" },
      "r",
    ).text();
    expect(detailed).toBe(await problemResponse({ code }, "r").text());
  }
});

import type { ErrorCode, Issue, LawfulCall, Problem } from "./operations.ts";

/** An error response from the service. Branch on `error`, whose codes never change; `message` is for people. */
export class StepledgerProblem extends Error {
  override readonly name = "StepledgerProblem";
  /** The whole response body. docs/errors.md lists the members of each code. */
  readonly problem: Problem;
  readonly status: number;
  readonly error: ErrorCode;
  /** `same`: the same call may succeed later. `reload`: read again and decide again. `never`: do not retry. */
  readonly retry: Problem["retry"];
  /** Identifies the call in the service's logs and on its events. */
  readonly requestId: string;
  /** The values that would have been accepted. Empty for codes that do not list them. */
  readonly allowed: readonly string[];
  /** The calls that are allowed now. */
  readonly next: readonly LawfulCall[];
  /** What is wrong with the input, each with the path to it. */
  readonly issues: readonly Issue[];
  /** For a `conflict`: the existing object. */
  readonly existing: { id: string } | null;

  constructor(problem: Problem) {
    super(`${problem.error}: ${problem.detail}`);
    this.problem = problem;
    this.status = problem.status;
    this.error = problem.error;
    this.retry = problem.retry;
    this.requestId = problem.instance;
    this.allowed = textsOf(problem["allowed"]);
    this.next = problem.next ?? [];
    this.issues = problem.issues ?? [];
    this.existing = namedBy(problem["existing"]);
  }
}

/**
 * No response, or one that is not the service's. A write may still have taken effect: to be sure, repeat it with the
 * same idempotency key.
 */
export class StepledgerUnreachable extends Error {
  override readonly name = "StepledgerUnreachable";
}

/** Returns the problem in an error response, or null if it is not the service's, such as a proxy's error page. */
export function readProblem(text: string): StepledgerProblem | null {
  const body = parseJson(text);
  return isProblem(body) ? new StepledgerProblem(body) : null;
}

/** Returns the parsed value, or undefined if the text is not JSON. No JSON text parses to undefined. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isProblem(body: unknown): body is Problem {
  return (
    typeof body === "object" &&
    body !== null &&
    "error" in body &&
    typeof body.error === "string" &&
    "retry" in body &&
    typeof body.retry === "string"
  );
}

const textsOf = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((one) => typeof one === "string") : [];

function namedBy(value: unknown): { id: string } | null {
  if (typeof value !== "object" || value === null || !("id" in value)) return null;
  return typeof value.id === "string" ? { id: value.id } : null;
}

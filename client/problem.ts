import type { ErrorCode, Issue, LawfulCall, Problem } from "./operations.ts";

/** The service understood, and said no. Branch on `error`, which never changes; `message` is for people. */
export class StepledgerProblem extends Error {
  override readonly name = "StepledgerProblem";
  /** Everything that was answered; docs/errors.md tells which code brings which members. */
  readonly problem: Problem;
  readonly status: number;
  readonly error: ErrorCode;
  /** Whether the `same` call may succeed later, a `reload` must come first, or it will `never` do. */
  readonly retry: Problem["retry"];
  /** Names the call in the service's logs and on its events. */
  readonly requestId: string;
  /** What would have been accepted in place of what was asked for; empty where the code does not tell. */
  readonly allowed: readonly string[];
  /** The calls that would be lawful now. */
  readonly next: readonly LawfulCall[];
  /** What is wrong with the input, place by place. */
  readonly issues: readonly Issue[];
  /** What stands in the way of a `conflict`. */
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

/** Nobody answered, or not as the service would. A write may have happened all the same: repeat it with its key. */
export class StepledgerUnreachable extends Error {
  override readonly name = "StepledgerUnreachable";
}

/** The problem in an error answer; null where it comes from somebody on the way. */
export function readProblem(text: string): StepledgerProblem | null {
  const body = parseJson(text);
  return isProblem(body) ? new StepledgerProblem(body) : null;
}

/** The value, or undefined where the text is not JSON, which no JSON text means. */
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

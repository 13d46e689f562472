import { expect } from "vitest";
import type { Moved } from "../../src/actions/moves/move-task.ts";
import type { TaskView } from "../../src/actions/views/task-view.ts";
import type { Role } from "../../src/domain/actor.ts";
import type { GateState, StepKind, StepStatus } from "../../src/domain/lifecycle/statuses.ts";
import { allowedNext, startStatuses } from "../../src/domain/lifecycle/transitions.ts";
import type { Issue } from "../../src/domain/refusals.ts";
import type { LawfulCall } from "../../src/routes/http/lawful-calls.ts";
import type { UnifiedStatus } from "../../src/domain/status/unified.ts";
import type { ErrorCode } from "../../src/routes/http/problem.ts";
import type { TestDatabase } from "./database.ts";

// Calls to the API, in any runtime: tests in workerd call the Worker directly, those in Node a service over HTTP.

/** A tenant with one API key for each role. */
export interface Tenant {
  id: string;
  name: string;
  keys: Record<Role, string>;
}

export interface CallOptions {
  /** The role whose key is sent. `admin` by default, who may do everything that a person may. */
  as?: Role;
  /** Sent instead of a role's key. Null sends no credential. */
  bearer?: string | null;
  tenant?: Tenant;
  /** Sent as JSON, or unchanged if it is a string. */
  body?: unknown;
  headers?: Record<string, string>;
  idempotencyKey?: string | undefined;
  ifMatch?: number;
}

export interface Answer<Body = Problem> {
  status: number;
  /** The parsed body, or undefined if there is none or it is not JSON. */
  body: Body;
  /** The raw body, for comparisons byte by byte. */
  text: string;
  headers: Headers;
}

/** A problem: the members that all problems have, and those of single codes. */
export interface Problem {
  error: ErrorCode;
  status: number;
  detail: string;
  instance: string;
  retry: string;
  issues?: Issue[];
  allowed?: string[];
  next?: LawfulCall[];
  existing?: { id: string };
  max?: number;
  [member: string]: unknown;
}

/** The step, status and optionally the gate that a task should have. By default the gate follows from the status. */
export interface Place {
  kind: StepKind;
  status: StepStatus;
  gate?: GateState;
}

/** A service over its own database, with two tenants, and calls to it. */
export interface CallableApi {
  database: TestDatabase;
  tenant: Tenant;
  otherTenant: Tenant;
  /** Sends a request to a path below /v1. */
  call: <Body = Problem>(
    method: string,
    path: string,
    options?: CallOptions,
  ) => Promise<Answer<Body>>;
  /** Creates a task and moves it to a place, without pipelines. By default it is a queued ingestion. */
  givenTask: (
    task?: Record<string, unknown> & { at?: Place; tenant?: Tenant },
  ) => Promise<TaskView>;
}

/** The place of each label, for `givenTaskLabelled`. */
export const PLACE_OF_LABEL: Record<UnifiedStatus, Place> = {
  DRAFT: { kind: "ingestion", status: "queued" },
  CHECKING_QUALITY: { kind: "pre_qa", status: "queued" },
  QUALITY_CHECK_FAILED: { kind: "pre_qa", status: "changes_requested" },
  READY_TO_SUBMIT: { kind: "pre_qa", status: "approved" },
  SUBMITTED: { kind: "output_generation", status: "queued" },
  GENERATING_OUTPUT: { kind: "output_generation", status: "running" },
  OUTPUT_FAILED: { kind: "output_generation", status: "failed" },
  IN_REVIEW: { kind: "expert_review", status: "in_review" },
  CHANGES_REQUESTED: { kind: "expert_review", status: "changes_requested" },
  PASSED: { kind: "expert_review", status: "approved" },
  DELIVERED: { kind: "delivery", status: "approved" },
  REJECTED: { kind: "pre_qa", status: "rejected" },
  DUPLICATE: { kind: "pre_qa", status: "duplicate" },
};

/** Returns the calls that use `send`, by default for this tenant. */
export function createCalls(
  send: (path: string, init: RequestInit) => Promise<Response>,
  tenant: Tenant,
): Pick<CallableApi, "call" | "givenTask"> {
  const call: CallableApi["call"] = async <Body>(
    method: string,
    path: string,
    options: CallOptions = {},
  ): Promise<Answer<Body>> => {
    const { as = "admin", tenant: caller = tenant, bearer = caller.keys[as], body } = options;
    const { idempotencyKey, ifMatch } = options;
    const response = await send(`/v1${path}`, {
      method,
      headers: {
        ...(bearer !== null && { authorization: `Bearer ${bearer}` }),
        ...(body !== undefined && { "content-type": "application/json" }),
        ...(idempotencyKey !== undefined && { "idempotency-key": idempotencyKey }),
        ...(ifMatch !== undefined && { "if-match": `"${ifMatch}"` }),
        ...options.headers,
      },
      ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await textOf(response);
    const { status, headers } = response;
    // Each test says what its answer contains; the route's template checks it against the contract.
    const isJson = /^application\/(problem\+)?json$/.test(headers.get("content-type") ?? "");
    return { status, headers, text, body: (isJson ? JSON.parse(text) : undefined) as Body };
  };

  const givenTask: CallableApi["givenTask"] = async ({
    at,
    tenant: owner = tenant,
    ...task
  } = {}) => {
    const path = at === undefined ? null : pathTo(at);
    const created = await call<TaskView>("POST", "/tasks", {
      tenant: owner,
      body: {
        title: "A task",
        ...task,
        ...(path !== null && { start: { ...path.start, reason: "Where the test begins" } }),
      },
    });
    let current = expectDone(created, 201);
    const stepPath = `/steps/${current.currentStep.id}`;
    const move = async (url: string, body: object) => {
      const moved = await call<Moved>("PATCH", url, { tenant: owner, body });
      current = expectDone(moved).task;
    };
    for (const status of path?.statuses ?? []) {
      await move(stepPath, { status, reason: "On the way", runAttachedWorkflows: false });
    }
    if (at?.gate !== undefined && at.gate !== current.currentStep.gate) {
      await move(`${stepPath}/gate`, { gate: at.gate, reason: "On the way" });
    }
    return current;
  };
  return { call, givenTask };
}

/** Returns a body as text. The runtime's own `text()` warns about unknown media types. */
export async function textOf(response: Response): Promise<string> {
  return new TextDecoder().decode(await response.arrayBuffer());
}

/** Returns the body of a success. Any other status fails the test and shows the problem. */
export function expectDone<Body>(answer: Answer<Body>, status = 200): Body {
  expect(answer.status, answer.text).toBe(status);
  return answer.body;
}

/** Expects a problem with this code and status, and returns its body. */
export function expectProblem(answer: Answer<unknown>, code: ErrorCode, status: number): Problem {
  expect({ status: answer.status, body: answer.body }).toMatchObject({
    status,
    body: { error: code, status },
  });
  expect(answer.headers.get("content-type")).toBe("application/problem+json");
  // The assertions above prove the type.
  return answer.body as Problem;
}

/** Returns the shortest way to a place: the start of the task, and the statuses that follow. */
function pathTo({ kind, status }: Place): {
  start: { kind: StepKind; status: StepStatus };
  statuses: StepStatus[];
} {
  const paths = startStatuses(kind).map((start) => ({
    start: { kind, status: start },
    statuses: [] as StepStatus[],
  }));
  for (const path of paths) {
    const reached = path.statuses.at(-1) ?? path.start.status;
    if (reached === status) return path;
    const known = new Set(paths.map((other) => other.statuses.at(-1) ?? other.start.status));
    for (const next of allowedNext(kind, reached)) {
      // Breadth first: the array grows while the loop walks it.
      if (!known.has(next)) paths.push({ start: path.start, statuses: [...path.statuses, next] });
    }
  }
  throw new Error(`No path leads to ${kind} ${status}`);
}

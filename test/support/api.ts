import {
  createExecutionContext,
  createMessageBatch,
  createScheduledController,
  getQueueResult,
  waitOnExecutionContext,
} from "cloudflare:test";
import { env as platform } from "cloudflare:workers";
import { expect, inject, vi } from "vitest";
import type { Moved } from "../../src/actions/moves/move-task.ts";
import type { TaskView } from "../../src/actions/views/task-view.ts";
import { ROLES, type Role } from "../../src/domain/actor.ts";
import type { GateState, StepKind, StepStatus } from "../../src/domain/lifecycle/statuses.ts";
import { allowedNext, startStatuses } from "../../src/domain/lifecycle/transitions.ts";
import type { Issue } from "../../src/domain/refusals.ts";
import type { LawfulCall } from "../../src/routes/http/lawful-calls.ts";
import type { UnifiedStatus } from "../../src/domain/status/unified.ts";
import type { ErrorCode } from "../../src/routes/http/problem.ts";
import worker from "../../src/worker.ts";
import { importedState } from "./imported-state.ts";
import { freshDatabase, type TestDatabase } from "./database.ts";
import { queueBindings } from "./queues.ts";
import { SEALING_KEYS } from "./sealing.ts";

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

/** The Worker over its own database, with two tenants. */
export interface TestApi {
  database: TestDatabase;
  tenant: Tenant;
  otherTenant: Tenant;
  /** Creates another tenant. */
  givenTenant: () => Promise<Tenant>;
  /** Sends a request to a path below /v1. */
  call: <Body = Problem>(
    method: string,
    path: string,
    options?: CallOptions,
  ) => Promise<Answer<Body>>;
  /** Sends a request to a full path, without a credential. */
  fetch: (path: string, init?: RequestInit) => Promise<Response>;
  /** Creates a task and moves it to a place, without pipelines. By default it is a queued ingestion. */
  givenTask: (
    task?: Record<string, unknown> & { at?: Place; tenant?: Tenant },
  ) => Promise<TaskView>;
  /** Creates a task and moves it to the place of a label. */
  givenTaskLabelled: (label: UnifiedStatus, task?: Record<string, unknown>) => Promise<TaskView>;
  /** Creates queued ingestions by one import, and returns their ids in order. */
  givenTasks: (count: number, tenant?: Tenant) => Promise<string[]>;
  /**
   * Returns how many round trips to the database the calls inside `run` make, with the keys of these roles (by default
   * all) already cached. The proxy counts round trips in the scope of a tenant, which are the only ones of a request.
   * The relay, which runs after the answer and across tenants, is not counted.
   */
  roundTripsOf: (run: () => Promise<unknown>, roles?: readonly Role[]) => Promise<number>;
  /** Runs the work that is scheduled every 15 minutes. */
  sweep: () => Promise<void>;
  /** Runs the work that is scheduled daily. */
  sweepDaily: () => Promise<void>;
  /** Delivers messages to the consumer of a queue, and returns what became of each. */
  consume: (
    queue: string,
    bodies: readonly unknown[],
  ) => Promise<Awaited<ReturnType<typeof getQueueResult>>>;
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

type Environment = Record<string, unknown>;

/** Starts the Worker in this process, over a fresh database. `environment` overrides its variables. */
export async function freshApi(
  environment: Environment | ((database: TestDatabase) => Environment) = {},
): Promise<TestApi> {
  const database = await freshDatabase();
  const { issuer, audience, jwksUrl } = inject("stack");
  const env = {
    ENVIRONMENT: "test",
    DATABASE_URL: database.databaseUrl,
    NEON_FETCH_ENDPOINT: database.fetchEndpoint,
    SIGNING_SECRET: "a secret of the tests, long enough to sign with",
    SEALING_KEYS,
    BUCKET: testBucket(),
    ...queueBindings(),
    AUTH_ISSUER: issuer,
    AUTH_AUDIENCE: audience,
    AUTH_JWKS_URL: jwksUrl,
    ...(typeof environment === "function" ? environment(database) : environment),
  };
  const tenant = await givenTenant(database, "First tenant");
  const otherTenant = await givenTenant(database, "Second tenant");

  const send: TestApi["fetch"] = async (path, init) => {
    const request = new Request<unknown, IncomingRequestCfProperties>(
      `https://stepledger.test${path}`,
      // A Request of a test has no `cf`, and the product does not read it.
      init as RequestInit<IncomingRequestCfProperties>,
    );
    const context = createExecutionContext();
    const response = await worker.fetch(request, env, context);
    await waitOnExecutionContext(context);
    return response;
  };

  const call: TestApi["call"] = async <Body>(
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

  const givenTask: TestApi["givenTask"] = async ({ at, tenant: owner = tenant, ...task } = {}) => {
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

  return {
    database,
    tenant,
    otherTenant,
    call,
    fetch: send,
    givenTask,
    givenTaskLabelled: (label, task) => givenTask({ ...task, at: PLACE_OF_LABEL[label] }),
    givenTasks: async (count, owner = tenant) => {
      const tasks = Array.from({ length: count }, (_, index) => ({ title: `Task ${index + 1}` }));
      const imported = await call<{ items: { id?: string }[] }>("POST", "/tasks/import", {
        tenant: owner,
        body: { tasks },
      });
      return expectDone(imported).items.map(
        ({ id }) => id ?? expect.fail("a task was not imported"),
      );
    },
    givenTenant: () => givenTenant(database, "Another tenant"),
    roundTripsOf: async (run, roles = ROLES) => {
      const callers = [tenant, otherTenant].flatMap(({ keys }) => roles.map((role) => keys[role]));
      // The clock is stopped, so that no cached key expires before the run ends.
      vi.useFakeTimers({ toFake: ["Date"] });
      try {
        await Promise.all(callers.map((bearer) => call("GET", "/me", { bearer })));
        await database.resetRoundTrips();
        await run();
        return await database.tenantRoundTrips();
      } finally {
        vi.useRealTimers();
      }
    },
    consume: async (queue, bodies) => {
      const timestamp = new Date();
      const messages = bodies.map((body) => ({
        id: crypto.randomUUID(),
        timestamp,
        attempts: 1,
        body,
      }));
      const batch = createMessageBatch(queue, messages);
      const context = createExecutionContext();
      await worker.queue(batch, env);
      return getQueueResult(batch, context);
    },
    sweep: () => worker.scheduled(createScheduledController({ cron: "*/15 * * * *" }), env),
    sweepDaily: () => worker.scheduled(createScheduledController({ cron: "17 3 * * *" }), env),
  };
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

/** The platform's simulated bucket. All test files share it: object keys start with the tenant id, which is unique. */
export function testBucket(): R2Bucket {
  // Binding types are not generated. vitest.config.ts declares this binding.
  return (platform as { BUCKET?: R2Bucket }).BUCKET ?? expect.fail("the environment has no bucket");
}

/** Stores a tenant and its keys as the owner, like the setup of a stack. */
async function givenTenant(database: TestDatabase, name: string): Promise<Tenant> {
  const id = crypto.randomUUID();
  const mint = (role: Role) => `slg_${id.replaceAll("-", "")}_${role}-${crypto.randomUUID()}`;
  const keys = {
    viewer: mint("viewer"),
    operator: mint("operator"),
    reviewer: mint("reviewer"),
    admin: mint("admin"),
    service: mint("service"),
  };
  const keyRows = ROLES.map((role) => ({
    text: `insert into api_keys (tenant_id, id, name, role, digest, last_four, created_by)
      values ($1, gen_random_uuid(), $2, $3, sha256(convert_to($4, 'UTF8')), right($4, 4), 'setup')`,
    values: [id, `first ${role} key`, role, keys[role]],
  }));
  await database.transaction("owner", [
    { text: "insert into tenants (id, name) values ($1, $2)", values: [id, name] },
    ...keyRows,
    ...importedState(id),
  ]);
  return { id, name, keys };
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

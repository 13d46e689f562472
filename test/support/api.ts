import {
  createExecutionContext,
  createMessageBatch,
  createScheduledController,
  getQueueResult,
  waitOnExecutionContext,
} from "cloudflare:test";
import { env as platform } from "cloudflare:workers";
import { expect, inject, vi } from "vitest";
import type { TaskView } from "../../src/actions/views/task-view.ts";
import { ROLES, type Role } from "../../src/domain/actor.ts";
import type { TenantKind } from "../../src/domain/tenant-kind.ts";
import type { UnifiedStatus } from "../../src/domain/status/unified.ts";
import worker from "../../src/worker.ts";
import {
  type CallableApi,
  createCalls,
  expectDone,
  PLACE_OF_LABEL,
  type Tenant,
} from "./api-calls.ts";
import { importedState } from "./imported-state.ts";
import { freshDatabase, type TestDatabase } from "./database.ts";
import { queueBindings } from "./queues.ts";
import { analyzeIfGrown } from "./statistics.ts";
import { SEALING_KEYS } from "./sealing.ts";
import seedTexts from "../../assets/seed/texts.json" with { type: "json" };

export * from "./api-calls.ts";

/** The Worker over its own database, with two tenants. */
export interface TestApi extends CallableApi {
  /** Creates another tenant, a customer by default. */
  givenTenant: (kind?: TenantKind) => Promise<Tenant>;
  /** Returns the demo that sends samples of routes for demos. The first call creates it. */
  demoTenant: () => Promise<Tenant>;
  /** Sends a request to a full path, without a credential. */
  fetch: (path: string, init?: RequestInit) => Promise<Response>;
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
  /** Delivers messages to the consumer of a queue, by default for the first time, and returns what became of each. */
  consume: (
    queue: string,
    bodies: readonly unknown[],
    attempts?: number,
  ) => Promise<Awaited<ReturnType<typeof getQueueResult>>>;
}

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
    ASSETS: staticFiles,
    ...queueBindings(),
    AUTH_ISSUER: issuer,
    AUTH_AUDIENCE: audience,
    AUTH_JWKS_URL: jwksUrl,
    ...(typeof environment === "function" ? environment(database) : environment),
  };
  const tenant = await givenTenant(database, "First tenant");
  const otherTenant = await givenTenant(database, "Second tenant");

  let requests = 0;
  let checkStatisticsAt = 32;
  const send: TestApi["fetch"] = async (path, init) => {
    const request = new Request<unknown, IncomingRequestCfProperties>(
      `https://stepledger.test${path}`,
      // A Request of a test has no `cf`, and the product does not read it.
      init as RequestInit<IncomingRequestCfProperties>,
    );
    const context = createExecutionContext();
    const response = await worker.fetch(request, env, context);
    await waitOnExecutionContext(context);
    requests += 1;
    if (requests === checkStatisticsAt) {
      checkStatisticsAt *= 2;
      await analyzeIfGrown(database);
    }
    return response;
  };

  const { call, givenTask } = createCalls(send, tenant);
  let demo: Promise<Tenant> | undefined;

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
      const ids = expectDone(imported).items.map(
        ({ id }) => id ?? expect.fail("a task was not imported"),
      );
      await analyzeIfGrown(database);
      return ids;
    },
    demoTenant: () => (demo ??= givenTenant(database, "Demo tenant", "demo")),
    givenTenant: (kind) => givenTenant(database, "Another tenant", kind),
    roundTripsOf: async (run, roles = ROLES) => {
      const known = [tenant, otherTenant, ...(demo === undefined ? [] : [await demo])];
      const callers = known.flatMap(({ keys }) => roles.map((role) => keys[role]));
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
    consume: async (queue, bodies, attempts = 1) => {
      const timestamp = new Date();
      const messages = bodies.map((body) => ({
        id: crypto.randomUUID(),
        timestamp,
        attempts,
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

/** The platform's simulated bucket. All test files share it: object keys start with the tenant id, which is unique. */
export function testBucket(): R2Bucket {
  // Binding types are not generated. vitest.config.ts declares this binding.
  return (platform as { BUCKET?: R2Bucket }).BUCKET ?? expect.fail("the environment has no bucket");
}

/** The static files of the service: the words of simulated teams. */
const staticFiles = {
  fetch: async (url: string) =>
    new URL(url).pathname === "/seed/texts.json"
      ? Response.json(seedTexts)
      : new Response(null, { status: 404 }),
};

/** Stores a tenant and its keys as the owner, like the setup of a stack. */
async function givenTenant(
  database: TestDatabase,
  name: string,
  kind: TenantKind = "customer",
): Promise<Tenant> {
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
    { text: "insert into tenants (id, name, kind) values ($1, $2, $3)", values: [id, name, kind] },
    ...keyRows,
    ...importedState(id),
  ]);
  return { id, name, keys };
}

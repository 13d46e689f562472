import { Hono } from "hono";
import { cors } from "hono/cors";
import { secureHeaders } from "hono/secure-headers";
import { createTokenSigner } from "../actions/signed-token.ts";
import type { TenantDatabase } from "../db/client.ts";
import { DatabaseUnavailable } from "../db/faults.ts";
import type { Settings } from "../env.ts";
import type { Outbound } from "../outbound/post-signed.ts";
import { type BlobStore, StorageUnavailable } from "../storage/blobs.ts";
import { analyticsRoutes } from "./analytics.ts";
import { bulkOperationRoutes } from "./bulk-operations.ts";
import { bulkRoutes } from "./bulk.ts";
import { countTaskRoutes } from "./count-tasks.ts";
import { dataRoutes } from "./data.ts";
import { dispatchRoutes } from "./dispatches.ts";
import { docsRoutes } from "./docs.ts";
import { exportRoutes } from "./exports.ts";
import { feedRoutes } from "./feed.ts";
import { evalRoutes } from "./evals.ts";
import { evalSummaryRoutes } from "./eval-summaries.ts";
import { healthRoutes } from "./health.ts";
import { type AuthDependencies, createAuthenticator } from "./http/auth.ts";
import type { Edge, Trace } from "./http/context.ts";
import { routingPath } from "./http/contract.ts";
import type { Route } from "./http/create-handler.ts";
import { type Fault, problemResponse } from "./http/problem.ts";
import { beginTrace, defectEntry, type Log, requestEntry, serverTiming } from "./http/trace.ts";
import { historyRoutes } from "./history.ts";
import { insightRoutes } from "./insights.ts";
import { keyRoutes } from "./keys.ts";
import { lineageRoutes } from "./lineage.ts";
import { listTaskRoutes } from "./list-tasks.ts";
import { meRoutes } from "./me.ts";
import { moveRoutes } from "./moves.ts";
import { pipelineRoutes } from "./pipelines.ts";
import { promptRoutes } from "./prompts.ts";
import { registryRoutes } from "./registry.ts";
import { reviewRoutes } from "./reviews.ts";
import { statsRoutes } from "./stats.ts";
import { stepRoutes } from "./steps.ts";
import { taskMoveRoutes } from "./task-moves.ts";
import { taskRoutes } from "./tasks.ts";
import { trialRoutes } from "./trials.ts";
import { versionRoutes } from "./versions.ts";
import { webhookRoutes } from "./webhooks.ts";
import { workerRunRoutes } from "./worker-runs.ts";

/** Every route of the service; each is a contract, and what answers it. */
export const routes: readonly Route[] = [
  ...taskRoutes,
  ...listTaskRoutes,
  ...countTaskRoutes,
  ...versionRoutes,
  ...historyRoutes,
  ...feedRoutes,
  ...exportRoutes,
  ...taskMoveRoutes,
  ...stepRoutes,
  ...moveRoutes,
  ...bulkRoutes,
  ...bulkOperationRoutes,
  ...analyticsRoutes,
  ...statsRoutes,
  ...reviewRoutes,
  ...workerRunRoutes,
  ...pipelineRoutes,
  ...dispatchRoutes,
  ...promptRoutes,
  ...dataRoutes,
  ...evalRoutes,
  ...evalSummaryRoutes,
  ...lineageRoutes,
  ...trialRoutes,
  ...insightRoutes,
  ...webhookRoutes,
  ...registryRoutes,
  ...meRoutes,
  ...keyRoutes,
  ...healthRoutes,
];

export interface AppDependencies extends Omit<AuthDependencies, "tokenIssuer"> {
  settings: Settings;
  isDatabaseReady: () => Promise<boolean>;
  blobs: BlobStore;
  outbound: Outbound;
  /** Sends on what the writes of a request left to be told outside the database; the client does not wait for it. */
  sendOutgoing: (database: TenantDatabase) => Promise<void>;
  now: () => Date;
  log: Log;
}

interface AppEnv {
  Variables: { trace: Trace };
}

const HEADERS_EXPOSED = [
  "X-Unified-Sort-Truncated",
  "X-Request-Id",
  "ETag",
  "Idempotency-Replayed",
  "Retry-After",
  "Server-Timing",
];
const HEADERS_ALLOWED = [
  "Authorization",
  "Content-Type",
  "Idempotency-Key",
  "If-Match",
  "If-None-Match",
  "Last-Event-ID",
  "X-Request-Id",
];
const PREFLIGHT_SECONDS = 600;

/** Joins routes and dependencies to the app that answers every request. */
export function createApp(dependencies: AppDependencies, mounted = routes): Hono<AppEnv> {
  const { settings, log } = dependencies;
  const edge = createEdge(dependencies);
  const app = new Hono<AppEnv>();

  app.use(async (context, next) => {
    const trace = beginTrace(context.req.raw.headers);
    context.set("trace", trace);
    const startedAt = performance.now();
    await next();
    if (trace.database !== null && isAnythingOutgoing(trace.database)) {
      context.executionCtx.waitUntil(dependencies.sendOutgoing(trace.database));
    }
    const { headers } = context.res;
    headers.set("x-request-id", trace.requestId);
    headers.set("server-timing", serverTiming(trace));
    headers.set("cache-control", "no-store");
    const { method } = context.req.raw;
    log(
      requestEntry(trace, {
        method,
        status: context.res.status,
        ms: performance.now() - startedAt,
      }),
    );
  });

  app.use(
    secureHeaders({
      // A page that needs more says so itself.
      overwrite: false,
      contentSecurityPolicy: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
      xFrameOptions: "DENY",
    }),
  );

  if (settings.corsOrigins.length > 0) {
    app.use(
      cors({
        origin: [...settings.corsOrigins],
        exposeHeaders: HEADERS_EXPOSED,
        allowHeaders: HEADERS_ALLOWED,
        maxAge: PREFLIGHT_SECONDS,
      }),
    );
  }

  const told = (trace: Trace, fault: Fault): Response => {
    trace.error = fault.code;
    return problemResponse(fault, trace.requestId);
  };

  for (const { contract, answer } of bySpecificity(mounted)) {
    app.on(contract.method, routingPath(contract.path), async (context) => {
      const { trace } = context.var;
      const request = context.req.raw;
      const answered = await answer({ edge, trace, request, pathParameters: context.req.param() });
      return answered instanceof Response ? answered : told(trace, answered.fault);
    });
  }
  const docs = docsRoutes(mounted.map(({ contract }) => contract));
  app.route("/", docs);

  const methodsOf = methodTable([
    ...mounted.map(({ contract }) => contract),
    ...docs.routes.map(({ method, path }) => ({ method, path })),
  ]);
  app.notFound((context) => {
    const allow = methodsOf(context.req.path);
    const fault: Fault =
      allow.length > 0 ? { code: "method_not_allowed", allow } : { code: "not_found" };
    return told(context.var.trace, fault);
  });

  app.onError((error, context) => {
    const { trace } = context.var;
    if (error instanceof DatabaseUnavailable || error instanceof StorageUnavailable)
      return told(trace, { code: "unavailable" });
    edge.reportDefect(trace, error);
    return told(trace, { code: "internal" });
  });

  return app;
}

function isAnythingOutgoing({ outgoing }: TenantDatabase): boolean {
  const { dispatches, events, operations, analytics } = outgoing;
  return dispatches || events || operations.length > 0 || analytics.length > 0;
}

function createEdge(dependencies: AppDependencies): Edge {
  const { settings, isDatabaseReady, blobs, outbound, now, log } = dependencies;
  const { rateLimiter, tokenIssuer, signingSecret } = settings;
  return {
    settings,
    isDatabaseReady,
    blobs,
    outbound,
    now,
    reportDefect: (trace, error) => log(defectEntry(trace, error)),
    signer: createTokenSigner(signingSecret),
    authenticate: createAuthenticator({ ...dependencies, tokenIssuer }),
    async isWithinLimit(bucket) {
      return rateLimiter === undefined || (await rateLimiter.limit({ key: bucket })).success;
    },
  };
}

/** `/tasks/counts` must be asked before `/tasks/:taskId`, in whatever order the files list them. */
function bySpecificity(mounted: readonly Route[]): Route[] {
  // A brace sorts after every letter, so that the names of a folder come before its parameters.
  const key = ({ contract }: Route) => contract.path.replaceAll(/\{\w+\}/g, "{");
  return mounted.toSorted((one, other) => (key(one) < key(other) ? -1 : 1));
}

/** Tells which methods a path takes, for the answer to one that it does not. */
function methodTable(
  mounted: readonly { method: string; path: string }[],
): (path: string) => string[] {
  const patterns = mounted.map(({ method, path }) => {
    const pattern = path.replaceAll(".", "\\.").replaceAll(/\{\w+\}/g, "[^/]+");
    return { method, pattern: new RegExp(`^${pattern}$`) };
  });
  return (path) => {
    const methods = patterns.flatMap(({ method, pattern }) => (pattern.test(path) ? [method] : []));
    const withHead = methods.includes("GET") ? [...methods, "HEAD"] : methods;
    return [...new Set(withHead)].toSorted();
  };
}

import { Hono } from "hono";
import { cors } from "hono/cors";
import { secureHeaders } from "hono/secure-headers";
import { createTokenSigner } from "../../actions/call/signed-token.ts";
import type { TenantDatabase } from "../../db/connection/client.ts";
import { DatabaseUnavailable } from "../../db/connection/faults.ts";
import type { RateLimiter, Settings } from "../../env.ts";
import type { Outbound } from "../../outbound/post-signed.ts";
import { SecretUnavailable } from "../../outbound/sealer.ts";
import { type BlobStore, StorageUnavailable } from "../../storage/blobs.ts";
import { AREAS } from "./areas.ts";
import { docsRoutes } from "../docs.ts";
import { createAuthenticator } from "../http/auth.ts";
import type { Edge } from "../http/context.ts";
import type { Route } from "../http/create-handler.ts";
import { type Fault, problemResponse } from "../http/problem.ts";
import { shareReadiness } from "../http/readiness.ts";
import { pathPattern, routingPath } from "../http/paths.ts";
import type { AuthDependencies, Limits } from "../http/principal.ts";
import {
  beginTrace,
  defectEntry,
  type Log,
  requestEntry,
  serverTiming,
  type Trace,
} from "../http/trace.ts";
import { createLargeCalls, TurnsTaken } from "../http/turns.ts";
import { PLACES } from "./places.ts";

/** A route by method and path. `load` imports its code. */
export interface MountedRoute {
  method: string;
  path: string;
  load: () => Promise<Route>;
}

/** Every route of the service. Its file is loaded with the first request. */
export const lazyRoutes: readonly MountedRoute[] = PLACES.map(({ area, method, path }) => ({
  method,
  path,
  load: async () => {
    const routes: readonly Route[] = await AREAS[area]();
    const route = routes.find(
      ({ contract }) => contract.method === method && contract.path === path,
    );
    if (route === undefined) throw new Error(`${area} has no route ${method} ${path}`);
    return route;
  },
}));

export interface AppDependencies extends Pick<
  AuthDependencies,
  "openTenant" | "findApiKey" | "findKeyRole" | "recordKeyUse" | "signIn" | "findPerson"
> {
  settings: Settings;
  isDatabaseReady: () => Promise<boolean>;
  blobs: BlobStore;
  outbound: Outbound;
  /** Enqueues the side effects of a request's writes. The client does not wait for it. */
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

/** Creates the app that handles every request. */
export function createApp(dependencies: AppDependencies, mounted = lazyRoutes): Hono<AppEnv> {
  const { settings, log } = dependencies;
  const edge = createEdge(dependencies);
  const app = new Hono<AppEnv>();

  app.use(async (context, next) => {
    const trace = beginTrace(context.req.raw.headers);
    context.set("trace", trace);
    const startedAt = performance.now();
    await next();
    if (trace.database !== null && hasOutgoing(trace.database)) {
      context.executionCtx.waitUntil(dependencies.sendOutgoing(trace.database));
    }
    // A use that is not noted is noted by the next lookup of the key.
    if (trace.recordUse !== null) context.executionCtx.waitUntil(trace.recordUse().catch(() => {}));
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
      // Documentation pages set a wider policy themselves.
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

  const fail = (trace: Trace, fault: Fault): Response => {
    trace.error = fault.code;
    return problemResponse(fault, trace.requestId);
  };

  for (const { method, path, load } of bySpecificity(mounted)) {
    app.on(method, routingPath(path), async (context) => {
      const { trace } = context.var;
      const request = context.req.raw;
      const { answer } = await load();
      const answered = await answer({
        edge,
        trace,
        request,
        pathParameters: context.req.param(),
        waitUntil: (work) => context.executionCtx.waitUntil(work),
      });
      return answered instanceof Response ? answered : fail(trace, answered.fault);
    });
  }
  const docs = docsRoutes(async () => {
    const loaded = await Promise.all(mounted.map(({ load }) => load()));
    return loaded.map(({ contract }) => contract);
  });
  app.route("/", docs);

  const methodsOf = methodTable([
    ...mounted,
    ...docs.routes.map(({ method, path }) => ({ method, path })),
  ]);
  app.notFound((context) => {
    const allow = methodsOf(context.req.path);
    const fault: Fault =
      allow.length > 0 ? { code: "method_not_allowed", allow } : { code: "not_found" };
    return fail(context.var.trace, fault);
  });

  app.onError((error, context) => {
    const { trace } = context.var;
    if (OUTAGES.some((outage) => error instanceof outage)) {
      if (error instanceof DatabaseUnavailable) trace.outage = error.outage;
      return fail(trace, { code: "unavailable" });
    }
    edge.reportDefect(trace, error);
    return fail(trace, { code: "internal" });
  });

  return app;
}

/** The errors that say that something the service needs is unavailable. */
const OUTAGES = [DatabaseUnavailable, StorageUnavailable, SecretUnavailable, TurnsTaken];

function hasOutgoing({ outgoing }: TenantDatabase): boolean {
  const { dispatches, events, operations, analytics, seedRuns } = outgoing;
  const lists = [operations, analytics, seedRuns];
  return dispatches || events || lists.some(({ length }) => length > 0);
}

function createEdge(dependencies: AppDependencies): Edge {
  const { settings, isDatabaseReady, blobs, outbound, now, log } = dependencies;
  const { signingSecret } = settings;
  const limits = createLimits(settings);
  return {
    settings,
    checkReadiness: shareReadiness(async () => {
      const [hasDatabase, hasBucket] = await Promise.all([isDatabaseReady(), blobs.isReady()]);
      if (!hasDatabase) return "database";
      return hasBucket ? null : "bucket";
    }, now),
    large: createLargeCalls(),
    blobs,
    outbound,
    now,
    reportDefect: (trace, error) => log(defectEntry(trace, error)),
    signer: createTokenSigner(signingSecret),
    authenticate: createAuthenticator({ ...settings, ...dependencies, limits }),
    isWithinLimit: limits.isWithinLimit,
  };
}

/** Returns the limits of the platform's bindings. A limiter that fails lets the call through. */
function createLimits({ rateLimiter, guessLimiter = rateLimiter }: Settings): Limits {
  const ask = (limiter: RateLimiter | undefined) => async (key: string) => {
    if (limiter === undefined) return true;
    return limiter.limit({ key }).then(
      ({ success }) => success,
      () => true,
    );
  };
  return { isWithinLimit: ask(rateLimiter), mayGuess: ask(guessLimiter) };
}

/** Sorts literal paths before parameters, so that `/tasks/counts` matches before `/tasks/:taskId`. */
function bySpecificity(mounted: readonly MountedRoute[]): MountedRoute[] {
  // A brace sorts after every letter.
  const key = ({ path }: MountedRoute) => path.replaceAll(/\{\w+\}/g, "{");
  return mounted.toSorted((one, other) => (key(one) < key(other) ? -1 : 1));
}

/** Returns the function that lists the methods of a path, for the 405 response. */
function methodTable(
  mounted: readonly { method: string; path: string }[],
): (path: string) => string[] {
  const patterns = mounted.map(({ method, path }) => ({ method, pattern: pathPattern(path) }));
  return (path) => {
    const methods = patterns.flatMap(({ method, pattern }) => (pattern.test(path) ? [method] : []));
    const withHead = methods.includes("GET") ? [...methods, "HEAD"] : methods;
    return [...new Set(withHead)].toSorted();
  };
}

import * as z from "zod";
import { parseSealingKeys, type SealingKey } from "./outbound/sealing-keys.ts";

const ENVIRONMENTS = ["development", "test", "production"] as const;

/** Treats an empty variable as absent, because `.dev.vars` files and dashboards leave empty ones behind. */
const optional = <Schema extends z.ZodType>(schema: Schema) =>
  z.preprocess((value) => (value === "" ? undefined : value), schema.optional());

const origins = z
  .string()
  .transform((list) => list.split(",").map((origin) => origin.trim()))
  .pipe(z.array(z.string().refine((text) => URL.parse(text)?.origin === text)));

const hostnames = z
  .string()
  .transform((list) => list.split(",").map((host) => host.trim().toLowerCase()))
  .pipe(z.array(z.string().refine((text) => URL.parse(`https://${text}`)?.hostname === text)));

const sealingKeys = z.string().transform((text, context) => {
  const keys = parseSealingKeys(text);
  if (keys !== null) return keys;
  context.addIssue({ code: "custom" });
  return z.NEVER;
});

/** The Worker's bindings and variables. `.dev.vars.example` explains each. */
const environment = z
  .object({
    ENVIRONMENT: z.enum(ENVIRONMENTS),
    DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }),
    NEON_FETCH_ENDPOINT: optional(z.url({ protocol: /^https?$/ })),
    SIGNING_SECRET: z.string().min(32),
    SEALING_KEYS: sealingKeys,
    AUTH_ISSUER: optional(z.string()),
    AUTH_JWKS_URL: optional(z.url({ protocol: /^https?$/ })),
    AUTH_AUDIENCE: optional(z.string()),
    AUTH_TENANT_CLAIM: optional(z.string()),
    AUTH_ROLE_CLAIM: optional(z.string()),
    ACCESS_TEAM_DOMAIN: optional(z.string().regex(/^[a-z\d-]+\.cloudflareaccess\.com$/)),
    ACCESS_AUD: optional(z.string()),
    ACCESS_TENANT_ID: optional(z.guid().toLowerCase()),
    ACCESS_TENANT_CLAIM: optional(z.string()),
    ACCESS_ROLE_CLAIM: optional(z.string()),
    CORS_ORIGINS: optional(origins),
    OWN_HOSTS: optional(hostnames),
    ALLOW_LOOPBACK_ENDPOINTS: optional(z.literal("true")),
    BUCKET: z.custom<Bucket>(isBucket),
    ASSETS: z.custom<StaticFiles>(isStaticFiles).optional(),
    DISPATCH_QUEUE: z.custom<QueueBinding>(isQueue),
    BULK_QUEUE: z.custom<QueueBinding>(isQueue),
    WEBHOOK_QUEUE: z.custom<QueueBinding>(isQueue),
    SEED_QUEUE: z.custom<QueueBinding>(isQueue),
    ANALYTICS: z.custom<AnalyticsDataset>(isDataset).optional(),
    RATE_LIMITER: z.custom<RateLimiter>(isRateLimiter).optional(),
    GUESS_LIMITER: z.custom<RateLimiter>(isRateLimiter).optional(),
  })
  .superRefine((variables, context) => {
    for (const fault of [
      ...issuerFaults(variables),
      ...accessFaults(variables),
      ...productionFaults(variables),
    ]) {
      const { variable, why } = fault;
      context.addIssue({ code: "custom", path: [variable], params: { why } });
    }
  });
type Environment = z.output<typeof environment>;

interface ConfigurationFault {
  variable: string;
  /** Continues the sentence that the variable's name begins. Never has a value of a variable. */
  why: string;
}

/** An issuer consists of three variables. The names of claims are of no use without them. */
function issuerFaults(variables: Environment): ConfigurationFault[] {
  const parts = ["AUTH_ISSUER", "AUTH_JWKS_URL", "AUTH_AUDIENCE"] as const;
  const claims = ["AUTH_TENANT_CLAIM", "AUTH_ROLE_CLAIM"] as const;
  const isGiven = [...parts, ...claims].some((part) => variables[part] !== undefined);
  return parts
    .filter((part) => isGiven && variables[part] === undefined)
    .map((variable) => ({ variable, why: `is missing: set all of ${parts.join(", ")}, or none` }));
}

/** Cloudflare Access needs its domain, its application, and one way to find the tenant. */
function accessFaults(variables: Environment): ConfigurationFault[] {
  const parts = ["ACCESS_TEAM_DOMAIN", "ACCESS_AUD"] as const;
  const tenants = ["ACCESS_TENANT_ID", "ACCESS_TENANT_CLAIM"] as const;
  const isGiven = (variable: keyof Environment) => variables[variable] !== undefined;
  if (![...parts, ...tenants, "ACCESS_ROLE_CLAIM" as const].some(isGiven)) return [];
  const faults = parts
    .filter((part) => !isGiven(part))
    .map((variable) => ({
      variable,
      why: `is missing: set both ${parts.join(" and ")}, or neither`,
    }));
  if (tenants.filter(isGiven).length === 1) return faults;
  const why = `is needed for Access: set it or ${tenants[1]}, but not both`;
  return [...faults, { variable: tenants[0], why }];
}

/** What a local stack may have, but production must not. */
function productionFaults(variables: Environment): ConfigurationFault[] {
  if (variables.ENVIRONMENT !== "production") return [];
  const { username } = new URL(variables.DATABASE_URL);
  const { AUTH_JWKS_URL = "", NEON_FETCH_ENDPOINT = "", CORS_ORIGINS = [] } = variables;
  const crossesNetworkPlainly = (url: string) => isPlainHttp(url) && !isLoopback(url);
  const rules: [keyof Environment, boolean, string][] = [
    [
      "ALLOW_LOOPBACK_ENDPOINTS",
      variables.ALLOW_LOOPBACK_ENDPOINTS !== undefined,
      "is not allowed in production",
    ],
    ["RATE_LIMITER", variables.RATE_LIMITER === undefined, "is required in production"],
    ["AUTH_JWKS_URL", isPlainHttp(AUTH_JWKS_URL), "must use https in production"],
    [
      "NEON_FETCH_ENDPOINT",
      crossesNetworkPlainly(NEON_FETCH_ENDPOINT),
      "must use https in production, except on this machine",
    ],
    [
      "CORS_ORIGINS",
      CORS_ORIGINS.some(crossesNetworkPlainly),
      "must use https in production, except for localhost",
    ],
    [
      "SIGNING_SECRET",
      new Set(variables.SIGNING_SECRET).size < SECRET_CHARACTERS_MIN,
      "is too easy to guess; use the output of openssl rand -base64 32",
    ],
    [
      "DATABASE_URL",
      OWNER_ROLES.includes(username),
      "must name the application's role, which row security binds",
    ],
  ];
  return rules.filter(([, isBroken]) => isBroken).map(([variable, , why]) => ({ variable, why }));
}

/** Different characters in a random secret of 32 characters or more. Fewer are practically impossible, even in hex. */
const SECRET_CHARACTERS_MIN = 10;

/** The owner of the tables, and the role that Neon's console creates, which bypasses row security. */
const OWNER_ROLES: readonly string[] = ["stepledger_owner", "neondb_owner", "postgres"];

function isPlainHttp(url: string): boolean {
  return URL.parse(url)?.protocol === "http:";
}

/** The traffic of this machine with itself reaches no network, and browsers treat it as secure. */
function isLoopback(url: string): boolean {
  const { hostname = "" } = URL.parse(url) ?? {};
  return /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}

/** The part of the rate limiting binding that is used. */
export interface RateLimiter {
  limit(bucket: { key: string }): Promise<{ success: boolean }>;
}

/** The part of a queue binding that is used. When the promise resolves, the batch is persisted. */
export interface QueueBinding {
  sendBatch(messages: { body: unknown }[], options?: { delaySeconds?: number }): Promise<unknown>;
}

/** The part of the Analytics Engine binding that is used. */
export interface AnalyticsDataset {
  writeDataPoint(point: { indexes: string[]; blobs: string[]; doubles: number[] }): void;
}

/** The part of the binding of static files that is used. */
export interface StaticFiles {
  fetch(url: string): Promise<Response>;
}

/** The part of the R2 binding that is used. */
export interface Bucket {
  head(key: string): Promise<{ size: number; customMetadata?: Record<string, string> } | null>;
  get(
    key: string,
    options: { range?: { offset: number; length: number } },
  ): Promise<{ body: ReadableStream<Uint8Array> } | null>;
  /** Returns null if the condition does not hold. Rejects content without the given hash. */
  put(
    key: string,
    content: ReadableStream<Uint8Array> | Uint8Array | string,
    options?: {
      sha256: string;
      onlyIf: { etagDoesNotMatch: string };
      httpMetadata?: { contentType: string };
      customMetadata?: Record<string, string>;
    },
  ): Promise<object | null>;
  delete(keys: string[]): Promise<void>;
  list(options: {
    limit: number;
    startAfter?: string;
  }): Promise<{ objects: { key: string; uploaded: Date }[]; truncated: boolean }>;
}

/** The issuer of the JWTs that the service accepts in addition to API keys. */
export interface TokenIssuer {
  issuer: string;
  jwksUrl: string;
  audience: string;
  tenantClaim: string;
  roleClaim: string;
}

/** The application of Cloudflare Access in front of the service, whose assertions are accepted. */
export interface AccessApplication {
  issuer: string;
  jwksUrl: string;
  audience: string;
  /** The tenant of everyone whom Access lets through, or the custom claim that names it. */
  tenant: { id: string } | { claim: string };
  /** The custom claim that names the role. Null if only the person's own role counts. */
  roleClaim: string | null;
}

/** The environment, parsed once for each isolate. */
export interface Settings {
  environment: (typeof ENVIRONMENTS)[number];
  database: { databaseUrl: string; fetchEndpoint: string | undefined };
  signingSecret: string;
  /** The keys of secrets at rest. The first seals, and all of them open. */
  sealingKeys: readonly [SealingKey, ...SealingKey[]];
  /** Null if only API keys are accepted. */
  tokenIssuer: TokenIssuer | null;
  /** Null if the service is not behind Cloudflare Access, or only behind it with API keys. */
  accessApplication: AccessApplication | null;
  corsOrigins: readonly string[];
  bucket: Bucket;
  /** Absent where nothing serves static files. Then routes that read them are unavailable. */
  assets: StaticFiles | undefined;
  queues: Record<"dispatch" | "bulk" | "webhook" | "seed", QueueBinding>;
  /** Absent if product events are only kept in the database. */
  analytics: AnalyticsDataset | undefined;
  /** The service's own host names, which it does not call. */
  ownHosts: readonly string[];
  /** Whether endpoints may be on loopback and use plain http. Only for local development. */
  allowsLoopbackEndpoints: boolean;
  /** Absent if calls are not limited. */
  rateLimiter: RateLimiter | undefined;
  /** Limits the keys that one address tries. Without it, `rateLimiter` does. */
  guessLimiter: RateLimiter | undefined;
}

/**
 * Parses bindings and variables.
 * @throws if one is missing or invalid. The message names it and never quotes its value.
 */
export function parseEnv(env: unknown): Settings {
  const parsed = environment.safeParse(env);
  if (!parsed.success) {
    const faults = parsed.error.issues.map((issue) => {
      const why: unknown = issue.code === "custom" ? issue.params?.["why"] : undefined;
      return `${issue.path.join(".")} ${typeof why === "string" ? why : `(${issue.code})`}`;
    });
    throw new Error(`The environment is not valid: ${faults.join("; ")}`);
  }
  const { data } = parsed;
  return {
    environment: data.ENVIRONMENT,
    database: { databaseUrl: data.DATABASE_URL, fetchEndpoint: data.NEON_FETCH_ENDPOINT },
    signingSecret: data.SIGNING_SECRET,
    sealingKeys: data.SEALING_KEYS,
    tokenIssuer: tokenIssuer(data),
    accessApplication: accessApplication(data),
    corsOrigins: data.CORS_ORIGINS ?? [],
    bucket: data.BUCKET,
    assets: data.ASSETS,
    queues: {
      dispatch: data.DISPATCH_QUEUE,
      bulk: data.BULK_QUEUE,
      webhook: data.WEBHOOK_QUEUE,
      seed: data.SEED_QUEUE,
    },
    analytics: data.ANALYTICS,
    ownHosts: data.OWN_HOSTS ?? [],
    allowsLoopbackEndpoints: data.ALLOW_LOOPBACK_ENDPOINTS !== undefined,
    rateLimiter: data.RATE_LIMITER,
    guessLimiter: data.GUESS_LIMITER,
  };
}

function tokenIssuer(data: Environment): TokenIssuer | null {
  const { AUTH_ISSUER, AUTH_JWKS_URL, AUTH_AUDIENCE } = data;
  if (AUTH_ISSUER === undefined || AUTH_JWKS_URL === undefined || AUTH_AUDIENCE === undefined) {
    return null;
  }
  return {
    issuer: AUTH_ISSUER,
    jwksUrl: AUTH_JWKS_URL,
    audience: AUTH_AUDIENCE,
    tenantClaim: data.AUTH_TENANT_CLAIM ?? "tenant_id",
    roleClaim: data.AUTH_ROLE_CLAIM ?? "role",
  };
}

function accessApplication(data: Environment): AccessApplication | null {
  const { ACCESS_TEAM_DOMAIN, ACCESS_AUD, ACCESS_TENANT_ID, ACCESS_TENANT_CLAIM = "" } = data;
  if (ACCESS_TEAM_DOMAIN === undefined || ACCESS_AUD === undefined) return null;
  const issuer = `https://${ACCESS_TEAM_DOMAIN}`;
  return {
    issuer,
    jwksUrl: `${issuer}/cdn-cgi/access/certs`,
    audience: ACCESS_AUD,
    tenant:
      ACCESS_TENANT_ID === undefined ? { claim: ACCESS_TENANT_CLAIM } : { id: ACCESS_TENANT_ID },
    roleClaim: data.ACCESS_ROLE_CLAIM ?? null,
  };
}

function isBucket(binding: unknown): binding is Bucket {
  return typeof binding === "object" && binding !== null && "put" in binding;
}

function isStaticFiles(binding: unknown): binding is StaticFiles {
  return typeof binding === "object" && binding !== null && "fetch" in binding;
}

function isQueue(binding: unknown): binding is QueueBinding {
  return typeof binding === "object" && binding !== null && "sendBatch" in binding;
}

function isDataset(binding: unknown): binding is AnalyticsDataset {
  return typeof binding === "object" && binding !== null && "writeDataPoint" in binding;
}

function isRateLimiter(binding: unknown): binding is RateLimiter {
  return typeof binding === "object" && binding !== null && "limit" in binding;
}

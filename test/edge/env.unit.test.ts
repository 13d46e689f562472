import { describe, expect, test } from "vitest";
import { parseEnv } from "../../src/env.ts";
import { queueBindings } from "../support/queues.ts";
import { parsedSealingKeys, sealingKeys } from "../support/sealing.ts";

const ENV = {
  ENVIRONMENT: "production",
  DATABASE_URL: "postgres://app:hunter2@db.example/stepledger",
  SIGNING_SECRET: "a secret of thirty-two characters",
  SEALING_KEYS: sealingKeys("new", "old"),
  BUCKET: { put: () => {} },
  ...queueBindings(),
  RATE_LIMITER: { limit: async () => ({ success: true }) },
};
const LOCAL = { ...ENV, ENVIRONMENT: "development", RATE_LIMITER: undefined };

describe("the environment", () => {
  test("requires four variables, the bucket, the queues and the limiter, and has defaults for the rest", () => {
    expect(parseEnv(ENV)).toEqual({
      environment: "production",
      database: { databaseUrl: ENV.DATABASE_URL, fetchEndpoint: undefined },
      signingSecret: ENV.SIGNING_SECRET,
      sealingKeys: parsedSealingKeys(ENV.SEALING_KEYS),
      tokenIssuer: null,
      accessApplication: null,
      corsOrigins: [],
      bucket: ENV.BUCKET,
      queues: {
        dispatch: ENV.DISPATCH_QUEUE,
        bulk: ENV.BULK_QUEUE,
        webhook: ENV.WEBHOOK_QUEUE,
        seed: ENV.SEED_QUEUE,
      },
      analytics: undefined,
      ownHosts: [],
      allowsLoopbackEndpoints: false,
      rateLimiter: ENV.RATE_LIMITER,
    });
  });

  test("treats an empty variable as absent", () => {
    const empty = { NEON_FETCH_ENDPOINT: "", AUTH_ISSUER: "", CORS_ORIGINS: "" };
    expect(parseEnv({ ...ENV, ...empty })).toEqual(parseEnv(ENV));
  });

  test("reads the token issuer, its claims and a list of origins", () => {
    const settings = parseEnv({
      ...ENV,
      AUTH_ISSUER: "https://issuer.example",
      AUTH_JWKS_URL: "https://issuer.example/keys",
      AUTH_AUDIENCE: "stepledger",
      AUTH_ROLE_CLAIM: "https://claims.example/role",
      CORS_ORIGINS: "https://panel.example, http://localhost:5173",
    });
    expect(settings.tokenIssuer).toEqual({
      issuer: "https://issuer.example",
      jwksUrl: "https://issuer.example/keys",
      audience: "stepledger",
      tenantClaim: "tenant_id",
      roleClaim: "https://claims.example/role",
    });
    expect(settings.corsOrigins).toEqual(["https://panel.example", "http://localhost:5173"]);
  });

  test("reads the application of Cloudflare Access, and how its people find their tenant", () => {
    const access = { ACCESS_TEAM_DOMAIN: "team.cloudflareaccess.com", ACCESS_AUD: "4714c135" };
    const id = "01932d4a-7c3e-7b11-9a42-5d0c9e6f1a20";
    const ofOne = parseEnv({ ...ENV, ...access, ACCESS_TENANT_ID: id.toUpperCase() });
    expect(ofOne.accessApplication).toEqual({
      issuer: "https://team.cloudflareaccess.com",
      jwksUrl: "https://team.cloudflareaccess.com/cdn-cgi/access/certs",
      audience: "4714c135",
      tenant: { id },
      roleClaim: null,
    });
    const ofMany = { ACCESS_TENANT_CLAIM: "tenant", ACCESS_ROLE_CLAIM: "groups" };
    expect(parseEnv({ ...ENV, ...access, ...ofMany }).accessApplication).toMatchObject({
      tenant: { claim: "tenant" },
      roleClaim: "groups",
    });
  });

  test.each([
    ["without its application", "ACCESS_AUD", { ACCESS_AUD: "" }],
    ["without its team", "ACCESS_TEAM_DOMAIN", { ACCESS_TEAM_DOMAIN: "" }],
    ["of another domain", "ACCESS_TEAM_DOMAIN", { ACCESS_TEAM_DOMAIN: "team.evil.example" }],
    ["with a path", "ACCESS_TEAM_DOMAIN", { ACCESS_TEAM_DOMAIN: "team.cloudflareaccess.com/x" }],
    ["without a tenant", "ACCESS_TENANT_ID", { ACCESS_TENANT_ID: "" }],
    ["with two ways to a tenant", "ACCESS_TENANT_ID", { ACCESS_TENANT_CLAIM: "tenant" }],
    ["with a tenant that is no id", "ACCESS_TENANT_ID", { ACCESS_TENANT_ID: "ours" }],
  ])("rejects Cloudflare Access %s", (_name, variable, change) => {
    const whole = {
      ACCESS_TEAM_DOMAIN: "team.cloudflareaccess.com",
      ACCESS_AUD: "4714c135",
      ACCESS_TENANT_ID: "01932d4a-7c3e-7b11-9a42-5d0c9e6f1a20",
    };
    expect(() => parseEnv({ ...ENV, ...whole })).not.toThrow();
    expect(() => parseEnv({ ...ENV, ...whole, ...change })).toThrow(variable);
  });

  test("reads the service's own host names in lowercase", () => {
    const settings = parseEnv({ ...ENV, OWN_HOSTS: "api.example.com, Panel.example.com" });
    expect(settings.ownHosts).toEqual(["api.example.com", "panel.example.com"]);
  });

  test.each([
    ["no database", { DATABASE_URL: undefined }, "DATABASE_URL"],
    ["a database other than Postgres", { DATABASE_URL: "mysql://u@h/d" }, "DATABASE_URL"],
    ["a short signing secret", { SIGNING_SECRET: "too-short-a-secret" }, "SIGNING_SECRET"],
    ["no sealing keys", { SEALING_KEYS: undefined }, "SEALING_KEYS"],
    ["empty sealing keys", { SEALING_KEYS: "" }, "SEALING_KEYS"],
    ["a sealing key without an id", { SEALING_KEYS: btoa("k".repeat(32)) }, "SEALING_KEYS"],
    ["a sealing key of 31 bytes", { SEALING_KEYS: `k1:${btoa("k".repeat(31))}` }, "SEALING_KEYS"],
    ["two sealing keys of one id", { SEALING_KEYS: sealingKeys("k1", "k1") }, "SEALING_KEYS"],
    ["a sealing key with a long id", { SEALING_KEYS: sealingKeys("k".repeat(17)) }, "SEALING_KEYS"],
    ["an incomplete issuer", { AUTH_ISSUER: "https://issuer.example" }, "AUTH_ISSUER"],
    ["an origin with a path", { CORS_ORIGINS: "https://panel.example/admin" }, "CORS_ORIGINS"],
    ["an own host with a path", { OWN_HOSTS: "api.example.com/v1" }, "OWN_HOSTS"],
    ["a wildcard origin", { CORS_ORIGINS: "*" }, "CORS_ORIGINS"],
    ["an unknown environment", { ENVIRONMENT: "staging" }, "ENVIRONMENT"],
    ["no bucket", { BUCKET: undefined }, "BUCKET"],
    ["a queue without methods", { BULK_QUEUE: {} }, "BULK_QUEUE"],
    ["a dataset without methods", { ANALYTICS: {} }, "ANALYTICS"],
    [
      "a permission that is neither true nor false",
      { ALLOW_LOOPBACK_ENDPOINTS: "yes" },
      "ALLOW_LOOPBACK_ENDPOINTS",
    ],
    ["a limiter without methods", { RATE_LIMITER: {} }, "RATE_LIMITER"],
  ])("rejects %s with the variable's name but not its value", (_name, change, variable) => {
    const parse = () => parseEnv({ ...ENV, ...change });
    expect(parse).toThrow(variable);
    expect(parse).not.toThrow(/hunter2|too-short|staging/);
  });
});

describe("in production, the environment", () => {
  const issuer = { AUTH_ISSUER: "https://issuer.example", AUTH_AUDIENCE: "stepledger" };

  test.each<[string, string, Record<string, unknown>]>([
    ["loopback endpoints", "ALLOW_LOOPBACK_ENDPOINTS", { ALLOW_LOOPBACK_ENDPOINTS: "true" }],
    ["a plain http JWKS", "AUTH_JWKS_URL", { ...issuer, AUTH_JWKS_URL: "http://issuer.example/k" }],
    [
      "a plain http JWKS on loopback",
      "AUTH_JWKS_URL",
      { ...issuer, AUTH_JWKS_URL: "http://[::1]/k" },
    ],
    ["no limiter", "RATE_LIMITER", { RATE_LIMITER: undefined }],
    [
      "a plain http database",
      "NEON_FETCH_ENDPOINT",
      { NEON_FETCH_ENDPOINT: "http://db.example/sql" },
    ],
    [
      "a plain http origin",
      "CORS_ORIGINS",
      { CORS_ORIGINS: "https://a.example,http://panel.example" },
    ],
    ["a lookalike of loopback", "CORS_ORIGINS", { CORS_ORIGINS: "http://localhost.evil.example" }],
    ["a secret of one letter", "SIGNING_SECRET", { SIGNING_SECRET: "a".repeat(64) }],
    [
      "a secret of two words",
      "SIGNING_SECRET",
      { SIGNING_SECRET: "changemechangemechangemechangeme" },
    ],
    [
      "the owner's role",
      "DATABASE_URL",
      { DATABASE_URL: "postgres://stepledger_owner:hunter2@db.example/stepledger" },
    ],
  ])("rejects %s, which only a local stack may have", (_name, variable, change) => {
    const parse = () => parseEnv({ ...ENV, ...change });
    expect(parse).toThrow(variable);
    expect(parse).not.toThrow(/hunter2|example|changeme|aaaa/);
    expect(() => parseEnv({ ...LOCAL, ...change })).not.toThrow();
  });

  test("names every variable that is wrong at once", () => {
    const change = { ALLOW_LOOPBACK_ENDPOINTS: "true", RATE_LIMITER: undefined };
    const parse = () => parseEnv({ ...ENV, ...change });
    expect(parse).toThrow(
      "ALLOW_LOOPBACK_ENDPOINTS is not allowed in production; RATE_LIMITER is required in production",
    );
  });

  test.each([
    ["a database proxy on the same machine", { NEON_FETCH_ENDPOINT: "http://127.0.0.1:4444/sql" }],
    ["a panel in development", { CORS_ORIGINS: "http://localhost:5173" }],
    ["a random secret in hex", { SIGNING_SECRET: "3f1c9a0b7e5d2846f0a1b2c3d4e5f607" }],
  ])("accepts %s", (_name, change) => {
    expect(() => parseEnv({ ...ENV, ...change })).not.toThrow();
  });

  test.each(["AUTH_ISSUER", "AUTH_JWKS_URL", "AUTH_AUDIENCE"])(
    "rejects an issuer without %s",
    (missing) => {
      const whole = { ...issuer, AUTH_JWKS_URL: "https://issuer.example/keys" };
      expect(() => parseEnv({ ...ENV, ...whole })).not.toThrow();
      expect(() => parseEnv({ ...ENV, ...whole, [missing]: "" })).toThrow(`${missing} is missing`);
    },
  );

  test("rejects the name of a claim without an issuer", () => {
    expect(() => parseEnv({ ...ENV, AUTH_ROLE_CLAIM: "grade" })).toThrow("AUTH_ISSUER is missing");
  });
});

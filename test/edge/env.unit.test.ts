import { describe, expect, test } from "vitest";
import { parseEnv } from "../../src/env.ts";
import { queueBindings } from "../support/queues.ts";

const ENV = {
  ENVIRONMENT: "production",
  DATABASE_URL: "postgres://app:hunter2@db.example/stepledger",
  SIGNING_SECRET: "a secret of thirty-two characters",
  BUCKET: { put: () => {} },
  ...queueBindings(),
};

describe("the environment", () => {
  test("requires three variables, the bucket and the queues, and has defaults for the rest", () => {
    expect(parseEnv(ENV)).toEqual({
      environment: "production",
      database: { databaseUrl: ENV.DATABASE_URL, fetchEndpoint: undefined },
      signingSecret: ENV.SIGNING_SECRET,
      tokenIssuer: null,
      corsOrigins: [],
      bucket: ENV.BUCKET,
      queues: { dispatch: ENV.DISPATCH_QUEUE, bulk: ENV.BULK_QUEUE, webhook: ENV.WEBHOOK_QUEUE },
      analytics: undefined,
      ownHosts: [],
      allowsLoopbackEndpoints: false,
      rateLimiter: undefined,
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

  test("reads the service's own host names in lowercase", () => {
    const settings = parseEnv({ ...ENV, OWN_HOSTS: "api.example.com, Panel.example.com" });
    expect(settings.ownHosts).toEqual(["api.example.com", "panel.example.com"]);
  });

  test.each([
    ["no database", { DATABASE_URL: undefined }, "DATABASE_URL"],
    ["a database other than Postgres", { DATABASE_URL: "mysql://u@h/d" }, "DATABASE_URL"],
    ["a short signing secret", { SIGNING_SECRET: "too-short-a-secret" }, "SIGNING_SECRET"],
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

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
  test("needs three variables, the bucket and the queues; everything else has a default", () => {
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

  test("takes an empty variable for an absent one", () => {
    const empty = { NEON_FETCH_ENDPOINT: "", AUTH_ISSUER: "", CORS_ORIGINS: "" };
    expect(parseEnv({ ...ENV, ...empty })).toEqual(parseEnv(ENV));
  });

  test("reads the issuer of tokens, its claims, and a list of origins", () => {
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

  test("reads the service's own names", () => {
    const settings = parseEnv({ ...ENV, OWN_HOSTS: "api.example.com, Panel.example.com" });
    expect(settings.ownHosts).toEqual(["api.example.com", "panel.example.com"]);
  });

  test.each([
    ["no database", { DATABASE_URL: undefined }, "DATABASE_URL"],
    ["a database that is no Postgres", { DATABASE_URL: "mysql://u@h/d" }, "DATABASE_URL"],
    ["a short signing secret", { SIGNING_SECRET: "too-short-a-secret" }, "SIGNING_SECRET"],
    ["half an issuer", { AUTH_ISSUER: "https://issuer.example" }, "AUTH_ISSUER"],
    ["an origin with a path", { CORS_ORIGINS: "https://panel.example/admin" }, "CORS_ORIGINS"],
    ["a name of its own with a path", { OWN_HOSTS: "api.example.com/v1" }, "OWN_HOSTS"],
    ["any origin at all", { CORS_ORIGINS: "*" }, "CORS_ORIGINS"],
    ["an unknown environment", { ENVIRONMENT: "staging" }, "ENVIRONMENT"],
    ["no bucket", { BUCKET: undefined }, "BUCKET"],
    ["a queue that takes nothing", { BULK_QUEUE: {} }, "BULK_QUEUE"],
    ["a dataset that keeps nothing", { ANALYTICS: {} }, "ANALYTICS"],
    ["half a permission", { ALLOW_LOOPBACK_ENDPOINTS: "yes" }, "ALLOW_LOOPBACK_ENDPOINTS"],
    ["a limiter that limits nothing", { RATE_LIMITER: {} }, "RATE_LIMITER"],
  ])("refuses %s, by name and without the value", (_name, change, variable) => {
    const parse = () => parseEnv({ ...ENV, ...change });
    expect(parse).toThrow(variable);
    expect(parse).not.toThrow(/hunter2|too-short|staging/);
  });
});

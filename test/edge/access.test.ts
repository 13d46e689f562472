import { describe, expect, inject, test } from "vitest";
import type { AuthFailure } from "../../src/routes/http/principal.ts";
import { signToken } from "../support/tokens.ts";
import { keyOf, OTHER_TENANT, TENANT, testApp } from "./support.ts";

const { jwksUrl } = inject("stack");
const APPLICATION = {
  issuer: "https://team.cloudflareaccess.com",
  // In production this is under the issuer; here it is the test issuer's.
  jwksUrl,
  audience: "the-application",
  tenant: { id: TENANT },
  roleClaim: "role",
};
const CLAIMS = {
  iss: APPLICATION.issuer,
  aud: [APPLICATION.audience],
  sub: "7335d417-61da-459d-899c-0a01c76a2f94",
  email: "ada@example.com",
  type: "app",
  custom: { role: ["everyone", "operator"] },
};

const app = testApp({ settings: { accessApplication: APPLICATION }, now: () => new Date() });

interface Sent {
  method?: string;
  headers?: Record<string, string>;
  to?: typeof app;
}

/** Sends a request as Access forwards it. */
async function send(claims: object, { method = "GET", headers = {}, to = app }: Sent = {}) {
  const assertion = await signToken({ claims: { ...CLAIMS, ...claims }, algorithm: "RS256" });
  const path = method === "GET" ? "/v1/things/ext:a" : "/v1/things";
  to.log.length = 0;
  return to.send(method, path, {
    role: null,
    headers: { "cf-access-jwt-assertion": assertion, ...headers },
    ...(method !== "GET" && { body: '{"title":"A"}' }),
  });
}

describe("an assertion of Cloudflare Access", () => {
  test("identifies a person by Access's own subject, and the role by a custom claim", async () => {
    const response = await send({});
    expect(await response.json()).toMatchObject({
      tenantId: TENANT,
      actor: {
        id: `access:${CLAIMS.sub}`,
        name: "ada@example.com",
        kind: "person",
        role: "operator",
      },
    });
  });

  test("can name the tenant in a custom claim, and only there", async () => {
    const byClaim = { ...APPLICATION, tenant: { claim: "tenant" } };
    const to = testApp({ settings: { accessApplication: byClaim }, now: () => new Date() });
    const custom = { role: "viewer", tenant: OTHER_TENANT };
    expect(await (await send({ custom }, { to })).json()).toMatchObject({ tenantId: OTHER_TENANT });
    expect((await send({ tenant: OTHER_TENANT, custom: { role: "viewer" } }, { to })).status).toBe(
      401,
    );
  });

  test.each<[string, AuthFailure, object]>([
    ["of another application", "token_audience", { aud: ["another"] }],
    ["of another team", "token_issuer", { iss: "https://other.cloudflareaccess.com" }],
    ["that is a global session", "token_subject", { type: "org" }],
    ["of a service token, which has no subject", "token_subject", { sub: "", common_name: "ci" }],
    ["without custom claims, of someone without a role", "token_role_claim", { custom: undefined }],
    ["whose custom claims are no object", "token_role_claim", { custom: "admin" }],
    ["with the role outside the custom claims", "token_role_claim", { role: "admin", custom: {} }],
  ])("%s is rejected", async (_name, reason, claims) => {
    const response = await send(claims);
    expect(response.status).toBe(401);
    expect(app.log).toMatchObject([{ authFailure: reason }]);
  });

  test("is ignored unless Access is configured, since any client can send the header", async () => {
    const to = testApp({ now: () => new Date() });
    expect((await send({}, { to })).status).toBe(401);
    expect(to.log).toMatchObject([{ authFailure: "credential_missing" }]);
  });

  test("gives way to the Authorization header, valid or not", async () => {
    const byKey = await send({}, { headers: { authorization: `Bearer ${keyOf("viewer")}` } });
    expect(await byKey.json()).toMatchObject({ actor: { id: "key-of-viewer" } });
    const wrong = await send({}, { headers: { authorization: `Bearer ${keyOf("viewer")}x` } });
    expect(wrong.status).toBe(401);
  });

  test.each<[number, string, Record<string, string>]>([
    [201, "the same origin", { origin: "https://stepledger.test" }],
    [201, "the same origin, without its name", { "sec-fetch-site": "same-origin" }],
    [201, "a configured origin", { origin: "https://panel.example" }],
    [403, "another origin", { origin: "https://evil.example" }],
    [
      403,
      "another origin that claims to be the same site",
      { origin: "https://evil.example", "sec-fetch-site": "same-origin" },
    ],
    [403, "another site", { "sec-fetch-site": "cross-site" }],
    [403, "a sibling of the site", { "sec-fetch-site": "same-site" }],
    [403, "a page without an origin", { origin: "null" }],
    [403, "nowhere", {}],
  ])("gets %d for a write from %s", async (status, _from, from) => {
    const settings = { accessApplication: APPLICATION, corsOrigins: ["https://panel.example"] };
    const to = testApp({ settings, now: () => new Date() });
    const headers = { "content-type": "application/json", ...from };
    const response = await send({}, { method: "POST", headers, to });
    expect(response.status).toBe(status);
    if (status === 403) {
      expect(await response.json()).toMatchObject({ error: "csrf_rejected" });
      expect(to.log).toMatchObject([{ authFailure: "cross_site" }]);
    }
  });
});

test("a token of the issuer cannot have a subject of Access", async () => {
  const { issuer, audience } = inject("stack");
  const tokenIssuer = { issuer, audience, jwksUrl, tenantClaim: "tenant_id", roleClaim: "role" };
  const { send: sendTo, log } = testApp({ settings: { tokenIssuer }, now: () => new Date() });
  const claims = { sub: `access:${CLAIMS.sub}`, tenant_id: TENANT, role: "admin" };
  const headers = { authorization: `Bearer ${await signToken({ claims })}` };
  expect((await sendTo("GET", "/v1/things/ext:a", { role: null, headers })).status).toBe(401);
  expect(log).toMatchObject([{ authFailure: "token_subject" }]);
});

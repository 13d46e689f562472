import { describe, expect, inject, test } from "vitest";
import * as z from "zod";
import { ROLES } from "../../src/domain/actor.ts";
import { TENANT_KINDS, type TenantKind } from "../../src/domain/tenant-kind.ts";
import { reply } from "../../src/routes/http/call.ts";
import { defineContract } from "../../src/routes/http/contract.ts";
import { createHandler } from "../../src/routes/http/create-handler.ts";
import { signToken } from "../support/tokens.ts";
import { keyStore, problemOf, TENANT, testApp } from "./support.ts";

/** An app with a route that works only in demos, and the kinds of tenants whose calls reached it. */
function appOf(tenantKind: TenantKind) {
  const { issuer, audience, jwksUrl } = inject("stack");
  const reached: TenantKind[] = [];
  const simulate = createHandler(
    defineContract({
      operationId: "simulate",
      method: "POST",
      path: "/simulations",
      summary: "Simulates",
      tags: ["Things"],
      role: "admin",
      demoOnly: true,
      body: z.strictObject({ tasks: z.number() }),
      response: { status: 200, description: "Done.", schema: z.unknown() },
    }),
    async (call) => {
      reached.push(call.tenantKind);
      return reply({});
    },
  );
  const app = testApp({
    routes: [simulate],
    findApiKey: keyStore(TENANT, tenantKind).findApiKey,
    signIn: async () => ({ ok: true, person: null, tenantKind }),
    now: () => new Date(),
    settings: {
      tokenIssuer: { issuer, audience, jwksUrl, tenantClaim: "tenant_id", roleClaim: "role" },
    },
  });
  return { ...app, reached };
}

const bearer = async () => {
  const claims = { sub: "person-1", tenant_id: TENANT, role: "admin" };
  return { authorization: `Bearer ${await signToken({ claims })}` };
};

describe.each(TENANT_KINDS)("in a tenant of the kind %s, a route for demos", (kind) => {
  const isDemo = kind === "demo";

  test("answers a key and a token alike, again from the cache", async () => {
    const { sendJson, reached } = appOf(kind);
    const headers = [{}, await bearer(), {}, await bearer()];
    for (const one of headers) {
      const options = { role: "admin", headers: one } as const;
      const response = await sendJson("POST", "/v1/simulations", { tasks: 1 }, options);
      expect(response.status).toBe(isDemo ? 200 : 403);
      if (!isDemo) expect(await problemOf(response)).toMatchObject({ error: "not_a_demo" });
    }
    expect(reached).toEqual(isDemo ? headers.map(() => "demo") : []);
  });

  test("refuses the role before the tenant, and the tenant before the body", async () => {
    const { sendJson } = appOf(kind);
    for (const role of ROLES) {
      const response = await sendJson("POST", "/v1/simulations", { tasks: "many" }, { role });
      const { error } = await problemOf(response);
      const ofAdmin = isDemo ? "validation_failed" : "not_a_demo";
      expect(error).toBe(role === "admin" ? ofAdmin : "forbidden");
    }
  });
});

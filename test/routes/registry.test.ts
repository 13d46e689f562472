import { beforeAll, describe, expect, it } from "vitest";
import { registry } from "../../src/domain/registry.ts";
import { STAGE_ALIASES } from "../../src/domain/seed/stages.ts";
import { expectDone, expectProblem, freshApi, type TestApi } from "../support/api.ts";
import { signToken } from "../support/tokens.ts";

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
});

describe("The registry", () => {
  it("returns the domain's tables, and the aliases of stages", async () => {
    const answer = await api.call("GET", "/registry", { as: "viewer" });
    const stageAliases = Object.fromEntries(STAGE_ALIASES);
    expect(expectDone(answer)).toEqual(JSON.parse(JSON.stringify({ ...registry(), stageAliases })));
    expect(answer.body).toMatchObject({
      stepTransitions: {
        pre_qa: { approved: ["queued", "changes_requested", "rejected", "duplicate"] },
      },
      gateTransitions: { locked: expect.any(Array) },
      bulkAllowedTargets: { OUTPUT_FAILED: ["SUBMITTED", "REJECTED", "DUPLICATE"], DRAFT: [] },
      bulkActions: ["advance", "retry", "run_pipelines", "edit", "archive", "restore", "rework"],
      bulkRetriedStatuses: ["failed", "cancelled"],
      bulkRevertibleActions: ["retry", "run_pipelines", "edit", "archive", "restore"],
      stageAliases: { intake: "ingestion", scoring: "calibration" },
      terminalUnified: ["PASSED", "DELIVERED", "REJECTED", "DUPLICATE"],
    });
  });

  it("does not touch the database", async () => {
    expect(await api.roundTripsOf(() => api.call("GET", "/registry"))).toBe(0);
  });
});

describe("GET /me", () => {
  it("returns the person of a token and the tenant in its claim", async () => {
    const bearer = await signToken({
      claims: {
        sub: "person-1",
        name: "A Person",
        tenant_id: api.otherTenant.id,
        role: "reviewer",
      },
    });
    const { body } = await api.call("GET", "/me", { bearer });
    expect(body).toEqual({
      tenant: { id: api.otherTenant.id, name: "Second tenant", kind: "customer" },
      actor: { id: "person-1", name: "A Person", kind: "person", role: "reviewer" },
      person: { id: expect.any(String), name: "A Person", email: null },
    });
  });

  it("rejects a missing or an invalid credential", async () => {
    expectProblem(await api.call("GET", "/me", { bearer: null }), "unauthenticated", 401);
    expectProblem(await api.call("GET", "/me", { bearer: "slg_nonsense" }), "unauthenticated", 401);
  });
});

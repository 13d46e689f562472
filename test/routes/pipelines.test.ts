import { beforeAll, beforeEach, describe, expect, it, test } from "vitest";
import type { WithSecret } from "../../src/actions/secrets/write-secret.ts";
import type { PipelineRecord } from "../../src/db/dispatches/pipelines.ts";
import { PIPELINE_NAMES } from "../../src/domain/pipelines/pipelines.ts";
import { ENDPOINT_LENGTH_MAX } from "../../src/outbound/endpoint-rules.ts";
import { newSecret, secretText } from "../../src/outbound/secrets.ts";
import { expectDone, expectProblem, freshApi, type TestApi } from "../support/api.ts";
import { FORBIDDEN_ENDPOINTS } from "../support/forbidden-endpoints.ts";
import { storedSecrets } from "../support/secrets.ts";

let api: TestApi;
beforeAll(async () => {
  api = await freshApi({ OWN_HOSTS: "stepledger.example.com" });
});
beforeEach(async () => {
  await api.database.query("owner", "delete from signing_secrets");
  await api.database.query("owner", "delete from pipelines");
});

const ENDPOINT = "https://checks.example.com/hook";

const put = (body: object, name = "payment") =>
  api.call<WithSecret<PipelineRecord>>("PUT", `/pipelines/${name}`, { body });
const rotate = (name = "payment") =>
  api.call<WithSecret<PipelineRecord>>("POST", `/pipelines/${name}/rotate`, {});
const list = async () =>
  expectDone(await api.call<{ data: PipelineRecord[] }>("GET", "/pipelines")).data;

const stored = (name = "payment") => storedSecrets(api.database, { kind: "pipeline", name });

describe("Listing pipelines", () => {
  it("returns all four, configured or not", async () => {
    expectDone(await put({ endpoint: ENDPOINT, timeoutSeconds: 5, runDeadlineSeconds: 600 }));
    const pipelines = await list();
    expect(pipelines.map(({ name }) => name)).toEqual(PIPELINE_NAMES);
    expect(pipelines.at(0)).toEqual({
      name: "quality_automation",
      workerType: "QUALITY_AUTOMATION",
      endpoint: null,
      previousSecretUntil: null,
      timeoutSeconds: 10,
      runDeadlineSeconds: 3600,
      updatedAt: null,
    });
    expect(pipelines.at(-1)).toMatchObject({
      name: "payment",
      endpoint: ENDPOINT,
      timeoutSeconds: 5,
      runDeadlineSeconds: 600,
      updatedAt: expect.any(String),
    });
  });

  it("returns no secrets, and no settings of another tenant", async () => {
    const { secret } = expectDone(await put({ endpoint: ENDPOINT }));
    expectDone(await rotate());
    const { text } = await api.call("GET", "/pipelines");
    expect(text).not.toMatch(/whsec_|"secret"/);
    expect(text).not.toContain(secret?.slice("whsec_".length));
    const theirs = await api.call("GET", "/pipelines", { tenant: api.otherTenant });
    expect(theirs.text).not.toContain(ENDPOINT);
  });
});

describe("Configuring a pipeline", () => {
  it("creates a secret, which only the first response contains", async () => {
    const { secret, ...settings } = expectDone(await put({ endpoint: ENDPOINT }));
    expect(secret).toMatch(/^whsec_[A-Za-z\d+/]{43}=$/);
    expect(settings).toEqual({
      name: "payment",
      endpoint: ENDPOINT,
      previousSecretUntil: null,
      timeoutSeconds: 10,
      runDeadlineSeconds: 3600,
      updatedAt: expect.any(String),
    });
    expect(expectDone(await put({ endpoint: "https://other.example.com/" })).secret).toBeNull();
    expect(await stored()).toEqual([{ secret, hours: null }]);
  });

  it("accepts a secret, and does not return it", async () => {
    const secret = secretText(newSecret());
    expect(expectDone(await put({ endpoint: ENDPOINT, secret })).secret).toBeNull();
    expect(await stored()).toEqual([{ secret, hours: null }]);
  });

  it("keeps the previous secret for a day only if a different one is set", async () => {
    const [first, second] = [secretText(newSecret()), secretText(newSecret())];
    for (const secret of [first, first, second, second]) {
      expectDone(await put({ endpoint: ENDPOINT, secret }));
    }
    expect(await stored()).toEqual([
      { secret: second, hours: null },
      { secret: first, hours: 24 },
    ]);
    const [pipeline] = (await list()).filter(({ name }) => name === "payment");
    expect(pipeline?.previousSecretUntil).toEqual(expect.any(String));
  });

  it("returns the same response each time", async () => {
    const body = { endpoint: ENDPOINT, timeoutSeconds: 7 };
    expectDone(await put(body));
    const [second, third] = [await put(body), await put(body)];
    expect(third.text).toBe(second.text);
  });

  it("can remove the endpoint", async () => {
    expectDone(await put({ endpoint: ENDPOINT }));
    expect(expectDone(await put({ endpoint: null }))).toMatchObject({ endpoint: null });
  });

  test.each([
    [{}],
    [{ endpoint: 7 }],
    [{ endpoint: ENDPOINT, timeoutSeconds: 0 }],
    [{ endpoint: ENDPOINT, timeoutSeconds: 31 }],
    [{ endpoint: ENDPOINT, runDeadlineSeconds: 59 }],
    [{ endpoint: ENDPOINT, runDeadlineSeconds: 604_801 }],
    [{ endpoint: ENDPOINT, secret: "hunter2" }],
    [{ endpoint: ENDPOINT, secret: `whsec_${btoa("too short")}` }],
    [{ endpoint: ENDPOINT, previousSecret: "whsec_" }],
  ])("rejects %j", async (body) => {
    const problem = expectProblem(await put(body), "validation_failed", 400);
    expect(JSON.stringify(problem)).not.toContain("hunter2");
    expect(await stored()).toEqual([]);
  });

  it("rejects the name of an unknown pipeline", async () => {
    expectProblem(await put({ endpoint: ENDPOINT }, "espresso"), "validation_failed", 400);
  });
});

describe("A pipeline's endpoint", () => {
  const short = FORBIDDEN_ENDPOINTS.filter(([url]) => url.length <= ENDPOINT_LENGTH_MAX);

  test.each(short)("is rejected at %j: %s", async (endpoint, detail) => {
    const problem = expectProblem(await put({ endpoint }), "url_not_allowed", 400);
    expect(problem.detail).toBe(detail);
    expect(await stored()).toEqual([]);
  });

  it("is rejected at the host of the request", async () => {
    const answer = await put({ endpoint: "https://stepledger.test/v1/tasks" });
    expect(expectProblem(answer, "url_not_allowed", 400).detail).toBe(
      "The URL points to this service itself.",
    );
  });

  it("is rejected on loopback by default", async () => {
    expectProblem(await put({ endpoint: "http://127.0.0.1:9000/hook" }), "url_not_allowed", 400);
  });
});

describe("Rotating a pipeline's secret", () => {
  it("returns the new secret, and keeps the previous one for a day", async () => {
    const { secret: first } = expectDone(await put({ endpoint: ENDPOINT }));
    const rotated = expectDone(await rotate());
    expect(rotated.previousSecretUntil).toEqual(expect.any(String));
    expect(await stored()).toEqual([
      { secret: rotated.secret, hours: null },
      { secret: first, hours: 24 },
    ]);
  });

  it("rejects an idempotency key that was used for another pipeline", async () => {
    const idempotencyKey = crypto.randomUUID();
    const under = (name: string) =>
      api.call("POST", `/pipelines/${name}/rotate`, { idempotencyKey });
    expectDone(await under("payment"));
    expectProblem(await under("output_generation"), "idempotency_key_reused", 422);
    expect(await stored("output_generation")).toEqual([]);
  });

  it("creates the first secret of a pipeline that is not configured", async () => {
    const { secret, endpoint } = expectDone(await rotate());
    expect(endpoint).toBeNull();
    expect(await stored()).toEqual([{ secret, hours: null }]);
  });
});

import { beforeAll, describe, expect, it } from "vitest";
import type { Failures } from "../../../src/db/stats/failures.ts";
import type { Funnel } from "../../../src/db/stats/outcomes.ts";
import type { StageTimes } from "../../../src/db/stats/stage-times.ts";
import type { ThroughputBucket } from "../../../src/db/stats/throughput.ts";
import { STEP_KINDS, type StepKind } from "../../../src/domain/lifecycle/statuses.ts";
import {
  expectDone,
  expectProblem,
  freshApi,
  type Tenant,
  type TestApi,
} from "../../support/api.ts";
import { execute, revert } from "../bulk/support.ts";

const ROUTES = ["outcomes", "throughput", "stage-times", "failures"];

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
});

interface Stats {
  outcomes: Funnel;
  throughput: { from: string; to: string; bucket: string; buckets: ThroughputBucket[] };
  stageTimes: StageTimes;
  failures: Failures;
}

const DAY_MS = 86_400_000;
const daysFromNow = (days: number) => new Date(Date.now() + days * DAY_MS).toISOString();
/** A fixed window, so that the buckets do not change at midnight. */
const WINDOW = `from=${daysFromNow(-2)}&to=${daysFromNow(2)}`;

/** Reads all four routes. */
async function readStats(tenant: Tenant = api.tenant): Promise<Stats> {
  const read = async <Body>(route: string): Promise<Body> =>
    expectDone(await api.call<Body>("GET", `/stats/${route}`, { as: "viewer", tenant }));
  const [outcomes, throughput, stageTimes, failures] = await Promise.all([
    read<Stats["outcomes"]>("outcomes"),
    read<Stats["throughput"]>(`throughput?${WINDOW}`),
    read<Stats["stageTimes"]>("stage-times"),
    read<Stats["failures"]>("failures"),
  ]);
  return { outcomes, throughput, stageTimes, failures };
}

function of<Stage extends { kind: StepKind }>(stages: readonly Stage[], kind: StepKind): Stage {
  return stages.find((stage) => stage.kind === kind) ?? expect.fail(`There is no ${kind}`);
}

function rejectedIn({ throughput }: Stats): number {
  return throughput.buckets.reduce((sum, { rejected }) => sum + rejected, 0);
}

const zeroByKind = Object.fromEntries(STEP_KINDS.map((kind) => [kind, 0]));
const noOutcomes = { open: 0, PASSED: 0, DELIVERED: 0, REJECTED: 0, DUPLICATE: 0 };

describe("Statistics of a tenant without tasks", () => {
  it("have every stage and every bucket with zero counts", async () => {
    const { outcomes, stageTimes, failures } = await readStats();
    const throughput = expectDone(await api.call<Stats["throughput"]>("GET", "/stats/throughput"));
    expect(outcomes).toMatchObject({ tasks: 0, outcomes: noOutcomes });
    expect(outcomes.stages).toEqual(
      STEP_KINDS.map((kind) => ({ kind, reached: 0, outcomes: noOutcomes })),
    );
    expect(throughput.bucket).toBe("day");
    expect(throughput.buckets).toHaveLength(30);
    for (const { start: _, ...counts } of throughput.buckets) {
      expect(counts).toEqual({
        created: 0,
        completed: zeroByKind,
        approved: zeroByKind,
        delivered: 0,
        rejected: 0,
        duplicate: 0,
        reworked: 0,
        revised: 0,
      });
    }
    expect(stageTimes).toMatchObject({ truncated: false });
    expect(stageTimes.stages).toEqual(
      STEP_KINDS.map((kind) => ({ kind, stays: 0, seconds: null, waiting: 0 })),
    );
    expect(failures.stages).toEqual(
      STEP_KINDS.map((kind) => ({
        kind,
        failed: 0,
        errored: 0,
        revoked: 0,
        failedReviews: 0,
        reworked: 0,
        errors: [],
      })),
    );
  });
});

describe("Statistics", () => {
  it("count a failed check as a failed review, and a crashed check as errored with its error", async () => {
    const before = await readStats();
    const report = async (body: object) => {
      const { id } = await api.givenTask({ at: { kind: "pre_qa", status: "queued" } });
      const started = { as: "service", body: { type: "QUALITY_AUTOMATION" } } as const;
      const run = await api.call<{ id: string }>("POST", `/tasks/${id}/worker-runs`, started);
      const path = `/worker-runs/${expectDone(run, 201).id}`;
      expectDone(await api.call("PATCH", path, { as: "service", body }));
    };
    await report({ state: "SUCCEEDED", verdict: "failed" });
    await report({ state: "FAILED", error: "No such model" });
    await report({ state: "FAILED", error: "No such model" });
    const after = await readStats();
    const [was, is] = [of(before.failures.stages, "pre_qa"), of(after.failures.stages, "pre_qa")];
    expect(is).toEqual({
      ...was,
      errored: was.errored + 2,
      failedReviews: was.failedReviews + 1,
      errors: [{ error: "No such model", count: 2 }],
    });
  });

  it("count a bulk change until it is reverted", async () => {
    const at = { kind: "expert_review", status: "approved" } as const;
    const taskIds = [(await api.givenTask({ at })).id, (await api.givenTask({ at })).id];
    const before = await readStats();
    const mistake = expectDone(await execute(api, { taskIds, targetStatus: "REJECTED" }));
    const mistaken = await readStats();
    expect(rejectedIn(mistaken)).toBe(rejectedIn(before) + 2);
    expect(of(mistaken.failures.stages, "expert_review").revoked).toBe(
      of(before.failures.stages, "expert_review").revoked + 2,
    );
    expect(of(mistaken.stageTimes.stages, "expert_review")).toMatchObject({
      stays: of(before.stageTimes.stages, "expert_review").stays + 2,
      waiting: of(before.stageTimes.stages, "expert_review").waiting - 2,
    });
    expect(mistaken.outcomes.outcomes.REJECTED).toBe(before.outcomes.outcomes.REJECTED + 2);

    await revert(api, mistake.operationId);
    const after = await readStats();
    expect(after.throughput).toEqual(before.throughput);
    expect(after.failures.stages).toEqual(before.failures.stages);
    expect(after.stageTimes.stages).toEqual(before.stageTimes.stages);
    expect(after.outcomes.stages).toEqual(before.outcomes.stages);
  });

  it("count the past events of archived tasks, but not their current state", async () => {
    const { id } = await api.givenTask({ at: { kind: "pre_qa", status: "rejected" } });
    const waiting = await api.givenTask({ at: { kind: "calibration", status: "running" } });
    const before = await readStats();
    for (const task of [id, waiting.id]) {
      expectDone(await api.call("POST", `/tasks/${task}/archive`, { body: { reason: "Old." } }));
    }
    const after = await readStats();
    expect(after.throughput).toEqual(before.throughput);
    expect(after.failures.stages).toEqual(before.failures.stages);
    expect(after.outcomes.tasks).toBe(before.outcomes.tasks - 2);
    expect(of(after.stageTimes.stages, "pre_qa")).toEqual(of(before.stageTimes.stages, "pre_qa"));
    expect(of(after.stageTimes.stages, "calibration").waiting).toBe(
      of(before.stageTimes.stages, "calibration").waiting - 1,
    );
    const archived = await api.call<Funnel>("GET", "/stats/outcomes?archived=true");
    expect(expectDone(archived).tasks).toBe(2);
  });

  it("are separate for each tenant", async () => {
    const { otherTenant: tenant } = api;
    await api.givenTask({ tenant });
    const { outcomes, throughput, stageTimes, failures } = await readStats(tenant);
    expect(outcomes).toMatchObject({ tasks: 1, outcomes: { ...noOutcomes, open: 1 } });
    const sum = (count: (bucket: ThroughputBucket) => number) =>
      throughput.buckets.reduce((total, bucket) => total + count(bucket), 0);
    expect([sum(({ created }) => created), sum(({ rejected }) => rejected)]).toEqual([1, 0]);
    const waiting = stageTimes.stages.filter((stage) => stage.waiting > 0);
    expect(waiting).toEqual([{ kind: "ingestion", stays: 0, seconds: null, waiting: 1 }]);
    expect(failures.stages.filter(({ errors, ...stage }) => errors.length + stage.errored)).toEqual(
      [],
    );
  });
});

describe("An invalid query for statistics", () => {
  it.each(ROUTES)("is rejected by /stats/%s", async (route) => {
    for (const query of [
      "colour=red",
      "from=yesterday",
      "from=0999-01-01T00:00:00Z",
      "to=9999-12-31T23:59:59Z",
      "from=2026-01-01T00:00:00Z&from=2026-01-02T00:00:00Z",
      "taxonomyCode=",
      "unifiedStatus=PASSED",
      "limit=5",
    ]) {
      expectProblem(await api.call("GET", `/stats/${route}?${query}`), "validation_failed", 400);
    }
  });

  it.each([
    ["outcomes?from=2025-01-01T00:00:00Z&to=2026-01-03T00:00:00Z", "window_too_long"],
    ["stage-times?from=2025-01-01T00:00:00Z&to=2026-01-03T00:00:00Z", "window_too_long"],
    ["failures?from=2025-01-01T00:00:00Z&to=2026-01-03T00:00:00Z", "window_too_long"],
    ["throughput?from=2025-01-01T00:00:00Z&to=2026-02-06T00:00:00Z", "too_many_buckets"],
    [
      "throughput?bucket=hour&from=2026-01-01T00:00:00Z&to=2026-02-01T00:00:00Z",
      "too_many_buckets",
    ],
    ["outcomes?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "empty_window"],
    ["throughput?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "empty_window"],
    ["stage-times?from=2026-01-02T00:00:00Z&to=2026-01-02T00:00:00Z", "empty_window"],
    ["throughput?bucket=month", "invalid_value"],
  ])("returns the code of the issue for %s", async (path, code) => {
    const problem = expectProblem(
      await api.call("GET", `/stats/${path}`),
      "validation_failed",
      400,
    );
    expect(problem.issues?.map((issue) => issue.code)).toEqual([code]);
  });
});

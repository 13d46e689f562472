import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  BULK_ALLOWED_TARGETS,
  BULK_TARGETS,
  PIPELINES_ON_TARGET,
} from "../../../src/domain/bulk/matrix.ts";
import { UNIFIED_STATUSES } from "../../../src/domain/status/unified.ts";
import { expectDone, freshApi, PLACE_OF_LABEL, type TestApi } from "../../support/api.ts";
import { expectInvariantsHold } from "../../support/model/invariants.ts";
import { dispatchesOf, execute, expectInLedger, labelOf, preview, rowCounts } from "./support.ts";

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
});
afterAll(() => expectInvariantsHold(api.database));

const CASES = BULK_TARGETS.flatMap((targetStatus) =>
  [false, true].map((runAttachedWorkflows) => ({ targetStatus, runAttachedWorkflows })),
);

describe("Preview and execution of a target", () => {
  test.each(CASES)(
    "agree on $targetStatus from every label, with pipelines: $runAttachedWorkflows",
    async ({ targetStatus, runAttachedWorkflows }) => {
      const taskIds: string[] = [];
      for (const label of UNIFIED_STATUSES) {
        const task = await api.givenTask({ at: PLACE_OF_LABEL[label] });
        expect(task.unifiedStatus).toBe(label);
        taskIds.push(task.id);
      }
      const body = { taskIds, targetStatus, runAttachedWorkflows };

      const before = await rowCounts(api);
      const planned = expectDone(await preview(api, body, { as: "reviewer" }));
      expect(await rowCounts(api)).toEqual(before);

      const done = expectDone(await execute(api, { ...body, planToken: planned.planToken }));
      await expectInLedger(api, done);
      for (const [index, source] of UNIFIED_STATUSES.entries()) {
        const isAllowed = BULK_ALLOWED_TARGETS[source].includes(targetStatus);
        const previewed = planned.items[index];
        const item = done.items[index];
        expect(previewed?.decision).toBe(isAllowed ? "eligible" : "refused");
        expect(item?.outcome).toBe(isAllowed ? "changed" : "refused");
        expect(item).toMatchObject({ taskId: taskIds[index], from: source, to: targetStatus });
        expect({ code: item?.code, allowed: item?.allowed }).toEqual({
          code: previewed?.code,
          allowed: previewed?.allowed,
        });
        const taskId = taskIds[index] ?? "";
        expect(await labelOf(api, taskId)).toBe(isAllowed ? targetStatus : source);
        const pipelines =
          isAllowed && runAttachedWorkflows ? PIPELINES_ON_TARGET[targetStatus] : [];
        expect(await dispatchesOf(api, taskId)).toEqual(pipelines);
      }
      expect(done.counts.changed).toBe(planned.counts.eligible);
      expect(done.counts.refused).toBe(planned.counts.refused);
      const expected = planned.pipelines.reduce((sum, { tasks }) => sum + tasks, 0);
      expect(done.dispatched).toBe(runAttachedWorkflows ? expected : 0);
    },
  );

  test("agree on failed checks, whether a status or a review failed them", async () => {
    const queued = await api.givenTask({ at: { kind: "pre_qa", status: "queued" } });
    const reviewed = await api.call("POST", `/tasks/${queued.id}/reviews`, {
      body: { kind: "expert", outcome: "failed", notes: "The answer is wrong." },
    });
    expectDone(reviewed, 201);
    const overruled = await api.givenTask({ at: { kind: "pre_qa", status: "queued" } });
    for (const outcome of ["failed", "passed"]) {
      const path = `/tasks/${overruled.id}/reviews`;
      expectDone(await api.call("POST", path, { body: { kind: "expert", outcome } }), 201);
    }
    const body = { taskIds: [queued.id, overruled.id], targetStatus: "REJECTED" } as const;
    const planned = expectDone(await preview(api, body));
    expect(planned.items.map(({ from, decision }) => [from, decision])).toEqual([
      ["QUALITY_CHECK_FAILED", "eligible"],
      ["CHECKING_QUALITY", "refused"],
    ]);
    const done = expectDone(await execute(api, body));
    expect(done.items.map(({ outcome, code }) => [outcome, code])).toEqual([
      ["changed", undefined],
      ["refused", "illegal_target"],
    ]);
  });
});

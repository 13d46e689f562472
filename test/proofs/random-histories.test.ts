import fc from "fast-check";
import { beforeAll, describe, expect, inject, test } from "vitest";
import { labelFactsOfStepsSql } from "../../src/db/tasks/label-sql.ts";
import { freshApi, type TestApi } from "../support/api.ts";
import { expectWhole } from "../support/model/agreement.ts";
import { expectInvariantsHold } from "../support/model/invariants.ts";
import { silenceLog } from "../support/model/quiet.ts";
import { anyHistory } from "../support/model/random-calls.ts";
import { Walk } from "../support/model/walk.ts";

const { seed } = inject("stack");
const HISTORIES = 30;
/** After this many calls, all invariants are checked in the middle of a walk. */
const CALLS_BETWEEN_LOOKS = 15;

silenceLog();

let api: TestApi;

beforeAll(async () => {
  api = await freshApi();
  // Caches the keys of all roles, so that no key lookup comes between a call and its fault.
  await api.roundTripsOf(async () => {});
});

describe("the service and the pure domain", () => {
  test(
    `agree after every step of random histories (replay with SEED=${seed})`,
    { timeout: 180_000 },
    async () => {
      let calls = 0;
      await fc.assert(
        fc.asyncProperty(anyHistory, async (history) => {
          const walk = new Walk(api);
          // A walk needs a task, so the admin creates the first ones.
          for (const wish of history.begins)
            await walk.create("admin", { ...wish, externalId: "new" });
          if (walk.models.length === 0) return;
          for (const call of history.calls) {
            await walk.take(call);
            calls += 1;
            if (calls % CALLS_BETWEEN_LOOKS === 0) await expectInvariantsHold(api.database);
          }
          await expectWhole(api, walk.models);
          await expectInvariantsHold(api.database);
          await expectFactsAgree();
        }),
        { seed, numRuns: HISTORIES, plugins: [fc.interruptAfterTimeLimit(90_000)] },
      );
      expect(calls).toBeGreaterThan(HISTORIES);
    },
  );
});

/** Expects the facts of labels to be the same whether they are read for all steps in one query or task by task. */
async function expectFactsAgree(): Promise<void> {
  const rows = await api.database.query(
    "owner",
    `select * from (${labelFactsOfStepsSql("array(select current_step_id from tasks)")}) many
     full join task_facts each using (task_id)
     where (many.kind, many.status, many.gate, many.review_failed,
         array(select unnest(many.running_workers) as type group by type order by type))
       is distinct from (each.kind, each.status, each.gate, each.review_failed, each.running_workers)`,
  );
  expect(rows).toEqual([]);
}

import { inTurn, perEach } from "../measure.ts";
import { tasksInReview, toAndFro } from "../moving.ts";
import { CHAINED_TENANT, MOVED_TASKS, MOVED_TENANT } from "../populations.ts";
import { atMost, type Row } from "../row.ts";
import type { Service } from "../service.ts";

const FEW = 1_000;
const MANY = MOVED_TASKS;
const COUNTS = { figure: MANY, baseline: FEW };

export const bulkGrowth: Row = {
  name: "bulk-growth",
  about: "what a task costs among 10,000, against what it costs among 1,000",
  measure: async (stage) => {
    const service = await stage.large();
    const few = await idsOf(service, CHAINED_TENANT, FEW);
    const many = await idsOf(service, MOVED_TENANT, MANY);
    const previewed = await inTurn(
      () => preview(service, MOVED_TENANT, many),
      () => preview(service, CHAINED_TENANT, few),
      { turns: 9 },
    );
    const executed = await inTurn(
      toAndFro(service, MOVED_TENANT, many),
      toAndFro(service, CHAINED_TENANT, few),
      { turns: 9 },
    );
    return [
      atMost(1.2, "preview, one call each", perEach(previewed, COUNTS), "ms a task"),
      atMost(1.2, "execute, a call for each 1,000", perEach(executed, COUNTS), "ms a task"),
    ];
  },
};

async function idsOf(service: Service, tenant: string, count: number): Promise<string[]> {
  return (await tasksInReview(service, tenant, count)).map(({ id }) => id);
}

function preview(service: Service, tenant: string, taskIds: readonly string[]) {
  const body = { taskIds, targetStatus: "CHANGES_REQUESTED" };
  return service.call("/v1/bulk/preview", { method: "POST", tenant, body });
}

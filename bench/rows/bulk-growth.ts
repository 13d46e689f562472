import { measureInTurns, perItem } from "../measure.ts";
import { tasksInReview, backAndForth } from "../moves.ts";
import { CHAINED_TENANT, MOVED_TASKS, MOVED_TENANT } from "../populations.ts";
import { atMost, type Row } from "../row.ts";
import type { Service } from "../service.ts";

const FEW = 1_000;
const MANY = MOVED_TASKS;
const COUNTS = { figure: MANY, baseline: FEW };

export const bulkGrowth: Row = {
  name: "bulk-growth",
  about: "the cost per task of a change of 10,000 tasks, against that of 1,000 tasks",
  measure: async (environment) => {
    const service = await environment.large();
    const few = await idsOf(service, CHAINED_TENANT, FEW);
    const many = await idsOf(service, MOVED_TENANT, MANY);
    const previews = await measureInTurns(
      () => preview(service, MOVED_TENANT, many),
      () => preview(service, CHAINED_TENANT, few),
      { turns: 9 },
    );
    const executions = await measureInTurns(
      backAndForth(service, MOVED_TENANT, many),
      backAndForth(service, CHAINED_TENANT, few),
      { turns: 9 },
    );
    return [
      atMost(1.2, "preview, one call each", perItem(previews, COUNTS), "ms per task"),
      atMost(1.2, "execute, one call per 1,000", perItem(executions, COUNTS), "ms per task"),
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

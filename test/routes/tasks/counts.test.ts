import { beforeAll, describe, expect, inject, it } from "vitest";
import type { TaskView } from "../../../src/actions/views/task-view.ts";
import type { TaskCounts } from "../../../src/db/tasks/count-tasks.ts";
import { openDatabase } from "../../../src/db/connection/client.ts";
import { listTaskIds } from "../../../src/db/tasks/list-task-ids.ts";
import { STEP_KINDS } from "../../../src/domain/lifecycle/statuses.ts";
import { ATTENTION_CODES } from "../../../src/domain/status/attention.ts";
import { UNIFIED_STATUSES } from "../../../src/domain/status/unified.ts";
import { expectDone, expectProblem, freshApi, type TestApi } from "../../support/api.ts";
import { type Chance, chanceFrom } from "../../support/chance.ts";
import { givenManyAt } from "../../support/given-many.ts";
import { givenHistories, TAXONOMY } from "../../support/histories.ts";
import { silenceLog } from "../../support/model/quiet.ts";
import { preview } from "../bulk/support.ts";

const { seed } = inject("stack");
const FILTERS = 40;

interface TaskIds {
  ids: string[];
  truncated: boolean;
}

silenceLog();

let api: TestApi;

const countsOf = (query: string) =>
  api.call<TaskCounts>("GET", `/tasks/counts?${query}`, { as: "viewer" });
const idsOf = (query: string) => api.call<TaskIds>("GET", `/tasks/ids?${query}`, { as: "viewer" });

/** All tasks of a list, page by page. */
async function listed(query: string): Promise<TaskView[]> {
  const tasks: TaskView[] = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    const more: string = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const page: { data: TaskView[]; nextCursor: string | null } = expectDone(
      await api.call("GET", `/tasks?${query}&sort=createdAt&limit=7${more}`, { as: "viewer" }),
    );
    tasks.push(...page.data);
    cursor = page.nextCursor;
  }
  return tasks;
}

/** The counts that the tasks add up to. */
function summed(tasks: readonly TaskView[]): TaskCounts {
  const counts: TaskCounts = { total: tasks.length, ...zeros() };
  for (const { unifiedStatus, attention } of tasks) {
    counts.byUnifiedStatus[unifiedStatus] += 1;
    for (const code of attention) counts.byAttention[code] += 1;
  }
  return counts;
}

function zeros(): Pick<TaskCounts, "byUnifiedStatus" | "byAttention"> {
  const zero = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, 0]));
  return {
    byUnifiedStatus: zero(UNIFIED_STATUSES) as TaskCounts["byUnifiedStatus"],
    byAttention: zero(ATTENTION_CODES) as TaskCounts["byAttention"],
  };
}

describe("Counts of a tenant without tasks", () => {
  it("have every label and attention code at zero", async () => {
    const { call } = await freshApi();
    for (const query of ["", "?archived=true", "?q=nothing"]) {
      const counts = await call<TaskCounts>("GET", `/tasks/counts${query}`, { as: "viewer" });
      expect(expectDone(counts)).toEqual({ total: 0, ...zeros() });
      const ids = await call("GET", `/tasks/ids${query}`, { as: "viewer" });
      expect(expectDone(ids)).toEqual({ ids: [], truncated: false });
    }
  });
});

describe(`Counts and ids of random histories (replay with SEED=${seed})`, () => {
  let all: TaskView[];

  beforeAll(async () => {
    api = await freshApi();
    for (const label of UNIFIED_STATUSES) await api.givenTaskLabelled(label, { title: label });
    await givenHistories(api, { seed, days: 20 });
    all = [...(await listed("archived=false")), ...(await listed("archived=true"))];
  }, 180_000);

  it("agree with the resolver on every task", async () => {
    const resolved = await Promise.all(
      all.map(async (task) => ({
        ...task,
        ...expectDone(
          await api.call<Pick<TaskView, "unifiedStatus" | "attention">>(
            "GET",
            `/tasks/${task.id}/status`,
          ),
        ),
      })),
    );
    for (const archived of [false, true]) {
      const counts = expectDone(await countsOf(`archived=${archived}`));
      expect(counts).toEqual(
        summed(resolved.filter((task) => (task.archivedAt !== null) === archived)),
      );
    }
    expect(expectDone(await countsOf(""))).toEqual(expectDone(await countsOf("archived=false")));
  });

  it("agree with the pages of the list, and ids are in creation order", async () => {
    const chance = chanceFrom(seed);
    let met = 0;
    for (let count = 0; count < FILTERS; count += 1) {
      const query = anyFilter(all, chance);
      const tasks = await listed(query);
      met += tasks.length;
      expect(expectDone(await countsOf(query)), query).toEqual(summed(tasks));
      const ids = tasks.map(({ id }) => id);
      expect(expectDone(await idsOf(query)), query).toEqual({ ids, truncated: false });
      expect(ids).toEqual(ids.toSorted());
    }
    expect(met).toBeGreaterThan(FILTERS);
  });

  it("agree with the tasks that a bulk preview of the filter selects", async () => {
    const filter = { taxonomyCode: TAXONOMY };
    const previewed = await preview(api, { filter, targetStatus: "REJECTED" });
    const { ids } = expectDone(await idsOf(`taxonomyCode=${TAXONOMY}`));
    expect(expectDone(previewed).taskIds).toEqual(ids);
    expect(ids.length).toBeGreaterThan(0);
  });

  it("obey a filter by label as well", async () => {
    const whole = expectDone(await countsOf(`taxonomyCode=${TAXONOMY}`));
    for (const label of UNIFIED_STATUSES) {
      const one = expectDone(await countsOf(`taxonomyCode=${TAXONOMY}&unifiedStatus=${label}`));
      expect(one.total).toBe(whole.byUnifiedStatus[label]);
      expect(one.byUnifiedStatus).toEqual({ ...zeros().byUnifiedStatus, [label]: one.total });
    }
  });

  it("follow a task into the archive and back", async () => {
    const before = expectDone(await countsOf(""));
    const { id } = await api.givenTaskLabelled("OUTPUT_FAILED");
    const body = { reason: "For a while." };
    const after = expectDone(await countsOf(""));
    expect(after.byUnifiedStatus.OUTPUT_FAILED).toBe(before.byUnifiedStatus.OUTPUT_FAILED + 1);
    expect(after.byAttention.errored).toBe(before.byAttention.errored + 1);
    const archived = expectDone(await countsOf("archived=true"));
    expectDone(await api.call("POST", `/tasks/${id}/archive`, { body }));
    expect(expectDone(await countsOf(""))).toEqual(before);
    expect(expectDone(await countsOf("archived=true")).total).toBe(archived.total + 1);
    expectDone(await api.call("POST", `/tasks/${id}/restore`, { body }));
    expect(expectDone(await countsOf(""))).toEqual(after);
    expect(expectDone(await countsOf("archived=true"))).toEqual(archived);
  });

  it("leave out another tenant's tasks", async () => {
    const { otherTenant: tenant } = api;
    const theirs = await api.givenTask({ tenant });
    const counts = await api.call<TaskCounts>("GET", "/tasks/counts", { tenant });
    expect(expectDone(counts)).toEqual(summed([theirs]));
    const ids = await api.call<TaskIds>("GET", "/tasks/ids", { tenant });
    expect(expectDone(ids)).toEqual({ ids: [theirs.id], truncated: false });
  });

  it("accept only the filters of the list, no other parameters", async () => {
    for (const query of [
      "limit=5",
      "sort=title",
      "cursor=abc",
      "archived=yes",
      "unifiedStatus=X",
    ]) {
      expectProblem(await countsOf(query), "validation_failed", 400);
      expectProblem(await idsOf(query), "validation_failed", 400);
    }
  });
});

describe("Ids of more tasks than a bulk operation accepts", () => {
  it("are those of the oldest tasks, and say that they are truncated", async () => {
    api = await freshApi();
    const place = { kind: "expert_review", status: "in_review" } as const;
    const created = (await givenManyAt(api, 8, place)).toSorted();
    const database = openDatabase(api.database).forTenant(api.tenant.id);
    const filter = { unifiedStatus: ["IN_REVIEW"] } as const;
    expect(await listTaskIds(database, filter, 8)).toEqual({ ids: created, truncated: false });
    expect(await listTaskIds(database, filter, 7)).toEqual({
      ids: created.slice(0, 7),
      truncated: true,
    });
    expect(expectDone(await idsOf("unifiedStatus=IN_REVIEW"))).toEqual({
      ids: created,
      truncated: false,
    });
  });
});

/** A random filter that usually matches some task. */
function anyFilter(tasks: readonly TaskView[], chance: Chance): string {
  const one = tasks[chance.below(tasks.length)] ?? expect.fail("There are no tasks");
  const { unifiedStatus, attention, currentStep, taxonomyCode, assignee, archivedAt } = one;
  const parameters: (string | null)[] = [
    `unifiedStatus=${unifiedStatus}`,
    `unifiedStatus=${UNIFIED_STATUSES[chance.below(13)]}&unifiedStatus=${unifiedStatus}`,
    ...attention.map((code) => `attention=${code}`),
    `attention=${ATTENTION_CODES[chance.below(5)]}`,
    `stepKind=${currentStep.kind}`,
    `stepKind=${STEP_KINDS[chance.below(7)]}`,
    `stepStatus=${currentStep.status}`,
    `gate=${currentStep.gate}`,
    taxonomyCode && `taxonomyCode=${taxonomyCode}`,
    assignee && `assignee=${encodeURIComponent(assignee)}`,
    `priority=${one.priority}`,
    `q=${encodeURIComponent(one.title.slice(0, 5))}`,
    `createdAfter=${one.createdAt}`,
    `createdBefore=${one.createdAt}`,
    `updatedAfter=${one.updatedAt}`,
    `statusBefore=${one.statusSince}`,
  ];
  const names = new Set<string>();
  const chosen = parameters.filter((parameter): parameter is string => {
    const name = parameter?.split("=", 1)[0] ?? "";
    if (parameter === null || names.has(name) || !chance.isHit(0.15)) return false;
    names.add(name);
    return true;
  });
  return [...chosen, `archived=${archivedAt !== null}`].join("&");
}

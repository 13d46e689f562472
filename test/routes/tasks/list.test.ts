import { beforeAll, describe, expect, it } from "vitest";
import type { TaskView } from "../../../src/actions/views/task-view.ts";
import { UNIFIED_STATUSES, type UnifiedStatus } from "../../../src/domain/status/unified.ts";
import {
  type Answer,
  type CallOptions,
  expectDone,
  expectProblem,
  freshApi,
  type TestApi,
} from "../../support/api.ts";

interface TaskPage {
  data: TaskView[];
  nextCursor: string | null;
  sortTruncated?: true;
}

let api: TestApi;
/** One task for each label, with different fields. */
const labelled = new Map<UnifiedStatus, TaskView>();

beforeAll(async () => {
  api = await freshApi();
  for (const [index, label] of UNIFIED_STATUSES.entries()) {
    const fields = {
      title: `Title ${String.fromCodePoint(109 - index)}`,
      externalId: `label-${index}`,
      priority: (index * 7) % 5,
      ...(index % 3 === 0 && { taxonomyCode: "math.algebra" }),
      ...(index % 4 === 0 && { assignee: "Second shift" }),
    };
    labelled.set(label, await api.givenTaskLabelled(label, fields));
  }
});

const list = (query: string, options: CallOptions = {}): Promise<Answer<TaskPage>> =>
  api.call<TaskPage>("GET", `/tasks?${query}`, { as: "viewer", ...options });
const all = () => [...labelled.values()];
const ids = (tasks: readonly TaskView[]) => tasks.map(({ id }) => id);
const listed = async (query: string) => ids(expectDone(await list(query)).data);

/** The tasks of every page of a list, one per page by default. */
async function walk(query: string, limit = 1): Promise<TaskView[]> {
  const tasks: TaskView[] = [];
  let cursor: string | null = null;
  do {
    const more: string = cursor === null ? "" : `&cursor=${cursor}`;
    const page: TaskPage = expectDone(await list(`${query}&limit=${limit}${more}`));
    expect(page.data.length).toBeLessThanOrEqual(limit);
    tasks.push(...page.data);
    cursor = page.nextCursor;
  } while (cursor !== null);
  return tasks;
}

describe("Listing tasks", () => {
  it("lists the newest first, each as when it is read on its own", async () => {
    const { data, nextCursor } = expectDone(await list(""));
    expect(data).toEqual(all().toReversed());
    expect(nextCursor).toBeNull();
  });

  it("takes one round trip with any filters and sort, and reports it in Server-Timing", async () => {
    for (const query of [
      "",
      "unifiedStatus=DRAFT&attention=ready&stepKind=pre_qa&q=Title&model=m&limit=3",
      "sort=unifiedStatus",
      "sort=-unifiedStatus&sortSource=materialized",
      "sort=title&archived=true",
    ]) {
      let timing: string | null = null;
      const counted = await api.roundTripsOf(async () => {
        timing = (await list(query)).headers.get("server-timing");
      });
      expect(counted).toBe(1);
      expect(timing).toContain('desc="1 round trip"');
    }
  });

  it("lists no task of another tenant", async () => {
    const theirs = await api.givenTask({ tenant: api.otherTenant, title: "Title theirs" });
    expect(await listed("q=Title")).not.toContain(theirs.id);
    const { data } = expectDone(await list("", { tenant: api.otherTenant }));
    expect(ids(data)).toEqual([theirs.id]);
  });
});

describe("Filtering tasks", () => {
  const where = (matches: (task: TaskView) => boolean) => ids(all().toReversed().filter(matches));

  it.each(UNIFIED_STATUSES)("by the label %s", async (label) => {
    const tasks = await listed(`unifiedStatus=${label}`);
    expect(tasks).toEqual([labelled.get(label)?.id]);
  });

  it("by any of several labels", async () => {
    expect(await listed("unifiedStatus=PASSED&unifiedStatus=DRAFT")).toEqual(
      where(({ unifiedStatus }) => unifiedStatus === "PASSED" || unifiedStatus === "DRAFT"),
    );
  });

  it("by attention, one code or any of several", async () => {
    const ready = await listed("attention=ready");
    expect(ready).toEqual(where(({ attention }) => attention.includes("ready")));
    expect(ready.length).toBeGreaterThan(0);
    const either = await listed("attention=ready&attention=errored");
    expect(either).toEqual(
      where(({ attention }) => attention.includes("ready") || attention.includes("errored")),
    );
    expect(either.length).toBeGreaterThan(ready.length);
  });

  it("by kind, status and gate of the current step", async () => {
    expect(await listed("stepKind=pre_qa")).toEqual(
      where(({ currentStep }) => currentStep.kind === "pre_qa"),
    );
    expect(await listed("stepStatus=approved")).toEqual(
      where(({ currentStep }) => currentStep.status === "approved"),
    );
    expect(await listed("gate=passed&stepKind=pre_qa")).toEqual(
      where(({ currentStep }) => currentStep.gate === "passed" && currentStep.kind === "pre_qa"),
    );
  });

  it("by taxonomy code, assignee, priority and external id", async () => {
    expect(await listed("taxonomyCode=math.algebra")).toEqual(
      where(({ taxonomyCode }) => taxonomyCode === "math.algebra"),
    );
    expect(await listed("assignee=Second+shift")).toEqual(
      where(({ assignee }) => assignee === "Second shift"),
    );
    expect(await listed("priority=2")).toEqual(where(({ priority }) => priority === 2));
    expect(await listed("externalId=label-3")).toEqual(
      where(({ externalId }) => externalId === "label-3"),
    );
  });

  it("by a part of the title or the external id, in any case", async () => {
    expect(await listed("q=TITLE%20m")).toEqual(where(({ title }) => title === "Title m"));
    expect(await listed("q=bel-1")).toEqual(
      where(({ externalId }) => externalId?.includes("bel-1") === true),
    );
    expect(await listed("q=no+such+task")).toEqual([]);
  });

  it("by a text with wildcards, which are taken literally", async () => {
    const odd = await api.givenTask({ title: String.raw`100%_sure \o/` });
    for (const part of ["100%", "%_s", String.raw` \o`]) {
      expect(await listed(`q=${encodeURIComponent(part)}`)).toEqual([odd.id]);
    }
    expect(await listed(`q=${encodeURIComponent("T%e")}`)).toEqual([]);
    await api.call("POST", `/tasks/${odd.id}/archive`, { body: { reason: "Odd." } });
  });

  it("by a model that worked on the task", async () => {
    const task = await api.givenTask({ title: "Modelled" });
    await api.database.query(
      "owner",
      `insert into prompts (tenant_id, id, task_id, version_id, step_id, role, content, content_hash, model, created_by)
        values ($1, gen_random_uuid(), $2, $3, $4, 'user', 'Hi', 'hash', 'model-x', 'test')`,
      [api.tenant.id, task.id, task.activeVersion.id, task.currentStep.id],
    );
    await api.database.query(
      "owner",
      `insert into data (tenant_id, id, task_id, version_id, step_id, kind, uri, content_type, size_bytes, sha256, model, created_by)
        values ($1, gen_random_uuid(), $2, $3, $4, 'generated', 's3://bucket/blob', 'text/plain', 1, sha256('blob'), 'model-y', 'test')`,
      [api.tenant.id, task.id, task.activeVersion.id, task.currentStep.id],
    );
    expect(await listed("model=model-x")).toEqual([task.id]);
    expect(await listed("model=model-y")).toEqual([task.id]);
    expect(await listed("model=model-z")).toEqual([]);
    await api.call("POST", `/tasks/${task.id}/archive`, { body: { reason: "Done." } });
  });

  it("by the bulk operation that changed the task", async () => {
    const [one, two] = await api.givenTasks(2);
    const start = { start: { kind: "expert_review", reason: "There." } };
    const third = await api.givenTask(start);
    const executed = await api.call<{ operationId: string }>("POST", "/bulk/execute", {
      idempotencyKey: "list-bulk",
      body: { taskIds: [third.id, one], targetStatus: "REJECTED", reason: "Out." },
    });
    const { operationId } = expectDone(executed);
    expect(await listed(`bulkOperationId=${operationId}`)).toEqual([third.id]);
    for (const id of [one, two, third.id]) {
      await api.call("POST", `/tasks/${id}/archive`, { body: { reason: "Done." } });
    }
  });

  it("by times, each bound exclusive", async () => {
    const middle = all()[6];
    if (middle === undefined) throw new Error("The fixture must have 13 tasks");
    const { createdAt, updatedAt, statusSince } = middle;
    expect(await listed(`createdAfter=${createdAt}`)).toEqual(
      where((task) => task.createdAt > createdAt),
    );
    expect(await listed(`createdBefore=${createdAt}`)).toEqual(
      where((task) => task.createdAt < createdAt),
    );
    expect(await listed(`updatedAfter=${updatedAt}`)).toEqual(
      where((task) => task.updatedAt > updatedAt),
    );
    expect(await listed(`statusBefore=${statusSince}`)).toEqual(
      where((task) => task.statusSince < statusSince),
    );
  });

  it("leaves out archived tasks unless they are requested", async () => {
    const { id } = await api.givenTask({ title: "Archived", externalId: "in-the-attic" });
    await api.call("POST", `/tasks/${id}/archive`, { body: { reason: "Put away." } });
    expect(await listed("externalId=in-the-attic")).toEqual([]);
    expect(await listed("externalId=in-the-attic&archived=false")).toEqual([]);
    expect(await listed("externalId=in-the-attic&archived=true")).toEqual([id]);
    expect(await listed("sort=unifiedStatus")).not.toContain(id);
    await api.call("POST", `/tasks/${id}/restore`, { body: {} });
    expect(await listed("externalId=in-the-attic")).toEqual([id]);
    await api.call("POST", `/tasks/${id}/archive`, { body: { reason: "Put away." } });
  });

  it("by all filters together", async () => {
    const drafts = await listed("unifiedStatus=DRAFT&taxonomyCode=math.algebra&q=label-0");
    expect(drafts).toEqual([labelled.get("DRAFT")?.id]);
    expect(await listed("unifiedStatus=DRAFT&stepKind=delivery")).toEqual([]);
  });
});

describe("Sorting tasks", () => {
  const rank = ({ unifiedStatus }: TaskView) => UNIFIED_STATUSES.indexOf(unifiedStatus);
  const keys: [string, (task: TaskView) => string | number][] = [
    ["createdAt", ({ createdAt }) => createdAt],
    ["updatedAt", ({ updatedAt }) => updatedAt],
    ["statusSince", ({ statusSince }) => statusSince],
    ["title", ({ title }) => title],
    ["priority", ({ priority }) => priority],
    ["unifiedStatus&sortSource=materialized", rank],
    ["unifiedStatus&sortSource=live", rank],
  ];

  it.each(keys)("by %s, both ways, page by page", async (sort, key) => {
    const sorted = all().toSorted((one, other) => {
      const [a, b] = [key(one), key(other)];
      if (a === b) return one.id < other.id ? -1 : 1;
      return a < b ? -1 : 1;
    });
    expect(ids(await walk(`q=Title&sort=${sort}`))).toEqual(ids(sorted));
    expect(ids(await walk(`q=Title&sort=-${sort}`, 4))).toEqual(ids(sorted.toReversed()));
  });

  it("lists each task once while others are created", async () => {
    const page = expectDone(await list("q=Title&limit=6"));
    const late = await api.givenTask({ title: "Title of a latecomer" });
    const rest = expectDone(await list(`q=Title&limit=200&cursor=${page.nextCursor}`));
    expect(ids([...page.data, ...rest.data])).toEqual(ids(all().toReversed()));
    await api.call("POST", `/tasks/${late.id}/archive`, { body: { reason: "Done." } });
  });
});

describe("The live sort by label", () => {
  it("reports no truncation if all matching tasks were sorted", async () => {
    const answer = await list("sort=unifiedStatus&limit=200");
    expect(answer.headers.get("x-unified-sort-truncated")).toBeNull();
    expect(answer.body).not.toHaveProperty("sortTruncated");
  });

  it("orders tasks by their present labels", async () => {
    const { data } = expectDone(await list("sort=unifiedStatus&q=Title"));
    expect(data.map(({ unifiedStatus }) => unifiedStatus)).toEqual(UNIFIED_STATUSES);
  });

  it("keeps its window when newer tasks arrive, so that no task is listed twice", async () => {
    const first = expectDone(await list("sort=unifiedStatus&q=Title&limit=5"));
    const late = await api.givenTask({ title: "Title, late and in front" });
    const rest = expectDone(
      await list(`sort=unifiedStatus&q=Title&limit=200&cursor=${first.nextCursor}`),
    );
    const listedIds = ids([...first.data, ...rest.data]);
    expect(listedIds).toHaveLength(13);
    expect(listedIds).not.toContain(late.id);
    await api.call("POST", `/tasks/${late.id}/archive`, { body: { reason: "Done." } });
  });
});

describe("An invalid list query", () => {
  it.each([
    "limit=0",
    "limit=201",
    "limit=-1",
    "limit=abc",
    "limit=1e9",
    "limit=5&limit=6",
    "sort=status%3Bdrop",
    "sort=__proto__",
    "sort=--title",
    "sortSource=cache",
    "unifiedStatus=DONE",
    "attention=sleepy",
    "stepKind=review",
    "q=ab",
    "archived=yes",
    "priority=101",
    "createdAfter=yesterday",
    "createdAfter=0000-01-01T00:00:00Z",
    "createdAfter=2026-02-30T00:00:00Z",
    "bulkOperationId=1",
    "colour=red",
    "title=a&title=b",
    "q=%00abc",
    "q=%ff%fe%fd",
  ])("is rejected: %s", async (query) => {
    expectProblem(await list(query), "validation_failed", 400);
  });

  it("rejects a cursor that was altered, or belongs to another list, sort, filter or tenant", async () => {
    const { nextCursor } = expectDone(await list("limit=1"));
    const cursor = nextCursor ?? "";
    for (const other of [
      list(`limit=1&cursor=${cursor.slice(0, -2)}AA`),
      list(`limit=1&cursor=${cursor}A`),
      list("limit=1&cursor=abc"),
      list(`limit=1&cursor=${cursor}&sort=createdAt`),
      list(`limit=1&cursor=${cursor}&sort=title`),
      list(`limit=1&cursor=${cursor}&stepKind=pre_qa`),
      list(`limit=1&cursor=${cursor}`, { tenant: api.otherTenant }),
      api.call("GET", `/bulk/operations?cursor=${cursor}`),
    ]) {
      expectProblem(await other, "invalid_cursor", 400);
    }
  });

  it("accepts another limit with the same cursor", async () => {
    const first = expectDone(await list("limit=2"));
    const rest = expectDone(await list(`limit=200&cursor=${first.nextCursor}`));
    expect(rest.data.length).toBeGreaterThan(2);
  });
});

import { beforeAll, describe, expect, it, test } from "vitest";
import type { AdminEventRecord } from "../../src/db/administration/admin-events.ts";
import type { TaxonomyRecord } from "../../src/db/taxonomy/entry-sql.ts";
import { PARENT_LEVEL, TAXONOMY_LEVELS, TAXONOMY_MAX } from "../../src/domain/taxonomy.ts";
import { expectDone, expectProblem, freshApi, type Tenant, type TestApi } from "../support/api.ts";
import { expectInvariantsHold } from "../support/model/invariants.ts";

type Entry = TaxonomyRecord & { tasks: number | null };
interface Page<Item> {
  data: Item[];
  nextCursor: string | null;
}
type Tree = Entry & { children?: Tree[] };

let api: TestApi;
let tenant: Tenant;
beforeAll(async () => {
  api = await freshApi();
  tenant = await api.givenTenant();
  await putAll(STARTING);
});

/** Codes with their level, parent and position. */
const STARTING = [
  ["math", "domain", null, 2],
  ["math.algebra", "category", "math", 1],
  ["math.algebra.hard", "difficulty", "math.algebra", 0],
  ["math.algebra.easy", "difficulty", "math.algebra", 0],
  ["math.geometry", "category", "math", 0],
  ["Ünicode & more/ways", "domain", null, 1],
  ["law", "domain", null, 10],
  ["law.torts", "category", "law", 0],
] as const;
const IN_ORDER = [
  "Ünicode & more/ways",
  "math",
  "math.geometry",
  "math.algebra",
  "math.algebra.easy",
  "math.algebra.hard",
  "law",
  "law.torts",
];

const put = (code: string, body: object, owner: Tenant = tenant) =>
  api.call<Entry>("PUT", `/taxonomy/${encodeURIComponent(code)}`, { tenant: owner, body });

async function putAll(
  entries: readonly (readonly [string, string, string | null, number])[],
): Promise<void> {
  for (const [code, level, parentCode, position] of entries) {
    const body = { label: `The ${code}`, level, parentCode, position };
    expectDone(await put(code, body), 201);
  }
}

const list = async (query = "", owner: Tenant = tenant) =>
  expectDone(await api.call<Page<Entry>>("GET", `/taxonomy?${query}`, { tenant: owner }));
const codes = async (query = "") => (await list(query)).data.map(({ code }) => code);
const trees = async (query = "") =>
  expectDone(await api.call<Page<Tree>>("GET", `/taxonomy/tree?${query}`, { tenant }));
const flat = (nodes: readonly Tree[]): string[] =>
  nodes.flatMap(({ code, children = [] }) => [code, ...flat(children)]);
const newestEvent = async () => {
  const path = "/admin/events?limit=1&subjectKind=taxonomy";
  return expectDone(await api.call<Page<AdminEventRecord>>("GET", path, { tenant })).data[0];
};

describe("The taxonomy", () => {
  it("is listed in the order of its tree, page by page", async () => {
    expect(await codes()).toEqual(IN_ORDER);
    const paged = [];
    let cursor = "";
    for (;;) {
      const { data, nextCursor } = await list(`limit=3${cursor}`);
      paged.push(...data.map(({ code }) => code));
      if (nextCursor === null) break;
      cursor = `&cursor=${nextCursor}`;
    }
    expect(paged).toEqual(IN_ORDER);
  });

  it("is returned as a tree, by domains", async () => {
    expect(flat((await trees()).data)).toEqual(IN_ORDER);
    const { data, nextCursor } = await trees("limit=2");
    expect(flat(data)).toEqual(IN_ORDER.slice(0, 6));
    expect(data[1]?.children?.map(({ code }) => code)).toEqual(["math.geometry", "math.algebra"]);
    const rest = await trees(`limit=2&cursor=${nextCursor}`);
    expect(flat(rest.data)).toEqual(IN_ORDER.slice(6));
    expect(rest.nextCursor).toBeNull();
  });

  it("is filtered by text, level and parent", async () => {
    expect(await codes("q=ALG")).toEqual([
      "math.algebra",
      "math.algebra.easy",
      "math.algebra.hard",
    ]);
    expect(await codes("q=u%CC%88nicode%20%26")).toEqual(["Ünicode & more/ways"]);
    expect(await codes("q=%25")).toEqual([]);
    expect(await codes("level=difficulty")).toEqual(["math.algebra.easy", "math.algebra.hard"]);
    expect(await codes("parentCode=math")).toEqual(["math.geometry", "math.algebra"]);
    expect(await codes("parentCode=math&q=geo&level=category")).toEqual(["math.geometry"]);
    expect(await codes("parentCode=nowhere")).toEqual([]);
  });

  it("counts the tasks of a code that are not archived, if it is asked to", async () => {
    const archived = await api.givenTask({ tenant, taxonomyCode: "law.torts" });
    expectDone(await api.call("POST", `/tasks/${archived.id}/archive`, { tenant, body: {} }));
    for (let count = 0; count < 2; count += 1) {
      await api.givenTask({ tenant, taxonomyCode: "law.torts" });
      await api.givenTask({ taxonomyCode: "law.torts" });
    }
    const counted = await list("q=law&counts=true");
    expect(counted.data.map(({ code, tasks }) => [code, tasks])).toEqual([
      ["law", 0],
      ["law.torts", 2],
    ]);
    const [, , law] = (await trees("counts=true")).data;
    expect(law?.children?.[0]).toMatchObject({ code: "law.torts", tasks: 2 });
    expect((await list("q=law")).data.map(({ tasks }) => tasks)).toEqual([null, null]);
  });

  it("only proposes: a task keeps its code, which need not be in it", async () => {
    const task = await api.givenTask({ tenant, taxonomyCode: "not in the taxonomy" });
    expect(task.taxonomyCode).toBe("not in the taxonomy");
  });

  it("belongs to one tenant", async () => {
    expect((await list("", api.otherTenant)).data).toEqual([]);
  });
});

describe("Putting an entry", () => {
  const body = { label: "Statistics", level: "category", parentCode: "math", position: 5 };

  it("creates it, renames it, and moves it, each with one event", async () => {
    const created = expectDone(await put("stats", { ...body, reason: "New" }), 201);
    expect(created).toMatchObject({ ...body, code: "stats", archived: false, archivedAt: null });
    expect(await newestEvent()).toMatchObject({
      type: "taxonomy_created",
      subject: { kind: "taxonomy", id: "stats" },
      reason: "New",
      payload: { before: null, after: { label: "Statistics", level: "category" } },
    });
    const changed = expectDone(await put("stats", { ...body, label: "Data", parentCode: "law" }));
    expect(changed).toMatchObject({ label: "Data", parentCode: "law" });
    expect(changed.createdAt).toBe(created.createdAt);
    expect(changed.updatedAt > created.updatedAt).toBe(true);
    expect(await newestEvent()).toMatchObject({
      type: "taxonomy_changed",
      payload: { before: { label: "Statistics" }, after: { label: "Data", parentCode: "law" } },
    });
    expect(await codes("parentCode=law")).toEqual(["law.torts", "stats"]);
  });

  it("changes nothing if it is repeated", async () => {
    expectDone(await put("same", body), 201);
    const before = await newestEvent();
    const first = expectDone(await put("same", body));
    expect(expectDone(await put("same", body))).toEqual(first);
    expect(await newestEvent()).toEqual(before);
  });

  it("archives it with everything below, until it is restored", async () => {
    const math = { label: "The math", level: "domain", position: 2 };
    const above = IN_ORDER.filter((code) => code.startsWith("math"));
    const archived = expectDone(await put("math", { ...math, archived: true }));
    expect(archived).toMatchObject({ archived: true, archivedAt: expect.any(String) });
    expect(await newestEvent()).toMatchObject({ type: "taxonomy_archived" });
    expect(await codes("q=math")).toEqual([]);
    expect(flat((await trees()).data).filter((code) => code.startsWith("math"))).toEqual([]);
    const below = (await list("archived=true&q=math")).data;
    expect(below.map(({ code }) => code)).toEqual(above);
    expect(below.map((entry) => [entry.archived, entry.archivedAt === null])).toEqual(
      above.map((code) => [true, code !== "math"]),
    );
    expect(flat((await trees("archived=true")).data)).toEqual(expect.arrayContaining(above));
    const again = expectDone(await put("math", { ...math, archived: true }));
    expect(again.archivedAt).toBe(archived.archivedAt);
    const child = { label: "The geometry", level: "category", parentCode: "math" };
    expect(expectDone(await put("math.geometry", child))).toMatchObject({ archived: true });
    expect(expectDone(await put("math", math))).toMatchObject({ archived: false });
    expect(await newestEvent()).toMatchObject({ type: "taxonomy_restored" });
    expect(await codes("q=math")).toEqual(above);
  });

  test.each(
    TAXONOMY_LEVELS.flatMap((level) =>
      [null, "math", "math.algebra", "math.algebra.easy", "nowhere"].map(
        (parentCode) => [level, parentCode] as const,
      ),
    ),
  )("of the level %s below %s needs a parent of the level above", async (level, parentCode) => {
    const levels = {
      math: "domain",
      "math.algebra": "category",
      "math.algebra.easy": "difficulty",
    };
    const parents: Record<string, string> = levels;
    const found = parentCode === null ? null : parents[parentCode];
    const before = await newestEvent();
    const answer = await put(`tried ${level} ${parentCode}`, { label: "Tried", level, parentCode });
    if (found === PARENT_LEVEL[level]) {
      expectDone(answer, 201);
      return;
    }
    if (found === undefined && level !== "domain") {
      expectProblem(answer, "not_found", 404);
      return;
    }
    const problem = expectProblem(answer, "validation_failed", 400);
    const isShape = (PARENT_LEVEL[level] === null) !== (parentCode === null);
    const code = !isShape ? "wrong_level" : level === "domain" ? "not_applicable" : "required";
    expect(problem.issues).toMatchObject([{ path: ["parentCode"], code }]);
    expect(await newestEvent()).toEqual(before);
  });

  it("does not change the level of a code", async () => {
    for (const moved of [
      { level: "category", parentCode: "law" },
      { level: "difficulty", parentCode: "law.torts" },
    ]) {
      const answer = await put("math", { label: "Math", ...moved });
      expect(expectProblem(answer, "conflict", 409).existing).toEqual({ id: "math" });
    }
  });

  it("is refused once the taxonomy is full, but not for codes that it has", async () => {
    const full = await api.givenTenant();
    await api.database.query(
      "owner",
      `insert into taxonomy (tenant_id, code, label, level)
       select $1, 'code ' || n, 'A', 'domain' from generate_series(1, $2::integer) n`,
      [full.id, TAXONOMY_MAX],
    );
    const domain = { label: "B", level: "domain" };
    expectProblem(await put("one more", domain, full), "conflict", 409);
    await api.database.query(
      "owner",
      "delete from taxonomy where tenant_id = $1 and code <> 'code 1'",
      [full.id],
    );
    await api.database.query("owner", "delete from taxonomy where tenant_id = $1", [full.id]);
  });

  it("leaves a history that explains every row", () => expectInvariantsHold(api.database));
});

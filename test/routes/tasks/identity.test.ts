import { beforeAll, describe, expect, it, test } from "vitest";
import type { TaskView } from "../../../src/actions/views/task-view.ts";
import { externalIdKey } from "../../../src/domain/task-ref.ts";
import { brokenInvariants } from "../../support/model/invariants.ts";
import { expectDone, expectProblem, freshApi, type TestApi } from "../../support/api.ts";
import { type Chance, chanceFrom } from "../../support/chance.ts";

const SEED = Number(process.env["SEED"] ?? Date.now() % 1_000_000);

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
});

/** Letters that have a composed and a decomposed form, with one that needs two marks and one of Korean. */
const COMPOSED = ["é", "Å", "ệ", "ṩ", "ü", "が", "ぱ", "서", "울", "ά", "й", "क़", "豈"];
const PLAIN = ["a", "Z", "7", "-", "_", "東", "ß", "ı", "ﬁ"];
/** Blanks other than controls and line separators, which no external id can have. */
const BLANKS = Array.from("\u0020\u00a0\u1680\u2000\u2007\u200a\u202f\u205f\u3000");

const pick = <Item>(chance: Chance, items: readonly Item[]): Item =>
  items[chance.below(items.length)] ?? expect.fail("nothing to pick from");

const some = (chance: Chance, items: readonly string[], max: number) =>
  Array.from({ length: chance.below(max + 1) }, () => pick(chance, items)).join("");

/** Another spelling of the same external id: each letter composed or not, and blanks around it. */
function respelled(chance: Chance, id: string): string {
  const letters = Array.from(id.normalize("NFC"), (letter) =>
    letter.normalize(pick(chance, ["NFC", "NFD"])),
  );
  return some(chance, BLANKS, 2) + letters.join("") + some(chance, BLANKS, 2);
}

const lookUp = async (ids: readonly string[]) =>
  expectDone(
    await api.call<{ found: { input: string; id: string }[]; unresolved: string[] }>(
      "POST",
      "/tasks/lookup",
      { body: { ids } },
    ),
  );

describe(`An external id (seed ${SEED})`, () => {
  it("is one id in all its spellings, and comes back as it was sent", async () => {
    const chance = chanceFrom(SEED);
    for (let index = 0; index < 25; index += 1) {
      const id = `${index}${some(chance, [...COMPOSED, ...PLAIN], 6)}${pick(chance, COMPOSED)}`;
      const sent = respelled(chance, id);
      const task = await api.givenTask({ externalId: sent });
      expect(task.externalId).toBe(sent);

      const spellings = [id.normalize("NFC"), id.normalize("NFD"), respelled(chance, id), sent];
      for (const spelling of spellings) {
        const read = await api.call<TaskView>(
          "GET",
          `/tasks/${encodeURIComponent(`ext:${spelling}`)}`,
        );
        expect(expectDone(read).id).toBe(task.id);
        const listed = await api.call<{ data: TaskView[] }>(
          "GET",
          `/tasks?externalId=${encodeURIComponent(spelling)}`,
        );
        expect(expectDone(listed).data.map((found) => found.id)).toEqual([task.id]);
        const again = await api.call("POST", "/tasks", {
          body: { title: "x", externalId: spelling },
        });
        expect(expectProblem(again, "conflict", 409)).toMatchObject({ existing: { id: task.id } });
      }
      const { found, unresolved } = await lookUp([...spellings, `ext:${id.normalize("NFD")}`]);
      expect(found.map((one) => one.id)).toEqual(Array<string>(5).fill(task.id));
      expect(unresolved).toEqual([]);
    }
  });

  it("is one id among the rows of an import, of an edit and of a bulk of moves", async () => {
    const body = {
      tasks: ["Ünique", "Ünique".normalize("NFD"), " Ünique", "Unique"].map((externalId) => ({
        title: "Imported",
        externalId,
      })),
    };
    const dry = await api.call("POST", "/tasks/import", { body: { ...body, dryRun: true } });
    expect(expectDone(dry)).toMatchObject({ counts: { created: 2, exists: 2 } });
    const imported = expectDone(
      await api.call<{ items: { outcome: string; id: string }[] }>("POST", "/tasks/import", {
        body,
      }),
    );
    expect(imported.items.map(({ outcome }) => outcome)).toEqual([
      "created",
      "exists",
      "exists",
      "created",
    ]);
    const [first, second, third, other] = imported.items;
    expect([second?.id, third?.id]).toEqual([first?.id, first?.id]);
    const edit = await api.call("PATCH", `/tasks/${other?.id}`, {
      body: { externalId: "U\u0308nique " },
    });
    expect(expectProblem(edit, "conflict", 409)).toMatchObject({ existing: { id: first?.id } });
    const moves = ["ext:U\u0308nique", "ext:Unique "].map((task) => ({ task, status: "running" }));
    const moved = await api.call("POST", "/moves", { body: { moves } });
    expect(expectDone(moved)).toMatchObject({ counts: { requested: 2, changed: 2 } });
  });

  it("can be respelled by an edit of its own task", async () => {
    const task = await api.givenTask({ externalId: "café-own" });
    const externalId = "café-own".normalize("NFD");
    const path = `/tasks/${task.id}`;
    expectDone(await api.call("PATCH", path, { body: { externalId } }));
    expect(expectDone(await api.call<TaskView>("GET", path)).externalId).toBe(externalId);
  });

  it("goes to one of many calls that create it in different spellings at once", async () => {
    const spellings = ["ệ-race", "ệ-race".normalize("NFD"), "ê\u0323-race", " ệ-race", "ệ-race "];
    const answers = await Promise.all(
      spellings.map((externalId) =>
        api.call("POST", "/tasks", { body: { title: "x", externalId } }),
      ),
    );
    expect(answers.map(({ status }) => status).toSorted((one, other) => one - other)).toEqual([
      201, 409, 409, 409, 409,
    ]);
  });

  test.each([
    ...BLANKS,
    "\u200b",
    "\u200c\u200d",
    "\u2060",
    "\ufeff",
    "\u00ad",
    "\u3164",
    "\u2800",
    " \u200b ",
  ])("is refused if it only consists of blanks: %j", async (externalId) => {
    const problem = await api.call("POST", "/tasks", { body: { title: "x", externalId } });
    expect(expectProblem(problem, "validation_failed", 400)).toMatchObject({
      issues: [{ path: ["externalId"] }],
    });
  });

  it("has the same key in the service and in the database", async () => {
    const chance = chanceFrom(SEED);
    const ids = Array.from({ length: 500 }, () =>
      respelled(chance, some(chance, [...COMPOSED, ...PLAIN, ...BLANKS], 12)),
    );
    const [row] = await api.database.query(
      "owner",
      `select json_agg(external_id_key(value) order by n)::text as keys
       from json_array_elements_text($1) with ordinality as given(value, n)`,
      [JSON.stringify(ids)],
    );
    expect(JSON.parse(row?.["keys"] ?? "null")).toEqual(ids.map(externalIdKey));
  });
});

describe("Tasks from before external ids had keys", () => {
  it("get them from the migration, and those with the same id keep their own spelling", async () => {
    const old = await freshApi();
    const spellings = ["Zoë", "Zoe\u0308", " Zoë", "Anna", "東京"];
    const ids: string[] = [];
    for (const [index] of spellings.entries()) {
      ids.push((await old.givenTask({ title: `TASK ${index}`, externalId: `old-${index}` })).id);
    }
    await old.database.query("owner", "alter table tasks disable trigger user");
    for (const [index, id] of ids.entries()) {
      const spelling = spellings[index] ?? null;
      await old.database.query(
        "owner",
        "update tasks set external_id = $2, external_id_key = null, title_key = null where id = $1",
        [id, spelling],
      );
    }
    await old.database.query("owner", "alter table tasks enable trigger user");
    const first = "00000000-0000-0000-0000-000000000000";
    await old.database.query("owner", "select fill_task_keys($1, $1, 100)", [first]);

    const rows = await old.database.query(
      "owner",
      "select title_key, external_id_key from tasks where tenant_id = $1 order by id",
      [old.tenant.id],
    );
    expect(rows).toEqual(
      ["Zoë", null, null, "Anna", "東京"].map((key, index) => ({
        title_key: `task ${index}`,
        external_id_key: key,
      })),
    );
    for (const [index, spelling] of spellings.entries()) {
      const path = `/tasks/${encodeURIComponent(`ext:${spelling}`)}`;
      expect(expectDone(await old.call<TaskView>("GET", path)).id).toBe(ids[index]);
    }
    const path = `/tasks/${encodeURIComponent("ext:Zoë ")}`;
    expect(expectDone(await old.call<TaskView>("GET", path)).id).toBe(ids[0]);
    // The events still have the ids of their creation.
    const broken = await brokenInvariants(old.database);
    expect(broken.find(({ name }) => name === "external-ids-have-one-task")?.rows).toEqual(
      [1, 2].map((index) => ({ tenant_id: old.tenant.id, id: ids[index] })),
    );
    expect(broken.map(({ name }) => name)).not.toContain("task-keys-match-their-texts");
  });
});

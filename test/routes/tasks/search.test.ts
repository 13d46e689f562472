import { beforeAll, describe, expect, it, test } from "vitest";
import type { TaskView } from "../../../src/actions/views/task-view.ts";
import {
  expectDone,
  expectProblem,
  freshApi,
  type TestApi,
  type Tenant,
} from "../../support/api.ts";
import { type Chance, chanceFrom } from "../../support/chance.ts";

const SEED = Number(process.env["SEED"] ?? Date.now() % 1_000_000);

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
});

const givenTitles = async (tenant: Tenant, titles: readonly string[]): Promise<void> => {
  const tasks = titles.map((title) => ({ title }));
  const imported = await api.call("POST", "/tasks/import", { tenant, body: { tasks } });
  expect(expectDone(imported)).toMatchObject({ counts: { created: titles.length } });
};

const search = (tenant: Tenant, q: string) =>
  api.call<{ data: TaskView[] }>("GET", `/tasks?limit=200&q=${encodeURIComponent(q)}`, { tenant });

const found = async (tenant: Tenant, q: string): Promise<string[]> =>
  expectDone(await search(tenant, q))
    .data.map(({ title }) => title)
    .toSorted();

const pick = <Item>(chance: Chance, items: readonly Item[]): Item =>
  items[chance.below(items.length)] ?? expect.fail("nothing to pick from");

/** Folds a text as search does. Only for the characters of this test, for which the runtime's mappings suffice. */
const folded = (text: string) =>
  // Letter by letter, because the runtime knows the sigma at the end of a word.
  Array.from(
    Array.from(text.normalize("NFD"), (letter) => letter.toUpperCase()).join(""),
    (letter) => letter.toLowerCase(),
  )
    .join("")
    .normalize("NFC");

const ALPHABET = Array.from("abXYéÉüÜßſЖжΣσςがパ東京猫又大阪서울학교语文ㄅ々ー3 %_\\");

describe(`A search (seed ${SEED})`, () => {
  it("finds exactly the tasks that contain the needle, in any case and composition", async () => {
    const chance = chanceFrom(SEED);
    const tenant = await api.givenTenant();
    const titles = Array.from(
      { length: 120 },
      (_, index) =>
        `${index}:` +
        Array.from({ length: 1 + chance.below(12) }, () =>
          pick(chance, ALPHABET).normalize(pick(chance, ["NFC", "NFD"])),
        ).join(""),
    );
    await givenTitles(tenant, titles);
    let hits = 0;
    for (let count = 0; count < 60; count += 1) {
      const letters = Array.from(folded(pick(chance, titles)).replace(/^\d+:/, ""));
      const length = 2 + chance.below(4);
      const start = chance.below(Math.max(1, letters.length - length + 1));
      const composed = letters.slice(start, start + length).join("");
      const spelled = chance.isHit(0.5) ? composed.toUpperCase() : composed;
      const needle = spelled.normalize(pick(chance, ["NFC", "NFD"]));
      const answer = await search(tenant, needle);
      if (answer.status === 400) continue;
      const expected = titles.filter((title) => `${folded(title)} `.includes(folded(needle)));
      expect([needle, await found(tenant, needle)]).toEqual([needle, expected.toSorted()]);
      hits += expected.length;
    }
    expect(hits).toBeGreaterThan(20);
  });

  it("takes two characters if one of them is Chinese, Japanese or Korean, and three otherwise", async () => {
    const tenant = await api.givenTenant();
    const titles = ["猫又の話", "3月の報告", "서울 지도", "AI 研究", "Cats and dogs", "カタカナ"];
    await givenTitles(tenant, titles);
    const cases: Record<string, string[]> = {
      猫又: ["猫又の話"],
      "3月": ["3月の報告"],
      서울: ["서울 지도"],
      ["서울".normalize("NFD")]: ["서울 지도"],
      研究: ["AI 研究"],
      タカ: ["カタカナ"],
      犬猫: [],
      CAT: ["Cats and dogs"],
    };
    for (const [needle, expected] of Object.entries(cases)) {
      expect([needle, await found(tenant, needle)]).toEqual([needle, expected]);
    }
  });

  test.each([
    "猫",
    "서".normalize("NFD"),
    "が".normalize("NFD"),
    "ab",
    "éé".normalize("NFD"),
    "жо",
    "a",
    "",
  ])("refuses %j, which no index can find", async (needle) => {
    const problem = expectProblem(await search(api.tenant, needle), "validation_failed", 400);
    expect(problem).toMatchObject({ issues: [{ path: ["q"], code: "too_small" }] });
  });

  it("finds no task of another tenant", async () => {
    const [one, other] = [await api.givenTenant(), await api.givenTenant()];
    await givenTitles(one, ["機密の計画", "Confidential plans"]);
    expect(await found(other, "機密")).toEqual([]);
    expect(await found(other, "confidential")).toEqual([]);
  });
});

describe(`Tasks sorted by title (seed ${SEED})`, () => {
  it("ignore case, break ties by id, and no page repeats or misses one", async () => {
    const chance = chanceFrom(SEED);
    const tenant = await api.givenTenant();
    const words = [
      "apple",
      "Apple",
      "APPLE",
      "éclair",
      "ÉCLAIR",
      "E\u0301clair",
      "Zebra",
      "zebra",
      "жук",
      "ЖУК",
      "ß",
      "SS",
    ];
    await givenTitles(
      tenant,
      Array.from({ length: 60 }, () => pick(chance, words)),
    );
    const all = expectDone(
      await api.call<{ data: TaskView[] }>("GET", "/tasks?limit=200&sort=createdAt", { tenant }),
    ).data;
    const codePoints = (text: string) =>
      [...new TextEncoder().encode(folded(text))].map((byte) => String.fromCharCode(byte)).join("");
    const expected = all
      .map(({ id, title }) => ({ id, key: codePoints(title) }))
      .toSorted((one, other) =>
        one.key === other.key ? (one.id < other.id ? -1 : 1) : one.key < other.key ? -1 : 1,
      )
      .map(({ id }) => id);
    interface Page {
      data: TaskView[];
      nextCursor: string | null;
    }
    for (const sort of ["title", "-title"]) {
      const ids: string[] = [];
      let cursor: string | null = "";
      while (cursor !== null) {
        const more: string = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
        const answer = await api.call<Page>("GET", `/tasks?limit=7&sort=${sort}${more}`, {
          tenant,
        });
        const page: Page = expectDone(answer);
        ids.push(...page.data.map(({ id }) => id));
        cursor = page.nextCursor;
      }
      expect(ids).toEqual(sort === "title" ? expected : expected.toReversed());
    }
  });
});

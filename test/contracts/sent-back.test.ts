import { beforeAll, describe, expect, it, test } from "vitest";
import type { TaskView } from "../../src/actions/views/task-view.ts";
import { expectDone, expectProblem, freshApi, type TestApi } from "../support/api.ts";
import { type Chance, chanceFrom } from "../support/chance.ts";

const SEED = Number(process.env["SEED"] ?? Date.now() % 1_000_000);

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
});

/** Creates a task whose metadata is this JSON text. Returns the metadata of the answer, as text and parsed. */
async function answered(metadata: string): Promise<{ text: string; value: unknown }> {
  const body = `{"title":"Numbers","content":{"metadata":${metadata}}}`;
  const { id } = expectDone(await api.call<TaskView>("POST", "/tasks", { body }), 201);
  const answer = await api.call<{ content: { metadata: unknown } }>(
    "GET",
    `/tasks/${id}/versions/1`,
  );
  const { content } = expectDone(answer);
  const text = /"metadata":(\{.*?\})\}/.exec(answer.text)?.[1] ?? expect.fail("no metadata");
  return { text, value: content.metadata };
}

/** A double that looks like those of examples, of measurements and of bit patterns. */
function someNumber(chance: Chance): number {
  const [buffer] = [new DataView(new ArrayBuffer(8))];
  buffer.setUint32(0, chance.below(2 ** 32));
  buffer.setUint32(4, chance.below(2 ** 32));
  const bits = buffer.getFloat64(0);
  const kinds = [
    Number.isFinite(bits) ? bits : 0,
    Number(`${1 + chance.below(99)}e${chance.below(40)}`),
    Number(`${chance.below(1000)}.${chance.below(1000)}e${chance.below(30) - 15}`),
    2 ** chance.below(1000) * (chance.isHit(0.5) ? 1 : -1),
    Number.MAX_SAFE_INTEGER + 1 + 2 * chance.below(1000),
    -chance.below(10),
  ];
  return kinds[chance.below(kinds.length)] ?? 0;
}

describe(`What the service answers, it accepts (seed ${SEED})`, () => {
  it("as numbers in free JSON, which come back equal from one answer to the next", async () => {
    const chance = chanceFrom(SEED);
    const numbers = [1e19, 1.7e18, 1e23, 2 ** 53, 2 ** 70, 5e-324, 1.7976931348623157e308, 0.1];
    for (let count = 0; count < 300; count += 1) numbers.push(someNumber(chance));
    const sent = { numbers };
    const first = await answered(JSON.stringify(sent));
    expect(first.value).toEqual(JSON.parse(JSON.stringify(sent)));
    const second = await answered(first.text);
    expect(second).toEqual(first);
  });

  test.each(["1e19", "1.7e18", "1E+19", "10000000000000000000", "1.0", "-0", "0.1", "5e-324"])(
    "%s is accepted, and is the same number in the answer",
    async (literal) => {
      const { value } = await answered(`{"n":${literal}}`);
      // The sign of zero is lost in JSON.stringify already.
      expect(value).toEqual({ n: Number(literal) + 0 });
    },
  );

  test.each([
    "9007199254740993",
    "10000000000000001",
    "12345678901234567890",
    "9007199254740993.0",
    "9007199254740993e0",
    "900719925474099.3e1",
    "1e400",
    "-1e400",
    "1e-400",
  ])(
    "%s is refused with its path, because it would come back as another number",
    async (literal) => {
      const body = `{"title":"x","content":{"metadata":{"deep":[1,{"n":${literal}}]}}}`;
      const problem = expectProblem(
        await api.call("POST", "/tasks", { body }),
        "validation_failed",
        400,
      );
      expect(problem).toMatchObject({
        issues: [{ path: ["content", "metadata", "deep", 1, "n"], code: "number_out_of_range" }],
      });
    },
  );

  it("as text in any normalization, which it does not change", async () => {
    const chance = chanceFrom(SEED);
    const letters = [
      "é",
      "e\u0301",
      "Å",
      "\u212b",
      "が",
      "か\u3099",
      "서울",
      "ﬁ",
      "👩‍💻",
      "\u200f",
      "豈",
    ];
    for (let count = 0; count < 10; count += 1) {
      const text = `x${Array.from({ length: 8 }, () => letters[chance.below(letters.length)]).join("")}`;
      const task = await api.givenTask({ title: text, content: { brief: text } });
      expect(task.title).toBe(text);
      const path = `/tasks/${task.id}`;
      expectDone(await api.call("POST", `${path}/notes`, { body: { text } }), 201);
      const history = await api.call<{ data: { payload: { text?: string } }[] }>(
        "GET",
        `${path}/events`,
      );
      expect(expectDone(history).data.at(-1)?.payload.text).toBe(text);
      expectDone(await api.call("PATCH", path, { body: { title: task.title } }));
    }
  });

  it("as times, in filters, with any offset, and a date alone as that day", async () => {
    const tenant = await api.givenTenant();
    const tasks = [];
    for (let count = 0; count < 3; count += 1) {
      const made = await api.call<TaskView>("POST", "/tasks", {
        tenant,
        body: { title: `${count}` },
      });
      tasks.push(expectDone(made, 201));
    }
    const [, middle] = tasks;
    const at = middle?.createdAt ?? expect.fail("no task");
    const elsewhere = at.replace("Z", "+00:00");
    const ids = async (query: string) => {
      const answer = await api.call<{ data: TaskView[] }>("GET", `/tasks?sort=createdAt&${query}`, {
        tenant,
      });
      return expectDone(answer).data.map(({ title }) => title);
    };
    for (const time of [at, encodeURIComponent(elsewhere), elsewhere]) {
      expect(await ids(`createdAfter=${time}`)).toEqual(["2"]);
      expect(await ids(`createdBefore=${time}`)).toEqual(["0"]);
    }
    const day = at.slice(0, 10);
    const next = new Date(Date.parse(day) + 86_400_000).toISOString().slice(0, 10);
    expect(await ids(`createdAfter=${day}&createdBefore=${next}`)).toEqual(["0", "1", "2"]);
    expect(await ids(`createdAfter=${next}`)).toEqual([]);
    expect(await ids(`createdBefore=${day}`)).toEqual([]);
    const stats = await api.call("GET", `/stats/outcomes?from=${day}&to=${next}`, { tenant });
    expect(expectDone(stats)).toMatchObject({ tasks: 3, from: `${day}T00:00:00.000000Z` });
    const asOf = await api.call<TaskView>(
      "GET",
      `/tasks/${middle?.id}?asOf=${encodeURIComponent(elsewhere)}`,
      { tenant },
    );
    expect(expectDone(asOf).id).toBe(middle?.id);
  });
});

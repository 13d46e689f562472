import { describe, expect, test } from "vitest";
import { detectMapping, mapRecord, titleFrom } from "../../scripts/import/mappings.ts";
import type { FileRecord } from "../../scripts/import/reading.ts";

const context = { fileName: "spring tasks.jsonl", start: null };
const recordOf = (value: unknown, number = 3): FileRecord => ({ number, line: number + 10, value });

const TEXT = "text/plain; charset=utf-8";

const gsm8kLine = {
  question: "A shelf holds 12 jars.  Half of them are full.\nHow many are empty?",
  ground_truth: "12 / 2 = 6\nA: 6",
  "6b_finetuning": { is_correct: false, solution: "A: 7" },
  "6b_verification": { is_correct: true, solution: "A: 6" },
  "175b_finetuning": { is_correct: false, solution: "A: 5" },
  "175b_verification": { is_correct: true, solution: "A: 6" },
};

const GSM8K_ID = expect.stringMatching(/^gsm8k-[0-9a-f]{32}$/) as string;

describe("a line of GSM8K", () => {
  test("becomes a task with a golden answer and an evaluation of four models with their outputs", () => {
    expect(mapRecord("gsm8k", recordOf(gsm8kLine, 42), context)).toEqual({
      line: 52,
      externalId: GSM8K_ID,
      isIdDerived: true,
      body: {
        externalId: GSM8K_ID,
        title: "A shelf holds 12 jars. Half of them are full. How many are empty?",
        taxonomyCode: "math.word_problem",
        content: {
          instructions: gsm8kLine.question,
          metadata: { source: { dataset: "gsm8k" } },
        },
      },
      work: {
        data: [{ kind: "golden", text: gsm8kLine.ground_truth, contentType: TEXT }],
        evals: [
          {
            name: "gsm8k",
            k: 1,
            trials: [
              { k: 1, model: "6b_finetuning", passed: false, output: "A: 7" },
              { k: 1, model: "6b_verification", passed: true, output: "A: 6" },
              { k: 1, model: "175b_finetuning", passed: false, output: "A: 5" },
              { k: 1, model: "175b_verification", passed: true, output: "A: 6" },
            ],
          },
        ],
      },
    });
  });

  test("is recognized by its shape only", () => {
    expect(detectMapping(gsm8kLine)).toBe("gsm8k");
    expect(detectMapping({ ...gsm8kLine, "6b_finetuning": undefined })).toBe("auto");
    expect(detectMapping({ title: "A task" })).toBe("auto");
    expect(detectMapping(null)).toBe("auto");
  });

  test("reports what is missing", () => {
    const mapped = mapRecord("gsm8k", recordOf({ ...gsm8kLine, question: "" }, 7), context);
    expect(mapped).toMatchObject({
      externalId: null,
      issues: [{ path: ["question"], code: "too_small" }],
    });
  });
});

describe("a record in the service's own shape", () => {
  test("is sent unchanged", () => {
    const body = {
      externalId: "a-1",
      title: "A",
      priority: "high",
      content: { brief: "b" },
      odd: 1,
    };
    expect(mapRecord("auto", recordOf(body), context)).toEqual({
      line: 13,
      externalId: "a-1",
      isIdDerived: false,
      body,
      work: { data: [], evals: [] },
    });
  });

  test("gets an external id made of its content if it has none", () => {
    const mapped = mapRecord("auto", recordOf({ title: "A", externalId: null }), context);
    const derived = expect.stringMatching(/^record-[0-9a-f]{32}$/) as string;
    expect(mapped).toEqual({
      line: 13,
      externalId: derived,
      isIdDerived: true,
      body: { externalId: derived, title: "A" },
      work: { data: [], evals: [] },
    });
    const { externalId } = mapped;
    const idOf = (value: object, number = 3) =>
      mapRecord("auto", recordOf(value, number), { ...context, fileName: "other.csv" }).externalId;
    const golden = (text: string) => ({ kind: "golden", text });
    const evals = [{ name: "e", k: 1, trials: [{ k: 1, model: "m", passed: true }] }];
    // Neither the file, nor the position, nor what happens to a task changes its identity.
    for (const same of [
      { title: "A" },
      { title: "A", priority: 7, assignee: "ana" },
      { title: "A", evals },
      { title: "A", data: [{ kind: "generated", text: "An output" }] },
    ]) {
      expect(idOf(same, 99), JSON.stringify(same)).toBe(externalId);
    }
    // What the task is does.
    const others = [
      { title: "B" },
      { title: "A", taxonomyCode: "x" },
      { title: "A", content: { brief: "A" } },
      { title: "A", content: { instructions: "A" } },
      { title: "A", content: { metadata: { a: 1, b: 2 } } },
      { title: "A", data: [golden("1")] },
      { title: "A", data: [golden("2")] },
      { title: "A", data: [golden("1"), golden("2")] },
      { title: "A", data: [{ kind: "source", text: "1" }] },
    ].map((other) => idOf(other));
    expect(new Set([externalId, ...others]).size).toBe(others.length + 1);
    expect(idOf({ content: { metadata: { b: 2, a: 1 } }, title: "A" })).toBe(others[4]);
  });

  test("gets the first words of its instructions as the title if it has none", () => {
    const content = { instructions: "Count the\tbirds\nthen stop", brief: "birds" };
    expect(mapRecord("auto", recordOf({ content }), context)).toMatchObject({
      body: { title: "Count the birds then stop", content },
    });
    expect(mapRecord("auto", recordOf({ content: { brief: "birds" } }), context)).toMatchObject({
      body: { title: "birds" },
    });
    const blank = mapRecord("auto", recordOf({ content: { brief: "  " } }), context);
    expect(blank.body).not.toHaveProperty("title");
  });

  test.each([["text"], [7], [null], [["list"]]])("must be an object, not %j", (value) => {
    const mapped = mapRecord("auto", recordOf(value), context);
    expect(mapped).toMatchObject({
      externalId: null,
      issues: [{ path: [], code: "invalid_type" }],
    });
  });

  test("must have a string as its external id", () => {
    const mapped = mapRecord("auto", recordOf({ title: "A", externalId: 7 }), context);
    expect(mapped).toMatchObject({ issues: [{ path: ["externalId"], code: "invalid_type" }] });
  });
});

describe("the data and evals of a record", () => {
  test("are split off from the body", () => {
    const trials = [{ k: 2, model: "m", modelRevision: "r", error: "timeout" }];
    const evals = [{ name: "e", k: 2, trials }];
    const data = [{ kind: "source", text: "t", contentType: "text/markdown", provider: "p" }];
    const mapped = mapRecord(
      "auto",
      recordOf({ title: "A", externalId: "a", data, evals }),
      context,
    );
    expect(mapped).toEqual({
      line: 13,
      externalId: "a",
      isIdDerived: false,
      body: { title: "A", externalId: "a" },
      work: { data, evals },
    });
  });

  test("are reported with their path if they are invalid, and the task is not sent without them", () => {
    const data = [
      { kind: "golden", text: "t" },
      { kind: "gold", text: "t" },
    ];
    const evals = [{ name: "e", k: 1, trials: [{ k: 1, passed: true }] }];
    const mapped = mapRecord(
      "auto",
      recordOf({ title: "A", externalId: "a", data, evals }),
      context,
    );
    expect(mapped).toMatchObject({
      externalId: "a",
      issues: [
        { path: ["data", 1, "kind"], code: "invalid_value" },
        { path: ["evals", 0, "trials", 0, "model"], code: "invalid_type" },
      ],
    });
    expect(mapped).not.toHaveProperty("body");
  });
});

test("a record is not sent if parsing would have changed it", () => {
  const issues = [{ path: ["title"], code: "duplicate_key", message: "The key occurs twice." }];
  const record = { ...recordOf({ title: "A", externalId: "a" }), issues };
  expect(mapRecord("auto", record, context)).toEqual({ line: 13, externalId: "a", issues });
});

test("a task starts at the stage given by the command, with the file as the reason", () => {
  const start = { ...context, start: "output_generation" as const };
  expect(mapRecord("auto", recordOf({ title: "A" }), start)).toMatchObject({
    body: {
      start: { kind: "output_generation", reason: "Imported from spring tasks.jsonl." },
    },
  });
});

describe("a title from a text", () => {
  test("is the text itself if that is short", () => {
    expect(titleFrom("  Count the birds. ")).toBe("Count the birds.");
  });

  test("ends with a whole word", () => {
    const title = titleFrom("word ".repeat(40));
    expect(title).toBe(`${"word ".repeat(16).trim()}…`);
  });

  test("does not cut a surrogate pair in half if there is no space", () => {
    const title = titleFrom(`a${"🙂".repeat(60)}`);
    expect(title.isWellFormed()).toBe(true);
    expect(title).toBe(`a${"🙂".repeat(39)}…`);
  });

  test("is one line without control characters", () => {
    expect(titleFrom("one\r\n\u0000two\u0085three")).toBe("one two three");
  });
});

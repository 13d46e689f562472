import { describe, expect, test } from "vitest";
import { RECORD_LENGTH_MAX } from "../../scripts/import/reading.ts";
import { detectFormat, type FileFormat, readRecords } from "../../scripts/import/records.ts";
import { gather, temporaryFiles } from "../support/node/temporary-files.ts";

const givenFile = temporaryFiles();

async function read(format: FileFormat, content: string | Uint8Array, name = "file") {
  return gather(readRecords(await givenFile(name, content), format));
}

describe("JSON Lines", () => {
  test("yields each line as a record, with its number and its line", async () => {
    expect(await read("json-lines", '{"a":1}\n\n  \n{"a":2}\r\n{"a":3}')).toEqual([
      { number: 1, line: 1, value: { a: 1 } },
      { number: 2, line: 4, value: { a: 2 } },
      { number: 3, line: 5, value: { a: 3 } },
    ]);
  });

  test("skips a byte order mark and keeps line separators inside strings", async () => {
    expect(await read("json-lines", '\uFEFF{"a":"one\u2028line\u2029\u0085still"}\n')).toEqual([
      { number: 1, line: 1, value: { a: "one\u2028line\u2029\u0085still" } },
    ]);
  });

  test("reports the line and column of every line that is not JSON, and reads the others", async () => {
    const lines = ['{"a": bad}', '{"a":1}', '{"a":"x', "{'a':1}", '{"a":1}x', '{"a":1,'];
    expect(await read("json-lines", lines.join("\n"))).toEqual([
      { line: 1, column: 7, fault: "Unexpected token 'b'" },
      { number: 2, line: 2, value: { a: 1 } },
      { line: 3, column: 8, fault: "Unterminated string" },
      { line: 4, column: 2, fault: "Expected property name or '}'" },
      { line: 5, column: 8, fault: "Unexpected non-whitespace character after JSON" },
      { line: 6, column: 8, fault: "Expected double-quoted property name" },
    ]);
  });

  test("finds the unexpected token in a long line", async () => {
    const before = `{"text":"${"word ".repeat(20_000)}","number":`;
    const [fault] = await read("json-lines", `${before}NaN}`);
    expect(fault).toEqual({ line: 1, column: before.length + 1, fault: "Unexpected token 'N'" });
  });

  test("reports duplicate keys, numbers that would change and deep nesting", async () => {
    const [duplicate, number, deep] = await read(
      "json-lines",
      `{"a":1,"b":{"c":1,"c":2}}\n{"a":9007199254740993}\n${"[".repeat(40)}${"]".repeat(40)}`,
    );
    expect(duplicate).toMatchObject({ issues: [{ path: ["b", "c"], code: "duplicate_key" }] });
    expect(number).toMatchObject({ issues: [{ path: ["a"], code: "number_out_of_range" }] });
    expect(deep).toMatchObject({ issues: [{ path: [], code: "json_too_deep" }] });
  });

  test("keeps characters intact that are split between chunks", async () => {
    const texts = Array.from(
      { length: 9000 },
      (_, index) => `${"ä".repeat(index % 7)}漢🙂${index}`,
    );
    const content = texts.map((text) => JSON.stringify({ text })).join("\n");
    const records = await read("json-lines", `${content}\n`);
    expect(records).toHaveLength(texts.length);
    expect(records.map((record) => "value" in record && record.value)).toEqual(
      texts.map((text) => ({ text })),
    );
  });

  test("reports the position that is not UTF-8", async () => {
    const bytes = Buffer.concat([
      Buffer.from('{"a":1}\n{"b":"gr'),
      Buffer.from([0xfc, 0xdf, 0x65]),
    ]);
    expect(await read("json-lines", bytes)).toEqual([
      {
        line: 2,
        column: 9,
        fault: "The text is not UTF-8. Save the file in that encoding",
      },
    ]);
  });

  test("reports the position of an incomplete character at the end of the file", async () => {
    const bytes = Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xe6, 0xbc])]);
    expect(await read("json-lines", bytes)).toMatchObject([{ line: 1, column: 7 }]);
  });

  test("stops at a line that is too long for a task, before it fills the memory", async () => {
    const content = `{"a":1}\n{"a":"${"x".repeat(RECORD_LENGTH_MAX + 1)}`;
    const [first, second] = await read("json-lines", content);
    expect(first).toMatchObject({ number: 1 });
    expect(second).toMatchObject({ line: 2, column: null });
  });

  test("yields nothing for an empty file", async () => {
    expect(await read("json-lines", "")).toEqual([]);
  });
});

describe("a JSON array", () => {
  test("yields each element, wherever its line breaks are and whatever it contains", async () => {
    const content = `\uFEFF
      [ {"a": "],}[{\\"", "b": [1, {"c": 2}]},
        "text \\\\", 3,
        {
          "a": 4
        } ]
    `;
    expect(await read("json-array", content)).toEqual([
      { number: 1, line: 2, value: { a: '],}[{"', b: [1, { c: 2 }] } },
      { number: 2, line: 3, value: "text \\" },
      { number: 3, line: 3, value: 3 },
      { number: 4, line: 4, value: { a: 4 } },
    ]);
  });

  test("is read correctly from one long line in many chunks", async () => {
    const values = Array.from({ length: 20_000 }, (_, index) => ({
      index,
      text: `"${index}" 漢,]`,
    }));
    const records = await read("json-array", JSON.stringify(values));
    expect(records.map((record) => "value" in record && record.value)).toEqual(values);
  });

  test("can be empty", async () => {
    expect(await read("json-array", " [ \n ] ")).toEqual([]);
  });

  test.each([
    ["", { line: 1, column: 1, fault: "The file has no JSON array" }],
    ['{"a":1}', { line: 1, column: 1, fault: "A JSON array must begin with [" }],
    ["[1,\n2", { line: 2, column: 2, fault: "The file ends before the array does" }],
    ["[1,\n]", { line: 2, column: 1, fault: "An element is missing here" }],
    ["[1,,2]", { line: 1, column: 4, fault: "An element is missing here" }],
    ["[1]\n[2]", { line: 2, column: 1, fault: "There is text after the end of the array" }],
    ['[{"a":\n  nope}]', { line: 2, column: 4, fault: "Unexpected token 'o'" }],
    ["[{]]", { line: 1, column: 3, fault: "Expected property name or '}'" }],
  ])("reports the position of a fault: %j", async (content, fault) => {
    const readings = await read("json-array", content);
    expect(readings.filter((reading) => "fault" in reading)).toContainEqual(fault);
  });
});

describe("CSV", () => {
  test("maps columns to fields by the names that people use", async () => {
    const content =
      "\uFEFFTitle,External ID,taxonomy_code,Priority,brief,instructions,metadata.answer,Source\r\n" +
      'One,x-1,math,7,short,"Say ""hi"",\nthen go",42,book\r\n' +
      "\r\n" +
      "Two,,,high,,,,\r\n";
    expect(await read("csv", content)).toEqual([
      {
        number: 1,
        line: 2,
        value: {
          title: "One",
          externalId: "x-1",
          taxonomyCode: "math",
          priority: 7,
          content: {
            brief: "short",
            instructions: 'Say "hi",\nthen go',
            metadata: { answer: "42", Source: "book" },
          },
        },
      },
      { number: 2, line: 5, value: { title: "Two", priority: "high" } },
    ]);
  });

  test("is separated by tabs if the file's name ends in .tsv", async () => {
    const records = await read("csv", "id\tinstructions\n7\tCount, then stop\n", "file.tsv");
    expect(records).toEqual([
      {
        number: 1,
        line: 2,
        value: { externalId: "7", content: { instructions: "Count, then stop" } },
      },
    ]);
  });

  test.each([
    ["title,brief\na,b\nc\n", 3, "Invalid Record Length"],
    ['title\n"a\nb\n', 3, "Quote Not Closed"],
    ['title\n"a"b\n', 2, "Invalid Closing Quote"],
    ["title,Title\na,b\n", 1, 'The columns "title" and "Title" have the same meaning'],
    ["name;text\na;b\n", 1, "The header has none of title, instructions and brief"],
  ])("reports the line of a fault: %j", async (content, line, fault) => {
    const readings = await read("csv", content);
    expect(readings.at(-1)).toMatchObject({
      line,
      column: null,
      fault: expect.stringContaining(fault),
    });
  });

  test("reports the line that is not UTF-8", async () => {
    const bytes = Buffer.concat([Buffer.from("title\none\ngr"), Buffer.from([0xfc, 0x6e])]);
    expect(await read("csv", bytes)).toContainEqual(
      expect.objectContaining({ line: 3, column: 3 }),
    );
  });
});

test.each([
  ["a.jsonl", "[1]", "json-lines"],
  ["a.NDJSON", "", "json-lines"],
  ["a.csv", "[", "csv"],
  ["a.tsv", "", "csv"],
  ["a.json", " \n [1]", "json-array"],
  ["a.json", '{"a":1}', "json-lines"],
  ["a.json", "", "json-lines"],
  ["a", '\uFEFF{"a":1}', "json-lines"],
  ["a.txt", "[", "json-array"],
  ["a.txt", "title,brief", "csv"],
])("detects that %s with the content %j is %s", async (name, content, format) => {
  expect(await detectFormat(await givenFile(name, content))).toBe(format);
});

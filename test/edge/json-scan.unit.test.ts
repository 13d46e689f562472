import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { scanJson } from "../../src/routes/http/json-scan.ts";
import { parseJson } from "../../src/routes/http/json-body.ts";

const parse = (text: string) => parseJson(new TextEncoder().encode(text));

/** Returns the text's error code with its first issue, or "none". */
function errorOf(text: string): string {
  const parsed = parse(text);
  if (parsed.ok) return "none";
  return parsed.fault.code === "validation_failed"
    ? `validation_failed ${parsed.fault.issues[0]?.code} at ${parsed.fault.issues[0]?.path.join(".")}`
    : parsed.fault.code;
}

describe("JSON that both JSON.parse and the service accept", () => {
  test("has the value that JSON.parse returns", () => {
    fc.assert(
      fc.property(storableJson(5), fc.constantFrom(undefined, 1, "\t"), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        expect(parse(text)).toEqual({ ok: true, value: JSON.parse(text) });
      }),
      { numRuns: 2000 },
    );
  });

  test("keeps its value with every kind of escape", () => {
    const escape = fc.constantFrom(
      "\\n",
      '\\"',
      "\\\\",
      "\\/",
      "\\u00e9",
      "\\ud83d\\ude00",
      "é",
      "😀",
      "x",
    );
    fc.assert(
      fc.property(fc.array(escape), fc.array(escape), (key, value) => {
        const text = `{"${key.join("")}":["${value.join("")}"]}`;
        expect(parse(text)).toEqual({ ok: true, value: JSON.parse(text) });
      }),
    );
  });

  test("may be nested 32 levels deep", () => {
    expect(errorOf(`${"[".repeat(32)}${"]".repeat(32)}`)).toBe("none");
  });

  test("may contain brackets in strings and the same key in different objects", () => {
    expect(errorOf(`{"a":"${"[{".repeat(50)}","b":{"a":1},"c":[{"a":1},{"a":1}]}`)).toBe("none");
  });

  test("may contain the largest exact numbers", () => {
    const numbers =
      "[9007199254740991,-9007199254740991,1.5e300,0.1,-0,0e5,1e-300,123456789.123456789]";
    expect(errorOf(numbers)).toBe("none");
  });
});

/** Returns a literal that has another value than this one, in its last digit. */
function neighborOf(literal: string, digit: number): string {
  const last = Number(literal.at(-1));
  return literal.slice(0, -1) + String((last + 1 + (digit % 9)) % 10);
}

describe("an integer", () => {
  const spelled = fc.tuple(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.nat(4));

  test("is accepted as JavaScript and as Postgres print it, in every notation", () => {
    fc.assert(
      fc.property(spelled, ([some, form]) => {
        const value = Math.trunc(some);
        const integer = BigInt(value).toString();
        const printed = JSON.stringify(value);
        const [digits = "", exponent = "0"] = value.toExponential().split("e");
        const literal = [integer, printed, `${integer}.0`, `${digits}E${exponent}`, `${integer}e0`][
          form
        ];
        expect(errorOf(`[${literal}]`)).toBe("none");
      }),
      { numRuns: 3000 },
    );
  });

  test("is accepted exactly if it comes back equal", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 25n), max: 10n ** 25n }), fc.nat(8), (value, digit) => {
        for (const literal of [value.toString(), neighborOf(value.toString(), digit)]) {
          const double = Number(literal);
          const isEqual =
            BigInt(double) === BigInt(literal) ||
            BigInt(
              double.toLocaleString("en", { useGrouping: false, maximumFractionDigits: 0 }),
            ) === BigInt(literal);
          expect([literal, errorOf(literal) === "none"]).toEqual([literal, isEqual]);
        }
      }),
      { numRuns: 3000 },
    );
  });

  test("of any length is judged in linear time", () => {
    const zeros = "0".repeat(1_000_000);
    expect(errorOf(`1.${zeros}`)).toBe("none");
    expect(errorOf(`1.${zeros}1`)).toBe("none");
    expect(errorOf(`1${zeros}e-1000000`)).toBe("none");
  });
});

describe("JSON that JSON.parse accepts and the service rejects", () => {
  test.each([
    ["33 levels", `${"[".repeat(33)}${"]".repeat(33)}`],
    ["50,000 levels", `${"[".repeat(50_000)}${"]".repeat(50_000)}`],
    ["50,000 levels of objects", `${'{"a":'.repeat(50_000)}1${"}".repeat(50_000)}`],
  ])("%s is json_too_deep", (_name, text) => {
    expect(errorOf(text)).toBe("json_too_deep");
  });

  test.each([
    ["side by side", '{"run":false,"run":true}', ["run"]],
    ["with others between", '{"run":false,"x":[{"run":1}],"run":true}', ["run"]],
    ["spelled with an escape", '{"run":false,"\\u0072un":true}', ["run"]],
    ["in a nested object", '[0,{"a":[1,{"b":1,"b":2}]}]', [1, "a", 1, "b"]],
    ["the empty key", '{"":1,"":2}', [""]],
    ["__proto__", '{"__proto__":1,"__proto__":2}', ["__proto__"]],
  ])("a duplicate key, %s, is duplicate_key with its path", (_name, text, path) => {
    expect(parse(text)).toEqual({ ok: false, fault: { code: "duplicate_key", path } });
  });

  test("a fault is reported with its path, whatever precedes it", () => {
    const faults = [
      ['{"x":1,"x":2}', "duplicate_key"],
      ['{"x":"\\u0000"}', "validation_failed invalid_text at 1.x"],
      ['{"x":1e999}', "validation_failed number_out_of_range at 1.x"],
      ["[".repeat(40) + "]".repeat(40), "json_too_deep"],
    ] as const;
    const before = fc.oneof(storableJson(4), fc.constantFrom('"', "\\", '\\"', '\\\\"\\', "\n{[,"));
    fc.assert(
      fc.property(before, fc.constantFrom(...faults), (value, [fault, error]) => {
        expect(errorOf(`[${JSON.stringify(value)},${fault}]`)).toBe(error);
      }),
      { numRuns: 1000 },
    );
  });

  test("keys of a large object do not carry over to the next object", () => {
    const large = `{${Array.from({ length: 100 }, (_, index) => `"key${index}":0`).join()}}`;
    expect(errorOf(`[${large},${large},{"key1":0}]`)).toBe("none");
    expect(errorOf(`[${large},{"key1":0,"key2":0,"key1":0}]`)).toBe("duplicate_key");
  });

  test("a duplicate key is found anywhere among thousands of keys", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 3000 }), fc.nat(), (size, seed) => {
        const keys = Array.from({ length: size }, (_, index) => `key${index}`);
        const duplicate = keys[seed % size] ?? "key0";
        const members = [...keys, duplicate].map((key) => `"${key}":0`);
        expect(scanJson(`{${members.join()}}`).duplicateKey).toEqual([duplicate]);
        expect(scanJson(`{${members.slice(0, -1).join()}}`).duplicateKey).toBeNull();
      }),
      { numRuns: 50 },
    );
  });

  test.each([
    ["NUL in a value", '{"title":"a\\u0000b"}', "invalid_text at title"],
    ["NUL in a key", '{"a\\u0000":1}', "invalid_text at a\0"],
    ["a lone high surrogate", '{"a":["x","\\ud800"]}', "invalid_text at a.1"],
    ["a lone low surrogate", '["\\udc00\\ud800"]', "invalid_text at 0"],
    ["a number beyond every double", '{"n":1e999999}', "number_out_of_range at n"],
    ["a negative number beyond every double", "[-1e400]", "number_out_of_range at 0"],
    [
      "an integer that a double would round",
      '{"n":{"m":9007199254740993}}',
      "number_out_of_range at n.m",
    ],
    ["the same with a point", "9007199254740993.0", "number_out_of_range at "],
    ["the same with an exponent", "9007199254740993e0", "number_out_of_range at "],
    [
      "an integer of which a double keeps 17 digits",
      "[12345678901234567890]",
      "number_out_of_range at 0",
    ],
    ["a number that a double would round to zero", "[0,1e-999999]", "number_out_of_range at 1"],
  ])("%s is validation_failed with the rule and the path", (_name, text, issue) => {
    expect(errorOf(text)).toBe(`validation_failed ${issue}`);
  });
});

describe("text that JSON.parse rejects", () => {
  test.each([
    "{bad",
    "",
    "[1,]",
    '{"a" 1}',
    "01",
    "'x'",
    '"\t"',
    "NaN",
    "[1] 2",
    '{"a":1}}',
    '"\\x"',
  ])("%j is malformed_json", (text) => {
    expect(errorOf(text)).toBe("malformed_json");
  });

  test("is malformed_json if it is not UTF-8 or starts with a byte order mark", () => {
    for (const bytes of [
      [0x22, 0xff, 0x22],
      [0x22, 0xed, 0xa0, 0x80, 0x22],
      [0xef, 0xbb, 0xbf, 0x31],
    ]) {
      const parsed = parseJson(Uint8Array.from(bytes));
      expect(parsed).toMatchObject({ ok: false, fault: { code: "malformed_json" } });
    }
  });

  test("is never accepted, and no mutation of JSON throws or is parsed differently", () => {
    const mutation = fc.record({
      at: fc.nat(),
      remove: fc.nat({ max: 3 }),
      insert: fc.constantFrom(
        "",
        '"',
        "\\",
        "\\u",
        "\\ud800",
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "e",
        "-",
        "0",
        "\0",
      ),
    });
    fc.assert(
      fc.property(
        storableJson(4),
        fc.array(mutation, { minLength: 1, maxLength: 6 }),
        (value, mutations) => {
          let text = JSON.stringify(value);
          for (const { at, remove, insert } of mutations) {
            const position = at % (text.length + 1);
            text = text.slice(0, position) + insert + text.slice(position + remove);
          }
          const parsed = parse(text);
          const expected = parsed.ok ? JSON.parse(text.toWellFormed()) : null;
          expect(parsed.ok ? parsed.value : null).toEqual(expected);
        },
      ),
      { numRuns: 5000 },
    );
  });

  test("never throws, even as arbitrary bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(parseJson(bytes)).toHaveProperty("ok");
      }),
      { numRuns: 2000 },
    );
  });
});

/** Random JSON whose text and numbers Postgres stores unchanged. */
function storableJson(depth: number) {
  const text = fc
    .string({ unit: "grapheme" })
    .map((value) => value.toWellFormed().replaceAll("\0", ""));
  const number = fc.oneof(fc.maxSafeInteger(), fc.double({ min: -1e15, max: 1e15, noNaN: true }));
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: depth, withCrossShrink: true },
      fc.constantFrom(null, true, false),
      text,
      number.map((double) => (Number.isInteger(double) ? Math.trunc(double) : double)),
      fc.array(tie("value"), { maxLength: 8 }),
      fc.dictionary(text, tie("value"), { maxKeys: 20, noNullPrototype: true }),
    ),
  }));
  return value;
}

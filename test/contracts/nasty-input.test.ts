import { beforeAll, describe, expect, inject, test } from "vitest";
import * as z from "zod";
import { type Answer, freshApi, type TestApi } from "../support/api.ts";
import { silenceLog } from "../support/model/quiet.ts";
import { type Sample, titleOf } from "../support/samples/sample.ts";
import { SAMPLES } from "../support/samples/samples.ts";
import { contractOf, type Named, namesIn, sendSample } from "../support/samples/send-sample.ts";
import { givenThings } from "../support/samples/things.ts";

silenceLog();

/** Text that a cast, a pattern or a parser could stumble over. Each is a whole value of a parameter. */
const ANY_TEXTS = [
  "",
  "null",
  "'\"",
  "\\%\\_%_",
  "((((((((",
  "a".repeat(3000),
  "𝕏".repeat(100),
  "\u202e\u200b",
  "\u0000",
  // Numbers beyond int, bigint, numeric and double.
  "-1",
  "2147483648",
  "9".repeat(300),
  "1e400",
  "NaN",
];
/** Moments beyond the calendar, the clock and the parser. */
const MOMENTS = [
  `2026-01-01T00:00:00.${"0".repeat(300)}Z`,
  "0000-01-01T00:00:00Z",
  "0001-01-01T00:00:00Z",
  "9999-12-31T23:59:59.999999999Z",
  "10000-01-01T00:00:00Z",
  "+294277-01-01T00:00:00Z",
  "2026-02-30T00:00:00Z",
  "2016-12-31T23:59:60Z",
  "2026-01-01T00:00:00+99:99",
  "infinity",
];
/** Names of tasks and points in their history. */
const REFERENCES = [`ext:${"%".repeat(200)}`, "seq:2147483647", "seq:9999999999"];
/** Spellings of a UUID. */
const UUIDS = [
  "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF",
  "{01932d4a-7c3e-7b11-9a42-5d0c9e6f1a20}",
  "01932d4a7c3e7b119a425d0c9e6f1a20",
];
const NASTY_TEXTS = [...ANY_TEXTS, ...MOMENTS, ...REFERENCES, ...UUIDS];
const NASTY_NUMBERS = [
  -1, 0, 1.5, 1e-320, 2147483647, 2147483648, -2147483649, 9007199254740991, -9007199254740991,
  1e300,
];
const NASTY_HEADERS: Readonly<Record<string, readonly string[]>> = {
  "if-match": ['"0"', '"2147483648"', '"999999999999999"', '"9999999999999999"', '"-1"'],
  "if-none-match": ["*", '"', ",,,", '"999999999999999"'],
  "if-range": ['"', "Wed, 99 Foo 2026 00:00:00 GMT"],
  "last-event-id": ["", "now", "9".repeat(300), "%00"],
  range: ["bytes=0-", "bytes=9999999999999999999-", "bytes=-0", "bytes=5-1", "bytes=0-1,3-4"],
  "x-request-id": ["x".repeat(1000), "%00"],
  "idempotency-key": ["k".repeat(255), "'", "%"],
};

/** For values that must be one of a few words or of one form: most nasty texts are refused alike. */
const FEW_TEXTS = ["", "null", "a".repeat(3000), "\u0000", "9".repeat(300)];

/** Steps from a body to one of its values. An index stands for every item of a list. */
type Path = readonly (string | number)[];
interface JsonSchema {
  type?: string;
  properties?: Record<string, JsonSchema>;
  items?: JsonSchema;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  enum?: unknown[];
  const?: unknown;
  format?: string;
}

/** A value of a body that is no object or list, and the nasty values that it gets. */
interface Leaf {
  path: Path;
  values: readonly unknown[];
}

function leavesOf(schema: JsonSchema, path: Path = []): Leaf[] {
  const { properties = {}, items, anyOf = [], oneOf = [] } = schema;
  const inside = [
    ...Object.entries(properties).flatMap(([key, value]) => leavesOf(value, [...path, key])),
    ...(items === undefined ? [] : leavesOf(items, [...path, 0])),
    ...[...anyOf, ...oneOf].flatMap((one) => leavesOf(one, path)),
  ];
  return inside.length > 0 ? inside : [{ path, values: valuesFor(schema) }];
}

function valuesFor(schema: JsonSchema): readonly unknown[] {
  if (schema.enum !== undefined || schema.const !== undefined) return FEW_TEXTS;
  if (schema.type === "null" || schema.type === "boolean") return FEW_TEXTS;
  if (schema.format === "uuid") return [...FEW_TEXTS, ...UUIDS];
  if (schema.format === "date-time") return [...FEW_TEXTS, ...MOMENTS];
  if (schema.type === "string") return NASTY_TEXTS;
  if (schema.type === "number" || schema.type === "integer") return [...NASTY_NUMBERS, ""];
  return [...NASTY_TEXTS, ...NASTY_NUMBERS];
}

const schemaOf = (schema: z.ZodType): JsonSchema =>
  z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as JsonSchema;

/**
 * Whether this sample tests a parameter: it is the first one of its route that has the parameter, or the first one if
 * none has it.
 */
function isTester(sample: Sample, has: (one: Sample) => boolean): boolean {
  const ofRoute = SAMPLES.filter(({ route }) => route === sample.route);
  return sample === (ofRoute.find(has) ?? ofRoute[0]);
}

const hasInQuery = (name: string) => (one: Sample) => (one.query ?? "").includes(`${name}=`);
const hasInBody = ([key]: Path) => {
  return (one: Sample) =>
    typeof one.body === "object" && one.body !== null && String(key) in one.body;
};

/** Returns a copy of a JSON value with another value at the path. */
function withValue(body: unknown, [step, ...rest]: Path, value: unknown): unknown {
  if (step === undefined) return value;
  if (typeof step === "number") {
    const [first, ...others]: unknown[] = Array.isArray(body) ? body : [];
    return [withValue(first, rest, value), ...others];
  }
  const members = typeof body === "object" && body !== null && !Array.isArray(body) ? body : {};
  const found: unknown = Object.entries(members).find(([key]) => key === step)?.[1];
  return { ...members, [step]: withValue(found, rest, value) };
}

interface Attempt {
  description: string;
  send: () => Promise<Answer>;
}

/** Returns a request for each nasty value of each parameter of a sample. All others are as in the sample. */
function attemptsOf(api: TestApi, sample: Sample, named: Named): Attempt[] {
  const contract = contractOf(sample);
  const attempt = (
    where: string,
    value: unknown,
    changed: Sample,
    headers: Record<string, string> = {},
  ): Attempt => ({
    description: `${where} = ${JSON.stringify(value).slice(0, 60)}`,
    send: () => sendSample(api, changed, named, { headers }),
  });

  const isFirst = isTester(sample, () => true);
  const { properties: parameters = {} } = schemaOf(contract.params);
  const inPath = Object.entries(isFirst ? parameters : {}).flatMap(([name, parameter]) =>
    valuesFor(parameter).map((value) => {
      const text = String(value);
      const route = sample.route.replace(`{${name}}`, encodeURIComponent(text));
      const [, path = ""] = route.split(" /v1");
      const described = `path ${name} = ${JSON.stringify(text).slice(0, 60)}`;
      const fill = (template: string) =>
        template.replaceAll(/\{(\w+)\}/g, (whole, key: string) => named[key] ?? whole);
      const { as = "admin", body } = sample;
      const filled = body === undefined ? {} : { body: fill(JSON.stringify(body)) };
      const key = contract.idempotency === "none" ? {} : { idempotencyKey: crypto.randomUUID() };
      const send = () => api.call(contract.method, fill(path), { as, ...filled, ...key });
      return { description: described, send };
    }),
  );
  const { properties = {} } = schemaOf(contract.query);
  const inQuery = Object.entries(properties).flatMap(([name, parameter]) => {
    if (!isTester(sample, hasInQuery(name))) return [];
    const others = (sample.query ?? "").split("&").filter((pair) => !pair.startsWith(`${name}=`));
    const texts = leavesOf(parameter).flatMap(({ values }) => values.map(String));
    return texts.map((text) => {
      const query = [...others, `${name}=${encodeURIComponent(text)}`].filter(Boolean).join("&");
      return attempt(`query ${name}`, text, { ...sample, query });
    });
  });
  const leaves =
    sample.body === undefined || contract.body === null ? [] : leavesOf(schemaOf(contract.body));
  const inBody = leaves
    .filter(({ path }) => isTester(sample, hasInBody(path)))
    .flatMap(({ path, values }) =>
      values.map((value) =>
        attempt(`body ${path.join(".")}`, value, {
          ...sample,
          body: withValue(sample.body, path, value),
        }),
      ),
    );
  const inHeaders = Object.entries(isFirst ? NASTY_HEADERS : {}).flatMap(([name, values]) =>
    values.map((value) => attempt(`header ${name}`, value, sample, { [name]: value })),
  );
  return [...inPath, ...inQuery, ...inBody, ...inHeaders];
}

const { seed, nastyStride } = inject("stack");

/** How many requests of a sample are sent at the same time. */
const AT_ONCE = 8;

describe(`nasty values (replay with SEED=${seed}; NASTY_STRIDE=1 sends all)`, () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await freshApi();
  });

  /** Ends the keys that earlier samples created, because a tenant may have only so many. */
  const revokeOtherKeys = () =>
    api.database.query(
      "owner",
      "update api_keys set revoked_at = now(), revoked_by = 'test' where revoked_at is null and created_by <> 'setup'",
    );

  // A body of text has no fields, and a stream of events stays open. A ping would look up host names. The test of the
  // routes for demos sends paths of objects.
  const isLeftOut = ({ route, content }: Sample) =>
    content !== undefined || route.endsWith("/stream") || route.endsWith("/ping");
  const samples = SAMPLES.filter((sample) => !isLeftOut(sample));

  test("are sent in every parameter of every route", () => {
    const routes = new Set(samples.map(({ route }) => route));
    const leftOut = SAMPLES.filter(({ route }) => !routes.has(route)).map(({ route }) => route);
    expect(leftOut.every((route) => /\/(content|stream|ping|\{path\})$/.test(route))).toBe(true);
  });

  test.for(samples.map((sample) => [titleOf(sample), sample] as const))(
    "in %s are never an internal error",
    async ([, sample]) => {
      await revokeOtherKeys();
      const named = namesIn(sample, await givenThings(api, sample));
      const failures: string[] = [];
      const attempts = attemptsOf(api, sample, named).filter(
        (_attempt, index) => (index + seed) % nastyStride === 0,
      );
      for (let start = 0; start < attempts.length; start += AT_ONCE) {
        await Promise.all(
          attempts.slice(start, start + AT_ONCE).map(async ({ description, send }) => {
            const { status, text } = await send();
            if (status >= 500) failures.push(`${description}: ${text}`);
          }),
        );
      }
      expect(failures).toEqual([]);
    },
  );
});

import { beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";
import type { Moved } from "../../src/actions/moves/move-task.ts";
import type { TaskView } from "../../src/actions/views/task-view.ts";
import { STEP_KINDS, type StepKind } from "../../src/domain/lifecycle/statuses.ts";
import { startStatuses } from "../../src/domain/lifecycle/transitions.ts";
import { canonicalStage, STAGE_ALIASES } from "../../src/domain/seed/stages.ts";
import { loadRoutes } from "../../src/routes/app/areas.ts";
import { type Contract, rawBody } from "../../src/routes/http/contract.ts";
import { openApiDocument } from "../../src/routes/http/openapi.ts";
import { expectDone, expectProblem, freshApi, type TestApi } from "../support/api.ts";
import { SAMPLES } from "../support/samples/samples.ts";
import { namesIn, routeNameOf, sendSample } from "../support/samples/send-sample.ts";
import { givenThings } from "../support/samples/things.ts";

const contracts = (await loadRoutes()).map(({ contract }) => contract);
const ALIASES = [...STAGE_ALIASES];

/** A place of a request that takes the name of a stage. */
interface Place {
  route: string;
  path: string;
  schema: z.ZodType;
}

/** Finds every place in a schema of a request that takes stages and nothing else. */
function placesIn(schema: unknown, route: string, path: string): Place[] {
  const inside = (inner: unknown, at = path) => placesIn(inner, route, at);
  if (schema instanceof z.ZodPipe) {
    const isLeaf = takesStages(schema.out);
    return isLeaf ? [{ route, path, schema }] : [...inside(schema.in), ...inside(schema.out)];
  }
  if (takesStages(schema)) return [{ route, path, schema }];
  if (schema instanceof z.ZodObject) {
    return Object.entries(schema.shape).flatMap(([name, member]) =>
      inside(member, `${path}.${name}`),
    );
  }
  if (schema instanceof z.ZodUnion) return schema.options.flatMap((option) => inside(option));
  if (schema instanceof z.ZodArray) return inside(schema.element, `${path}[]`);
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodReadonly
  ) {
    return inside(schema.unwrap());
  }
  return [];
}

function takesStages(schema: unknown): schema is z.ZodType {
  return (
    schema instanceof z.ZodEnum && schema.options.every((option) => STEP_KINDS.some(isSame(option)))
  );
}

const isSame = (one: unknown) => (other: unknown) => one === other;

function placesOf(contract: Contract): Place[] {
  const route = routeNameOf(contract);
  const { params, query, body } = contract;
  return [
    ...placesIn(params, route, "params"),
    ...placesIn(query, route, "query"),
    ...(body === null || body === rawBody ? [] : placesIn(body, route, "body")),
  ];
}

const PLACES = contracts.flatMap(placesOf);
const titleOf = ({ route, path }: Place): string => `${route} ${path}`;

describe("an alias of a stage", () => {
  test("is no stage, means one stage, and differs from every other value of the API", () => {
    const names = ALIASES.map(([alias]) => alias);
    expect(names.length).toBeGreaterThanOrEqual(STEP_KINDS.length);
    expect(new Set(names).size).toBe(names.length);
    expect(new Set(ALIASES.map(([, kind]) => kind)).size).toBe(STEP_KINDS.length);
    const values = new Set(enumValues(openApiDocument(contracts)).map((one) => one.toLowerCase()));
    expect(values.has("expert_review")).toBe(true);
    expect(names.filter((name) => values.has(name.toLowerCase()))).toEqual([]);
  });

  test("is found by its exact spelling only", () => {
    for (const [alias, kind] of ALIASES) expect(canonicalStage(alias)).toBe(kind);
    for (const kind of STEP_KINDS) expect(canonicalStage(kind)).toBe(kind);
    for (const name of ["", "INTAKE", " intake", "constructor", "__proto__"]) {
      expect(canonicalStage(name)).toBeNull();
    }
  });
});

/** Every string in an `enum` or a `const` of a document. */
function enumValues(document: unknown): string[] {
  if (typeof document !== "object" || document === null) return [];
  return Object.entries(document).flatMap(([key, value]: [string, unknown]) => {
    const listed = key === "const" ? [value] : key === "enum" && Array.isArray(value) ? value : [];
    const strings = listed.filter((one): one is string => typeof one === "string");
    return [...strings, ...enumValues(value)];
  });
}

describe("every place of a request that takes a stage", () => {
  test.each(PLACES.map((place) => [titleOf(place), place] as const))(
    "%s takes each stage by its name and by its aliases",
    (_, { schema }) => {
      const taken = (name: string) => schema.safeParse(name);
      const kinds = STEP_KINDS.filter((kind) => taken(kind).success);
      expect(kinds.length).toBeGreaterThan(1);
      for (const [name, kind] of [...ALIASES, ...kinds.map((one) => [one, one] as const)]) {
        const parsed = taken(name);
        expect(parsed.success ? parsed.data : null).toBe(kinds.find(isSame(kind)) ?? null);
      }
      for (const name of ["", "nowhere", "INTAKE", "constructor", null, 1, ["intake"]]) {
        expect(schema.safeParse(name).success).toBe(false);
      }
    },
  );
});

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
  for (const kind of STEP_KINDS) await api.givenTask({ title: STAGED, at: placeAt(kind) });
});

/** The title of one task at each stage. */
const STAGED = "One of a stage";

/** The first status that a task can have at a stage. */
const statusAt = (kind: StepKind) => startStatuses(kind)[0] ?? expect.fail("no status");

/** Sends a stage to each place of a body by the given name. Returns the stage that the answer has. */
const SENT: Readonly<Record<string, (name: string, kind: StepKind) => Promise<unknown>>> = {
  "POST /v1/tasks body.start.kind": async (name) => {
    const start = { kind: name, reason: "Moved here" };
    const answer = await api.call<TaskView>("POST", "/tasks", { body: { title: "A", start } });
    return expectDone(answer, 201).currentStep.kind;
  },
  "POST /v1/tasks/import body.tasks[].start.kind": async (name) => {
    const start = { kind: name, reason: "Moved here" };
    const body = { tasks: [{ title: "A", start }] };
    const answer = await api.call<{ items: { id: string }[] }>("POST", "/tasks/import", { body });
    return kindOf(expectDone(answer).items[0]?.id);
  },
  "POST /v1/tasks/{taskId}/rework body.toKind": async (name) => {
    const { id } = await atTheEnd();
    const body = { toKind: name, reason: "Again" };
    const answer = await api.call<Moved>("POST", `/tasks/${id}/rework`, { body });
    return expectDone(answer).step.kind;
  },
  "POST /v1/moves body.moves[].rework": async (name) => {
    const { id } = await atTheEnd();
    const body = { moves: [{ task: id, rework: name, reason: "Again" }] };
    expectDone(await api.call("POST", "/moves", { body }));
    return kindOf(id);
  },
  "POST /v1/tasks/{taskId}/versions body.firstKind": async (name) => {
    const { id } = await api.givenTask();
    const body = { content: {}, reason: "Anew", firstKind: name };
    const answer = await api.call<Moved>("POST", `/tasks/${id}/versions`, { body });
    return expectDone(answer, 201).step.kind;
  },
  "POST /v1/bulk/preview body.toKind": async (name) => {
    const { id } = await atTheEnd();
    const body = { taskIds: [id], action: "rework", toKind: name };
    const answer = await api.call<{ toKind: string }>("POST", "/bulk/preview", { body });
    return expectDone(answer).toKind;
  },
  "POST /v1/bulk/preview body.filter.stepKind": async (name, kind) => {
    const body = { filter: { q: STAGED, stepKind: name }, action: "archive" };
    const answer = await api.call<{ taskIds: string[] }>("POST", "/bulk/preview", { body });
    const found = await Promise.all(expectDone(answer).taskIds.map(kindOf));
    expect(found).toEqual([kind]);
    return found[0];
  },
  "POST /v1/bulk/execute body.toKind": async (name) => {
    const { id } = await atTheEnd();
    const body = { taskIds: [id], action: "rework", toKind: name, reason: "Again" };
    const options = { body, idempotencyKey: crypto.randomUUID() };
    const { operationId } = expectDone(
      await api.call<{ operationId: string }>("POST", "/bulk/execute", options),
    );
    const path = `/bulk/operations/${operationId}`;
    return expectDone(await api.call<{ toKind: string }>("GET", path)).toKind;
  },
};

const placeAt = (kind: StepKind) => ({ kind, status: statusAt(kind) });
const atTheEnd = () => api.givenTask({ at: { kind: "delivery", status: "queued" } });
const kindOf = async (id = "") =>
  expectDone(await api.call<TaskView>("GET", `/tasks/${id}`)).currentStep.kind;

const IN_BODIES = PLACES.filter(({ path }) => path.startsWith("body"));
/** The import judges each of its tasks by itself, so its contract does not show what a task has. */
const UNSHOWN = "POST /v1/tasks/import body.tasks[].start.kind";
const IN_QUERIES = PLACES.filter(({ path }) => path.startsWith("query"));

describe("the answer has the stage's name after a request with an alias", () => {
  test("for every place, with one of the calls below", () => {
    const known = [...IN_BODIES.map(titleOf), UNSHOWN];
    expect(Object.keys(SENT).toSorted()).toEqual(known.toSorted());
    expect(IN_BODIES.length + IN_QUERIES.length).toBe(PLACES.length);
  });

  test.each(Object.entries(SENT))("%s", async (title, send) => {
    const schema = IN_BODIES.find((place) => titleOf(place) === title)?.schema;
    for (const [alias, kind] of ALIASES) {
      if (schema?.safeParse(alias).success === false) continue;
      expect(await send(alias, kind)).toBe(kind);
    }
  });

  test.each(IN_QUERIES.map((place) => [titleOf(place), place] as const))(
    "%s",
    async (_, { route, path }) => {
      const sample = SAMPLES.find((one) => one.route === route) ?? expect.fail("no sample");
      const named = namesIn(sample, await givenThings(api, sample));
      const parameter = path.replace("query.", "");
      const read = async (name: string) => {
        const query = [sample.query, `${parameter}=${name}`].filter(Boolean).join("&");
        const answer = await sendSample(api, { ...sample, query }, named);
        expect(answer.status, answer.text).toBe(200);
        return answer.text;
      };
      for (const [alias, kind] of ALIASES) expect(await read(alias)).toBe(await read(kind));
      expectProblem(
        await sendSample(api, { ...sample, query: `${parameter}=nowhere` }, named),
        "validation_failed",
        400,
      );
    },
  );
});

describe("a stage by its name and by its alias are the same request", () => {
  test("under one idempotency key", async () => {
    const { id } = await atTheEnd();
    const idempotencyKey = crypto.randomUUID();
    const rework = (toKind: string) =>
      api.call<Moved>("POST", `/tasks/${id}/rework`, {
        body: { toKind, reason: "Again" },
        idempotencyKey,
      });
    const first = await rework("sme_review");
    expectDone(first);
    const second = await rework("expert_review");
    expect(second.headers.get("idempotency-replayed")).toBe("true");
    expect(second.body).toEqual(first.body);
  });

  test("to a cursor", async () => {
    for (let count = 0; count < 2; count += 1) await api.givenTask({ at: placeAt("calibration") });
    const read = (query: string) =>
      api.call<{ data: TaskView[]; nextCursor: string }>("GET", `/tasks?limit=1&${query}`);
    const { nextCursor } = expectDone(await read("stepKind=grading"));
    const next = expectDone(await read(`stepKind=calibration&cursor=${nextCursor}`));
    expect(next.data[0]?.currentStep.kind).toBe("calibration");
  });
});

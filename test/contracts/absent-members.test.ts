import { beforeAll, describe, expect, it, test } from "vitest";
import * as z from "zod";
import type { TaskView } from "../../src/actions/views/task-view.ts";
import { rawBody } from "../../src/routes/http/contract.ts";
import { validate } from "../../src/routes/http/validation.ts";
import { expectDone, expectProblem, freshApi, type TestApi } from "../support/api.ts";
import { titleOf } from "../support/samples/sample.ts";
import { SAMPLES } from "../support/samples/samples.ts";
import { contractOf, namesIn } from "../support/samples/send-sample.ts";
import { unknownThings } from "../support/samples/things.ts";

type Json = Record<string, unknown>;

/** The alternatives of a body, each an object. */
function objectsOf(schema: z.core.$ZodType): z.ZodObject[] {
  if (schema instanceof z.ZodObject) return [schema];
  if (schema instanceof z.ZodUnion) return schema.options.flatMap(objectsOf);
  if (schema instanceof z.ZodOptional) return objectsOf(schema.unwrap());
  return [];
}

/** The members that some alternative has and the value lacks, and that it may lack. */
function absentMembers(schema: z.core.$ZodType, value: Json): string[] {
  return objectsOf(schema).flatMap((object) =>
    Object.entries(object.shape)
      .filter(([name, member]) => !(name in value) && z.safeParse(member, undefined).success)
      .filter(([, member]) => !z.safeParse(member, null).success)
      .map(([name]) => name),
  );
}

const BODIES = SAMPLES.flatMap((sample) => {
  const { body: schema } = contractOf(sample);
  if (schema === null || schema === rawBody) return [];
  const values: Record<string, string> = { ...sample.fixed, ...namesIn(sample, unknownThings()) };
  const text = JSON.stringify(sample.body ?? {}).replaceAll(
    /\{(\w+)\}/g,
    (place, name: string) => values[name] ?? place,
  );
  const body = JSON.parse(text) as Json;
  const absent = absentMembers(schema, body);
  return absent.length === 0 ? [] : [{ title: titleOf(sample), schema, body, absent }];
});

describe("In the body of every route, an optional member that is null is absent", () => {
  test.each(BODIES.map((row) => [row.title, row] as const))("%s", (_, { schema, body, absent }) => {
    const expected = validate(schema, body);
    expect(expected).toMatchObject({ ok: true });
    const nulls = Object.fromEntries(absent.map((name) => [name, null]));
    expect(validate(schema, { ...body, ...nulls })).toEqual(expected);
  });

  it("and this covers many routes", () => {
    expect(BODIES.length).toBeGreaterThan(30);
  });
});

describe("A null", () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await freshApi();
  });
  const reread = async ({ id }: { id: string }) =>
    expectDone(await api.call<TaskView>("GET", `/tasks/${id}`));

  it("creates a task like its absence, also in nested members and in imports", async () => {
    const task = {
      title: "Bare",
      externalId: null,
      taxonomyCode: null,
      priority: null,
      assignee: null,
      content: { brief: null, instructions: "Add.", metadata: null },
      start: null,
    };
    const created = expectDone(await api.call<TaskView>("POST", "/tasks", { body: task }), 201);
    expect(created).toMatchObject({ externalId: null, taxonomyCode: null, priority: 0 });
    const body = { tasks: [task, { ...task, content: null }], dryRun: null };
    const imported = await api.call("POST", "/tasks/import", { body });
    expect(expectDone(imported)).toMatchObject({ counts: { created: 2 } });
  });

  it("clears what an edit can clear, and leaves the rest as it is", async () => {
    const task = await api.givenTask({ title: "Kept", externalId: "x-1", assignee: "ada" });
    const body = { title: null, externalId: null, assignee: null, priority: null };
    expectDone(await api.call("PATCH", `/tasks/${task.id}`, { body }));
    expect(await reread(task)).toMatchObject({
      title: "Kept",
      externalId: null,
      assignee: null,
      priority: 0,
    });
  });

  it("is kept in free JSON", async () => {
    const metadata = { answer: null, list: [null, { inner: null }] };
    const { id } = await api.givenTask({ content: { metadata } });
    const version = await api.call("GET", `/tasks/${id}/versions/1`);
    expect(expectDone(version)).toMatchObject({ content: { metadata } });
  });

  it("does not decide between the alternatives of a move", async () => {
    const { id } = await api.givenTask({});
    const move = { task: id, status: "running", advance: null, rework: null, ifSeq: null };
    const moved = await api.call("POST", "/moves", { body: { moves: [move] } });
    expect(expectDone(moved)).toMatchObject({ counts: { changed: 1 } });
  });

  it("does not stand for a member that is required", async () => {
    const answer = await api.call("POST", "/tasks", { body: { title: null } });
    expect(expectProblem(answer, "validation_failed", 400)).toMatchObject({
      issues: [{ path: ["title"] }],
    });
  });
});

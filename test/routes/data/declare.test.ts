import { beforeAll, describe, expect, it, test } from "vitest";
import type { DataRecord } from "../../../src/db/content/data.ts";
import { expectDone, expectProblem, freshApi, type TestApi } from "../../support/api.ts";
import { contentsOf } from "../../support/contents.ts";
import { bytesOf, declarationOf, givenDeclared, sendContent } from "./support.ts";

interface DataPage {
  data: DataRecord[];
  nextCursor: string | null;
}

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
});

const MEBIBYTE = 1024 * 1024;
const HASH = "9f86d081884c7d65".repeat(4);
const EXTERNAL = {
  kind: "source",
  contentType: "application/x-ndjson",
  sizeBytes: 500 * MEBIBYTE,
  sha256: HASH,
  uri: "s3://evaluations/2026/solutions.jsonl",
};
const declare = (taskId: string, body: object, options: object = {}) =>
  api.call<DataRecord>("POST", `/tasks/${taskId}/data`, { as: "operator", body, ...options });
const list = async (query: string) =>
  expectDone(await api.call<DataPage>("GET", `/data?${query}`)).data;

describe("Declaring data", () => {
  it("records the content's type, size, and hash with its maker and inputs on the current step", async () => {
    const task = await api.givenTask();
    const prompt = await api.call<{ id: string }>("POST", `/tasks/${task.id}/prompts`, {
      body: { role: "user", content: "How many?" },
    });
    const promptId = expectDone(prompt, 201).id;
    const [one, other] = [
      await givenDeclared(api, bytesOf("one"), { taskId: task.id, kind: "source" }),
      await givenDeclared(api, bytesOf("of another task"), { kind: "golden" }),
    ];
    const agent = { agent: "a", agentRevision: "a1" };
    const maker = { model: "solver-7b", modelRevision: "r3", ...agent, provider: "p" };
    const body = await declarationOf(bytesOf("72"), {
      ...maker,
      promptId,
      inputs: [other.id, one.id, other.id],
    });
    const answer = await declare(task.id, body);
    const data = expectDone(answer, 201);
    expect(data).toEqual({
      id: expect.any(String),
      taskId: task.id,
      versionId: task.activeVersion.id,
      stepId: task.currentStep.id,
      kind: "generated",
      contentType: "text/plain",
      sizeBytes: 2,
      sha256: body.sha256,
      uri: null,
      storedAt: null,
      verified: false,
      ...maker,
      promptId,
      insightId: null,
      inputs: [one.id, other.id].toSorted(),
      createdAt: expect.any(String),
    });
    expect(answer.headers.get("location")).toBe(`/v1/data/${data.id}`);
    expect(expectDone(await api.call("GET", `/data/${data.id}`))).toEqual(data);
  });

  it("registers content of any size that is stored elsewhere, unverified", async () => {
    const { id } = await api.givenTask();
    const data = expectDone(await declare(id, { ...EXTERNAL, sha256: HASH.toUpperCase() }), 201);
    const { uri, sha256, sizeBytes } = EXTERNAL;
    expect(data).toMatchObject({ uri, sha256, sizeBytes, verified: false, storedAt: null });
  });

  it("succeeds once for sixteen concurrent requests, and returns that row's id to the others", async () => {
    const { id } = await api.givenTask();
    const body = await declarationOf(bytesOf("raced for"));
    const answers = await Promise.all(Array.from({ length: 16 }, () => declare(id, body)));
    const [winner, ...more] = answers.filter(({ status }) => status === 201);
    expect(more).toEqual([]);
    for (const answer of answers.filter(({ status }) => status !== 201)) {
      expect(expectProblem(answer, "conflict", 409).existing).toEqual({ id: winner?.body.id });
    }
  });

  it("is idempotent with a key", async () => {
    const { id } = await api.givenTask();
    const body = await declarationOf(bytesOf("repeated"));
    const options = { idempotencyKey: "this-data" };
    const first = await declare(id, body, options);
    const again = await declare(id, body, options);
    expect([again.status, again.text]).toEqual([201, first.text]);
    expect(again.headers.get("location")).toBe(first.headers.get("location"));
    expect(again.headers.get("idempotency-replayed")).toBe("true");
  });

  it("can refer to another task only by its inputs", async () => {
    const [task, other] = [await api.givenTask(), await api.givenTask()];
    const prompt = await api.call<{ id: string }>("POST", `/tasks/${other.id}/prompts`, {
      body: { role: "user", content: "How many?" },
    });
    const before = await contentsOf(api.database);
    for (const names of [
      { stepId: other.currentStep.id },
      { promptId: expectDone(prompt, 201).id },
      { insightId: crypto.randomUUID() },
      { inputs: [crypto.randomUUID()] },
    ]) {
      const body = await declarationOf(bytesOf("never"), names);
      expectProblem(await declare(task.id, body), "not_found", 404);
    }
    expect(await contentsOf(api.database)).toEqual(before);
  });

  test.each([
    ["an unknown kind", { kind: "output" }, ["kind"]],
    ["a hash that is too short", { sha256: "abc" }, ["sha256"]],
    ["a hash that is not hex", { sha256: "z".repeat(64) }, ["sha256"]],
    ["a negative size", { sizeBytes: -1 }, ["sizeBytes"]],
    ["a fractional size", { sizeBytes: 1.5 }, ["sizeBytes"]],
    ["a size above the limit", { sizeBytes: 100 * MEBIBYTE + 1 }, ["sizeBytes"]],
    ["an invalid media type", { contentType: "plain" }, ["contentType"]],
    ["a line break in the media type", { contentType: "text/plain\r\nx: y" }, ["contentType"]],
    ["a file URI", { uri: "file:///etc/passwd" }, ["uri"]],
    ["a plain http URI", { uri: "http://somewhere.example/x" }, ["uri"]],
    ["a URI with a password", { uri: "https://me:secret@somewhere.example/x" }, ["uri"]],
    ["a URI with a space", { uri: "s3://bucket/a b" }, ["uri"]],
    ["101 inputs", { inputs: Array(101).fill(crypto.randomUUID()) }, null],
    ["a file name", { filename: "a\r\nb" }, ["filename"]],
    ["an object key", { objectKey: "../../else" }, ["objectKey"]],
  ])("rejects %s", async (_, wrong, path) => {
    const { id } = await api.givenTask();
    const body = await declarationOf(bytesOf("right"), wrong);
    const answer = await declare(id, body);
    if (path === null) expectProblem(answer, "too_many_items", 400);
    else expect(expectProblem(answer, "validation_failed", 400).issues?.[0]?.path).toEqual(path);
  });
});

describe("Listing data", () => {
  it("filters by task, kind, maker, and whether the content is stored, and paginates", async () => {
    const { id: taskId } = await api.givenTask({ externalId: "with-data" });
    const bytes = bytesOf("listed");
    const maker = { model: "lister", modelRevision: "r9", agent: "b", provider: "q" };
    const generated = await givenDeclared(api, bytes, { taskId, ...maker });
    const golden = await givenDeclared(api, bytes, { taskId, kind: "golden" });
    const external = expectDone(await declare(taskId, EXTERNAL), 201);
    const stored = expectDone(await sendContent(api, generated.id, bytes));

    const only = async (query: string, expected: DataRecord[]) =>
      expect(await list(query), query).toEqual(expected);
    await only(`task=${taskId}`, [external, golden, stored]);
    await only("task=ext:with-data&kind=golden", [golden]);
    await only("model=lister&modelRevision=r9&agent=b&provider=q", [stored]);
    await only("model=lister&modelRevision=r8", []);
    await only(`task=${taskId}&stored=true`, [stored]);
    await only(`task=${taskId}&stored=false`, [external, golden]);
    const { data, nextCursor } = expectDone(
      await api.call<DataPage>("GET", `/data?task=${taskId}&limit=2`),
    );
    expect(data).toEqual([external, golden]);
    await only(`task=${taskId}&limit=2&cursor=${nextCursor}`, [stored]);
  });
});

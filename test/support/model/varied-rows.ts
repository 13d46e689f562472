import { expect } from "vitest";
import type { Role } from "../../../src/domain/actor.ts";
import { type CallableApi, expectDone } from "../api-calls.ts";
import type { World } from "./world.ts";

interface Executed {
  operationId: string;
  counts: { changed: number };
}

const WHY = { reason: "To have one of each" };
const MAKER = { model: "solver", modelRevision: "r1", agent: "an agent", provider: "a provider" };

/**
 * Adds what the world lacks for proofs about single columns: edited and archived tasks, duplicates, bulk operations of
 * several kinds, a held step whose report waits, a run with a late report, and prompts and data with every detail.
 */
export async function givenVariedRows(api: CallableApi, { tenant }: World): Promise<void> {
  const send = async <Body>(
    method: "POST" | "PATCH" | "PUT",
    path: string,
    body: object,
    { status = 200, as = "admin" }: { status?: number; as?: Role } = {},
  ): Promise<Body> => {
    const options = { tenant, as, body, idempotencyKey: crypto.randomUUID() };
    return expectDone(await api.call<Body>(method, path, options), status);
  };
  const created = { status: 201 };
  const service = { as: "service" as const };
  const given = async (task: Parameters<CallableApi["givenTask"]>[0] = {}) =>
    (await api.givenTask({ tenant, ...task })).id;

  const edited = await given({ title: "Before", externalId: "edited" });
  const edit = { title: "After", taxonomyCode: "maths", priority: 7, assignee: "an author" };
  await send("PATCH", `/tasks/${edited}`, edit);
  await send("PATCH", `/tasks/${edited}`, { assignee: "another author" });
  await send("POST", `/tasks/${await given()}/archive`, WHY);
  const restored = await given();
  await send("POST", `/tasks/${restored}/archive`, WHY);
  await send("POST", `/tasks/${restored}/restore`, WHY);

  const execute = async (taskIds: readonly string[], body: object): Promise<string> => {
    const change = { taskIds, ...WHY, ...body };
    const { operationId, counts } = await send<Executed>("POST", "/bulk/execute", change);
    expect(counts.changed).toBeGreaterThan(0);
    return operationId;
  };
  const reviewed = { kind: "expert_review", status: "in_review" } as const;
  const duplicating = { targetStatus: "DUPLICATE", duplicateOf: edited };
  await execute([await given({ at: reviewed }), await given({ at: reviewed })], duplicating);
  const failed = { kind: "output_generation", status: "failed" } as const;
  await execute([await given({ at: failed }), edited], { action: "retry" });
  const approved = { kind: "pre_qa", status: "approved" } as const;
  const advancing = { action: "advance", runAttachedWorkflows: true };
  await execute([await given({ at: approved })], advancing);
  const changes = { priority: 50, assignee: "everyone" };
  const editing = await execute([edited, restored], { action: "edit", changes });
  await send("POST", `/bulk/operations/${editing}/revert`, WHY);

  const generating = { at: { kind: "output_generation", status: "queued" } } as const;
  const givenRun = async (taskId: string): Promise<string> => {
    const run = { type: "OUTPUT_GENERATION", externalRef: "job-1" };
    const opened = { ...created, ...service };
    return (await send<{ id: string }>("POST", `/tasks/${taskId}/worker-runs`, run, opened)).id;
  };
  const held = await api.givenTask({ tenant, ...generating });
  const heldRun = await givenRun(held.id);
  await send("PATCH", `/worker-runs/${heldRun}`, { state: "RUNNING" }, service);
  await send("PATCH", `/steps/${held.currentStep.id}/gate`, { gate: "blocked", ...WHY });
  await send("PATCH", `/worker-runs/${heldRun}`, { state: "SUCCEEDED" }, service);

  const runId = await givenRun(await given(generating));
  for (const report of [
    { state: "RUNNING" },
    { state: "FAILED", error: "Out of memory", result: { tokens: 1 } },
    { state: "SUCCEEDED", result: { tokens: 2 } },
  ]) {
    await send("PATCH", `/worker-runs/${runId}`, report, service);
  }

  for (const [index, content] of ["Why?", "Why not?"].entries()) {
    const prompt = { role: "user", content, ...MAKER };
    const { id: promptId } = await send<{ id: string }>(
      "POST",
      `/tasks/${edited}/prompts`,
      prompt,
      created,
    );
    const insight = { taskId: edited, kind: "completion", input: { content }, ...MAKER };
    const { id: insightId } = await send<{ id: string }>("POST", "/insights", insight, {
      ...created,
      ...service,
    });
    const sha256 = `a${index}`.repeat(32);
    const datum = { kind: "generated", contentType: "text/plain", sizeBytes: 1, sha256 };
    const made = { ...datum, promptId, insightId, ...MAKER };
    await send("POST", `/tasks/${edited}/data`, made, created);
  }

  const hook = { url: "https://hooks.example.com", events: ["bulk.finished"] };
  await send("PUT", "/webhooks/removed", hook, created);
  expect((await api.call("DELETE", "/webhooks/removed", { tenant })).status).toBe(200);
}

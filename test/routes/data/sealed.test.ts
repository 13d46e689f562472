import { beforeAll, describe, expect, it, test } from "vitest";
import type { DataRecord } from "../../../src/db/content/data.ts";
import { DATA_KINDS, isGiven } from "../../../src/domain/data/kinds.ts";
import { expectDone, expectProblem, freshApi, type TestApi } from "../../support/api.ts";
import { openTransaction, untilBlocked } from "../../support/model/locks.ts";
import { expectInvariantsHold } from "../../support/model/invariants.ts";
import { bytesOf, declarationOf, givenDeclared, sendContent } from "./support.ts";

let api: TestApi;
beforeAll(async () => {
  api = await freshApi();
});

let count = 0;
const declare = async (taskId: string, more: object) => {
  const body = await declarationOf(bytesOf(`content ${(count += 1)}`), more);
  return api.call<DataRecord>("POST", `/tasks/${taskId}/data`, { body });
};
const pushVersion = async (taskId: string) => {
  const body = { content: { brief: "Anew" }, reason: "The question changed" };
  expectDone(await api.call("POST", `/tasks/${taskId}/versions`, { body }), 201);
};
const deliver = async () => {
  const task = await api.givenTask({ at: { kind: "delivery", status: "running" } });
  const path = `/steps/${task.currentStep.id}`;
  expectDone(await api.call("PATCH", path, { body: { status: "approved", reason: "Sent" } }));
  return task;
};
const sealedBy = (number: number) => ({
  activeVersion: { id: expect.any(String), number },
  detail: expect.stringContaining("sealed or delivered"),
});

describe("A version that is sealed or delivered", () => {
  test.each(DATA_KINDS)("takes %s data or not, and so do versions that are open", async (kind) => {
    const given = isGiven(kind);
    const task = await api.givenTask();
    const stepId = task.currentStep.id;
    expectDone(await declare(task.id, { kind, stepId }), 201);
    await pushVersion(task.id);
    const late = await declare(task.id, { kind, stepId });
    if (given) expect(expectProblem(late, "version_sealed", 409)).toMatchObject(sealedBy(2));
    else expectDone(late, 201);
    expectDone(await declare(task.id, { kind }), 201);

    const delivered = await deliver();
    const after = await declare(delivered.id, { kind });
    if (given) expect(expectProblem(after, "version_sealed", 409)).toMatchObject(sealedBy(1));
    else expectDone(after, 201);
  });

  it("takes no content for golden data that was declared before, and keeps what was stored", async () => {
    const task = await api.givenTask();
    const [stored, open, made] = [
      await givenDeclared(api, bytesOf("72"), { taskId: task.id, kind: "golden" }),
      await givenDeclared(api, bytesOf("73"), { taskId: task.id, kind: "source" }),
      await givenDeclared(api, bytesOf("74"), { taskId: task.id, kind: "generated" }),
    ];
    expectDone(await sendContent(api, stored.id, bytesOf("72")));
    await pushVersion(task.id);
    expectDone(await sendContent(api, stored.id, bytesOf("72")));
    expectProblem(await sendContent(api, open.id, bytesOf("73")), "version_sealed", 409);
    expectDone(await sendContent(api, made.id, bytesOf("74")));
  });

  it("reports equal data as a conflict, as before", async () => {
    const task = await api.givenTask();
    const first = await givenDeclared(api, bytesOf("same"), { taskId: task.id, kind: "golden" });
    await pushVersion(task.id);
    const body = await declarationOf(bytesOf("same"), { kind: "golden", stepId: first.stepId });
    const again = await api.call("POST", `/tasks/${task.id}/data`, { body });
    expect(expectProblem(again, "conflict", 409)).toMatchObject({ existing: { id: first.id } });
  });

  it("takes golden data again after a rework has revoked the delivery", async () => {
    const { id } = await deliver();
    expectProblem(await declare(id, { kind: "golden" }), "version_sealed", 409);
    const body = { toKind: "authoring", reason: "The answer was wrong" };
    expectDone(await api.call("POST", `/tasks/${id}/rework`, { body }));
    expectDone(await declare(id, { kind: "golden" }), 201);
  });

  it("takes golden data if it was imported as delivered, because they come after it", async () => {
    const start = { kind: "delivery", status: "approved", reason: "Migrated" };
    const created = await api.call<{ id: string }>("POST", "/tasks", {
      body: { title: "Migrated", start },
    });
    expectDone(await declare(expectDone(created, 201).id, { kind: "golden" }), 201);
  });
});

describe("A version that is sealed while a call waits for its task", () => {
  const sealing = async () => {
    const task = await api.givenTask();
    const { id } = await givenDeclared(api, bytesOf("waits"), { taskId: task.id, kind: "golden" });
    const held = await openTransaction(
      api.database,
      [{ text: "select from tasks where id = $1 for no key update", values: [task.id] }],
      [
        {
          text: "update task_versions set sealed_at = now() where id = $1",
          values: [task.activeVersion.id],
        },
      ],
    );
    return { task, dataId: id, held };
  };

  it("takes no golden data", async () => {
    const { task, held } = await sealing();
    const writing = declare(task.id, { kind: "golden" });
    await untilBlocked(api.database);
    await held.end();
    expectProblem(await writing, "version_sealed", 409);
  });

  it("takes no content of golden data", async () => {
    const { dataId, held } = await sealing();
    const writing = sendContent(api, dataId, bytesOf("waits"));
    await untilBlocked(api.database);
    await held.end();
    expectProblem(await writing, "version_sealed", 409);
  });

  it("takes no golden data from any of many calls that come with a new version", async () => {
    const racing = await freshApi();
    for (let round = 0; round < 5; round += 1) {
      const task = await racing.givenTask();
      const bodies = await Promise.all(
        Array.from({ length: 6 }, (_, n) =>
          declarationOf(bytesOf(`race ${round} ${n}`), {
            kind: "golden",
            stepId: task.currentStep.id,
          }),
        ),
      );
      const content = { content: { brief: "Anew" }, reason: "Race" };
      await Promise.all([
        ...bodies.map((body) => racing.call("POST", `/tasks/${task.id}/data`, { body })),
        racing.call("POST", `/tasks/${task.id}/versions`, { body: content }),
      ]);
    }
    await expectInvariantsHold(racing.database);
  });
});

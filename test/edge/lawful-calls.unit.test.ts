import { expect, test } from "vitest";
import { lawfulCalls } from "../../src/routes/http/lawful-calls.ts";

const NAMES = { taskId: "task-1", stepId: "step-1" };

test("returns the HTTP call for each lawful command", () => {
  expect(
    lawfulCalls({
      ...NAMES,
      commands: [
        { type: "transition", status: "queued", needsReason: false },
        { type: "gate", gate: "waived", needsReason: false },
        { type: "advance" },
        { type: "rework", toKind: "ingestion", needsReason: true },
        { type: "restore" },
      ],
    }),
  ).toEqual([
    { method: "PATCH", path: "/v1/steps/step-1", body: { status: "queued" } },
    { method: "PATCH", path: "/v1/steps/step-1/gate", body: { gate: "waived" } },
    { method: "POST", path: "/v1/tasks/task-1/advance", body: {} },
    {
      method: "POST",
      path: "/v1/tasks/task-1/rework",
      body: { toKind: "ingestion" },
      needs: ["reason"],
    },
    { method: "POST", path: "/v1/tasks/task-1/restore", body: {} },
  ]);
});

test("lists the reason in `needs` if a transition requires one", () => {
  const commands = [{ type: "transition", status: "approved", needsReason: true }] as const;
  expect(lawfulCalls({ ...NAMES, commands })).toEqual([
    {
      method: "PATCH",
      path: "/v1/steps/step-1",
      body: { status: "approved" },
      needs: ["reason"],
    },
  ]);
});

test("returns no calls if there are no commands", () => {
  expect(lawfulCalls({ ...NAMES, commands: [] })).toEqual([]);
});

import { describe, expect, test } from "vitest";
import { expectDecision, FIELDS, givenTask, expectRefusal } from "./support/world.ts";

describe("an edit", () => {
  test("records the old and new value of each field that differs, and of no other", () => {
    const decision = expectDecision(
      givenTask({ kind: "pre_qa", status: "running" }),
      {
        type: "edit",
        changes: { title: FIELDS.title, priority: 5, externalId: null, assignee: "reviewers" },
        reason: "urgent",
      },
      "operator",
    );
    expect(decision.fields).toEqual({ priority: 5, externalId: null, assignee: "reviewers" });
    expect(decision.events).toEqual([
      expect.objectContaining({
        type: "task_updated",
        fromStatus: "running",
        toStatus: "running",
        reason: "urgent",
        payload: {
          changes: {
            priority: { from: 0, to: 5 },
            externalId: { from: "proof-1", to: null },
            assignee: { from: null, to: "reviewers" },
          },
        },
      }),
    ]);
  });

  test.each([
    ["title", "Another"],
    ["externalId", "proof-2"],
    ["taxonomyCode", null],
    ["priority", 9],
    ["assignee", "somebody"],
  ] as const)("changes %s on its own", (field, to) => {
    const { fields, events } = expectDecision(givenTask(), {
      type: "edit",
      changes: { [field]: to },
    });
    expect(fields).toEqual({ [field]: to });
    expect(events[0]?.payload).toEqual({ changes: { [field]: { from: FIELDS[field], to } } });
  });

  test("writes nothing if nothing changes", () => {
    const decision = expectDecision(givenTask(), { type: "edit", changes: { ...FIELDS } });
    expect(decision).toMatchObject({ events: [], fields: null });
  });

  test("is refused on an archived task", () => {
    expectRefusal(
      givenTask({ archived: true }),
      { type: "edit", changes: { priority: 1 } },
      "archived",
    );
  });
});

describe("archiving", () => {
  test("records an event and leaves the step as it is", () => {
    const decision = expectDecision(givenTask(), { type: "archive", reason: "withdrawn" });
    expect(decision.archive).toBe(true);
    expect(decision.events).toEqual([
      expect.objectContaining({
        type: "task_archived",
        stepId: "step-1",
        fromStatus: "queued",
        toStatus: "queued",
        reason: "withdrawn",
      }),
    ]);
  });

  test("is undone by a restore", () => {
    const decision = expectDecision(givenTask({ archived: true }), { type: "restore" });
    expect(decision.archive).toBe(false);
    expect(decision.events[0]?.type).toBe("task_restored");
  });

  test("is refused the second time, as is a restore", () => {
    const archived = givenTask({ archived: true });
    expect(expectRefusal(archived, { type: "archive" }, "already_in_status").done).toBe(true);
    expect(expectRefusal(givenTask(), { type: "restore" }, "already_in_status").done).toBe(true);
  });

  test("requires a reviewer, as does a restore", () => {
    expect(expectRefusal(givenTask(), { type: "archive" }, "forbidden", "operator").required).toBe(
      "reviewer",
    );
    const archived = givenTask({ archived: true });
    expect(expectRefusal(archived, { type: "restore" }, "forbidden", "operator").required).toBe(
      "reviewer",
    );
  });

  test("blocks every move, and offers a restore as the only lawful command", () => {
    const archived = givenTask({ kind: "pre_qa", status: "approved", archived: true });
    for (const command of [
      { type: "transition", status: "queued", runAttachedWorkflows: false },
      { type: "gate", gate: "waived" },
      { type: "advance", runAttachedWorkflows: false },
      { type: "rework", toKind: "authoring", reason: "again", runAttachedWorkflows: false },
      { type: "review", kind: "expert", outcome: "passed" },
    ] as const) {
      expect(expectRefusal(archived, command, "archived").next?.commands).toEqual([
        { type: "restore" },
      ]);
    }
  });
});

test("a note is recorded in the history, even of an archived task, and moves nothing", () => {
  for (const archived of [false, true]) {
    const decision = expectDecision(
      givenTask({ archived }),
      { type: "note", text: "see mail" },
      "operator",
    );
    expect(decision.events).toEqual([
      expect.objectContaining({
        type: "note_added",
        fromStatus: "queued",
        toStatus: "queued",
        payload: { text: "see mail" },
      }),
    ]);
    expect(decision).toMatchObject({ step: null, fields: null, archive: null });
  }
});

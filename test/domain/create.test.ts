import { describe, expect, test } from "vitest";
import { decideCreate } from "../../src/domain/lifecycle/decide/create.ts";
import { GATE_ON_STATUS } from "../../src/domain/lifecycle/gates.ts";
import { STEP_KINDS } from "../../src/domain/lifecycle/statuses.ts";
import { START_STATUSES, startStatuses } from "../../src/domain/lifecycle/transitions.ts";
import { context, expectAccepted, expectRefused, FIELDS } from "./support/world.ts";

const input = { fields: FIELDS, content: { brief: "Prove it" }, contentHash: "abc" };

/** The statuses with which no task can start, although other kinds have them. */
const MISSING_START_STATUSES = [
  { kind: "output_generation", status: "awaiting_review" },
  { kind: "delivery", status: "awaiting_review" },
];

describe("create", () => {
  test("creates the task, version 1, a queued ingestion step and event 1", () => {
    const { task, decision } = expectAccepted(decideCreate(input, context("operator")));
    expect(task).toEqual({ id: "new-1", ...FIELDS });
    expect(decision.version).toEqual({
      id: "new-2",
      number: 1,
      content: { brief: "Prove it" },
      contentHash: "abc",
      reason: null,
    });
    expect(decision.step).toEqual({
      id: "new-3",
      versionId: "new-2",
      kind: "ingestion",
      attempt: 1,
    });
    expect(decision.events).toEqual([
      {
        type: "task_created",
        stepId: "new-3",
        versionId: "new-2",
        fromStatus: null,
        toStatus: "queued",
        fromGate: null,
        toGate: "locked",
        reason: null,
        payload: {
          ...FIELDS,
          contentHash: "abc",
          opened: { kind: "ingestion", attempt: 1, fromStepId: null },
        },
        duplicateOf: null,
        runAttachedWorkflows: false,
      },
    ]);
  });

  test("imports into every stage and every status that the stage has, without a review or a dispatch", () => {
    for (const kind of STEP_KINDS) {
      for (const status of startStatuses(kind)) {
        const start = { kind, status, reason: "moved here" };
        const { decision } = expectAccepted(decideCreate({ ...input, start }, context("reviewer")));
        expect(decision.step?.kind).toBe(kind);
        expect(decision.events).toEqual([
          expect.objectContaining({
            toStatus: status,
            toGate: GATE_ON_STATUS[status],
            reason: "moved here",
            payload: expect.objectContaining({ imported: true }),
          }),
        ]);
        expect(decision.reviews).toEqual([]);
        expect(decision.dispatches).toEqual([]);
      }
    }
  });

  test("starts queued if no status is given", () => {
    const start = { kind: "pre_qa", reason: "moved here" } as const;
    const { decision } = expectAccepted(decideCreate({ ...input, start }, context("reviewer")));
    expect(decision.events[0]?.toStatus).toBe("queued");
  });

  test("rejects a start status that the kind does not have", () => {
    const missing = STEP_KINDS.flatMap((kind) =>
      START_STATUSES.filter((status) => !startStatuses(kind).includes(status)).map(
        (status) => ({ kind, status }) as const,
      ),
    );
    expect(missing).toEqual(MISSING_START_STATUSES);
    for (const start of missing) {
      const refusal = expectRefused(
        decideCreate({ ...input, start: { ...start, reason: "moved here" } }, context("reviewer")),
        "validation_failed",
      );
      expect(refusal.issues).toMatchObject([{ path: ["start", "status"], code: "not_in_kind" }]);
    }
  });

  test("requires an operator, or a reviewer if a start is given", () => {
    const start = { kind: "delivery", reason: "moved here" } as const;
    const asViewer = expectRefused(decideCreate(input, context("viewer")), "forbidden");
    expect(asViewer.required).toBe("operator");
    const asOperator = expectRefused(
      decideCreate({ ...input, start }, context("operator")),
      "forbidden",
    );
    expect(asOperator.required).toBe("reviewer");
    expectRefused(decideCreate(input, context("service")), "forbidden");
  });
});

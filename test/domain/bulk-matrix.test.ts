import { describe, expect, test } from "vitest";
import {
  BULK_ALLOWED_TARGETS,
  BULK_STEP_STATUS,
  BULK_TARGETS,
} from "../../src/domain/bulk/matrix.ts";
import { buttonLabel } from "../../src/domain/bulk/button-label.ts";
import { UNIFIED_STATUSES } from "../../src/domain/status/unified.ts";
import { BULK_ALLOWED_TARGETS_TEXT, BULK_STEP_STATUS_TEXT, parseRows } from "./support/tables.ts";

const expected = parseRows(BULK_ALLOWED_TARGETS_TEXT);

describe("the bulk matrix", () => {
  test("has a row for each label, in the order of the labels, and six targets", () => {
    expect(Object.keys(BULK_ALLOWED_TARGETS)).toEqual([...UNIFIED_STATUSES]);
    expect(BULK_TARGETS).toEqual([
      "SUBMITTED",
      "IN_REVIEW",
      "CHANGES_REQUESTED",
      "PASSED",
      "REJECTED",
      "DUPLICATE",
    ]);
  });

  test.each(UNIFIED_STATUSES)("allows from %s exactly the expected targets", (label) => {
    expect(BULK_ALLOWED_TARGETS[label]).toEqual(expected.get(label));
  });

  test("allows 19 of its 78 cells", () => {
    const filled = UNIFIED_STATUSES.flatMap((label) => BULK_ALLOWED_TARGETS[label]);
    expect(filled).toHaveLength(19);
    expect(UNIFIED_STATUSES.length * BULK_TARGETS.length).toBe(78);
  });

  test("writes the expected step status for each target", () => {
    const rows = parseRows(BULK_STEP_STATUS_TEXT);
    expect(Object.entries(BULK_STEP_STATUS)).toEqual(
      BULK_TARGETS.map((target) => [target, rows.get(target)?.[0]]),
    );
  });
});

describe("the label of the button", () => {
  const pipelines = [{ tasks: 2 }];

  test("says that only the status changes if the box is not checked", () => {
    expect(buttonLabel({ action: null, eligible: 3, runAttachedWorkflows: false, pipelines })).toBe(
      "Change Status Only (3)",
    );
  });

  test("says that a pipeline runs if the box is checked and a pipeline is attached", () => {
    expect(buttonLabel({ action: null, eligible: 3, runAttachedWorkflows: true, pipelines })).toBe(
      "Change Status & Run Pipeline (3)",
    );
  });

  test("promises no pipeline if no task is eligible for one", () => {
    for (const none of [[], [{ tasks: 0 }]]) {
      expect(
        buttonLabel({ action: null, eligible: 3, runAttachedWorkflows: true, pipelines: none }),
      ).toBe("Change Status Only (3)");
    }
  });
});

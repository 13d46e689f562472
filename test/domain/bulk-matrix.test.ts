import { describe, expect, test } from "vitest";
import {
  BULK_ALLOWED_TARGETS,
  BULK_STEP_STATUS,
  BULK_TARGETS,
} from "../../src/domain/bulk/matrix.ts";
import { primaryLabel } from "../../src/domain/bulk/primary-label.ts";
import { UNIFIED_STATUSES } from "../../src/domain/status/unified.ts";
import { BULK_ALLOWED_TARGETS_TEXT, BULK_STEP_STATUS_TEXT, parseRows } from "./support/tables.ts";

const written = parseRows(BULK_ALLOWED_TARGETS_TEXT);

describe("the bulk matrix", () => {
  test("has a row for each label, in their order, and the six targets", () => {
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

  test.each(UNIFIED_STATUSES)("fills from %s the cells that are written down", (label) => {
    expect(BULK_ALLOWED_TARGETS[label]).toEqual(written.get(label));
  });

  test("fills 19 of its 78 cells", () => {
    const filled = UNIFIED_STATUSES.flatMap((label) => BULK_ALLOWED_TARGETS[label]);
    expect(filled).toHaveLength(19);
    expect(UNIFIED_STATUSES.length * BULK_TARGETS.length).toBe(78);
  });

  test("writes for each target the status that is written down", () => {
    const rows = parseRows(BULK_STEP_STATUS_TEXT);
    expect(Object.entries(BULK_STEP_STATUS)).toEqual(
      BULK_TARGETS.map((target) => [target, rows.get(target)?.[0]]),
    );
  });
});

describe("the button", () => {
  const pipelines = [{ tasks: 2 }];

  test("says that only the status changes while the box is not ticked", () => {
    expect(
      primaryLabel({ action: null, eligible: 3, runAttachedWorkflows: false, pipelines }),
    ).toBe("Change Status Only (3)");
  });

  test("says that a pipeline runs when the box is ticked and one would", () => {
    expect(primaryLabel({ action: null, eligible: 3, runAttachedWorkflows: true, pipelines })).toBe(
      "Change Status & Run Pipeline (3)",
    );
  });

  test("promises no pipeline where none is eligible", () => {
    for (const none of [[], [{ tasks: 0 }]]) {
      expect(
        primaryLabel({ action: null, eligible: 3, runAttachedWorkflows: true, pipelines: none }),
      ).toBe("Change Status Only (3)");
    }
  });
});

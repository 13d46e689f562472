import { describe, expect, test } from "vitest";
import type { BulkCounts } from "../../src/domain/bulk/outcomes.ts";
import { bulkEndState, countOutcomes } from "../../src/domain/bulk/outcomes.ts";

function endStateOf(counts: Partial<BulkCounts>): string {
  return bulkEndState({ requested: 9, changed: 0, refused: 0, stale: 0, failed: 0, ...counts });
}

describe("a bulk operation", () => {
  test("is completed if tasks changed and none failed or was stale, however many were refused", () => {
    expect(endStateOf({ changed: 3 })).toBe("completed");
    expect(endStateOf({ changed: 3, refused: 6 })).toBe("completed");
  });

  test("is refused if every task was refused", () => {
    expect(endStateOf({ refused: 9 })).toBe("refused");
  });

  test("is failed if no task changed and some failed or were stale", () => {
    expect(endStateOf({ failed: 1, refused: 8 })).toBe("failed");
    expect(endStateOf({ stale: 1 })).toBe("failed");
  });

  test("is partial if some tasks changed and others failed or were stale", () => {
    expect(endStateOf({ changed: 1, stale: 8 })).toBe("partial");
    expect(endStateOf({ changed: 8, failed: 1 })).toBe("partial");
  });

  test("counts each outcome, and counts a pending task only as requested", () => {
    const outcomes = ["changed", "pending", "refused", "stale", "failed", "changed"] as const;
    expect(countOutcomes(outcomes.map((outcome) => ({ outcome })))).toEqual({
      requested: 6,
      changed: 2,
      refused: 1,
      stale: 1,
      failed: 1,
    });
  });
});

import { describe, expect, test } from "vitest";
import type { BulkCounts } from "../../src/domain/bulk/outcomes.ts";
import { bulkEndState, countOutcomes } from "../../src/domain/bulk/outcomes.ts";

function ended(counts: Partial<BulkCounts>): string {
  return bulkEndState({ requested: 9, changed: 0, refused: 0, stale: 0, failed: 0, ...counts });
}

describe("a bulk operation", () => {
  test("is completed when none failed or was stale, whatever was refused", () => {
    expect(ended({ changed: 3 })).toBe("completed");
    expect(ended({ changed: 3, refused: 6 })).toBe("completed");
    expect(ended({ refused: 9 })).toBe("completed");
  });

  test("failed when none changed and some failed or were stale", () => {
    expect(ended({ failed: 1, refused: 8 })).toBe("failed");
    expect(ended({ stale: 1 })).toBe("failed");
  });

  test("is partial when some changed and others could not", () => {
    expect(ended({ changed: 1, stale: 8 })).toBe("partial");
    expect(ended({ changed: 8, failed: 1 })).toBe("partial");
  });

  test("counts each outcome, and of those without one only that they were asked for", () => {
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

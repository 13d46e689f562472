import type { UnifiedStatus } from "../../src/domain/status/unified.ts";

/**
 * How each label is drawn. Letters are for output without color. Work in progress is blue to green, what needs someone is
 * yellow to red, and what is over is dark.
 */
export const LABEL_STYLES: Record<UnifiedStatus, { letter: string; color: number }> = {
  DRAFT: { letter: "d", color: 250 },
  CHECKING_QUALITY: { letter: "c", color: 117 },
  QUALITY_CHECK_FAILED: { letter: "f", color: 203 },
  READY_TO_SUBMIT: { letter: "r", color: 159 },
  SUBMITTED: { letter: "s", color: 75 },
  GENERATING_OUTPUT: { letter: "g", color: 69 },
  OUTPUT_FAILED: { letter: "o", color: 196 },
  IN_REVIEW: { letter: "i", color: 221 },
  CHANGES_REQUESTED: { letter: "h", color: 208 },
  PASSED: { letter: "+", color: 77 },
  DELIVERED: { letter: "#", color: 28 },
  REJECTED: { letter: "x", color: 95 },
  DUPLICATE: { letter: "=", color: 240 },
};

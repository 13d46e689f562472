import { z } from "zod";
import { STEP_KINDS, STEP_STATUSES } from "../../src/domain/lifecycle/statuses.ts";
import { BULK_REFUSALS } from "../../src/domain/bulk/judge.ts";
import { UNIFIED_STATUSES } from "../../src/domain/status/unified.ts";

// Schemas of the parts of the service's responses that the demo reads.

export const taskResponse = z.object({
  id: z.string(),
  externalId: z.string().nullable(),
  unifiedStatus: z.enum(UNIFIED_STATUSES),
  currentStep: z.object({
    id: z.string(),
    kind: z.enum(STEP_KINDS),
    status: z.enum(STEP_STATUSES),
  }),
  eventSeq: z.int(),
});

export const taskPage = z.object({
  data: z.array(taskResponse),
  nextCursor: z.string().nullable(),
});

export const lookupResponse = z.object({
  found: z.array(
    z.object({ externalId: z.string().nullable(), unifiedStatus: z.enum(UNIFIED_STATUSES) }),
  ),
});

export const movesResponse = z.object({
  items: z.array(
    z.object({
      outcome: z.enum(["changed", "refused", "stale"]),
      error: z.string().optional(),
      eventSeq: z.int().optional(),
    }),
  ),
});

export const startedRun = z.object({ id: z.string() });
export const movedTask = z.object({ task: taskResponse });

export const previewResponse = z.object({
  counts: z.object({ requested: z.int(), eligible: z.int(), refused: z.int() }),
  byCode: z.partialRecord(z.enum(BULK_REFUSALS), z.int()),
  pipelines: z.array(z.object({ name: z.string(), tasks: z.int() })),
  planToken: z.string(),
  primaryLabel: z.string(),
});

export const executionResponse = z.object({
  operationId: z.string(),
  state: z.string(),
  counts: z.object({
    changed: z.int(),
    refused: z.int(),
    stale: z.int(),
    failed: z.int(),
  }),
  items: z.array(
    z.object({
      taskId: z.string(),
      outcome: z.string(),
      code: z.string().optional(),
      from: z.enum(UNIFIED_STATUSES).nullable(),
      to: z.enum(UNIFIED_STATUSES).nullable(),
      allowed: z.array(z.string()).optional(),
    }),
  ),
});

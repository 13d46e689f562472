import { z } from "zod";
import { STEP_KINDS } from "../../src/domain/lifecycle/statuses.ts";
import { SEED_RUN_STATES } from "../../src/domain/seed/run-states.ts";
import { UNIFIED_STATUSES } from "../../src/domain/status/unified.ts";

// Schemas of the parts of the service's responses that the command reads.

export const me = z.object({
  tenant: z.object({ id: z.string(), name: z.string().nullable(), kind: z.string() }),
});

export const seedRun = z.object({
  id: z.string(),
  state: z.enum(SEED_RUN_STATES),
  seed: z.int(),
  tasks: z.int(),
  days: z.int(),
  begin: z.string(),
  anchor: z.string(),
  speed: z.number(),
  /** How far the story has been told. */
  clock: z.string(),
  wantedUntil: z.string(),
  progress: z.object({
    share: z.number(),
    actions: z.object({ applied: z.int(), refused: z.int() }),
  }),
});
export type SeedRun = z.output<typeof seedRun>;

export const seedRuns = z.object({ data: z.array(seedRun) });

export const taskCounts = z.object({
  total: z.int(),
  byUnifiedStatus: z.record(z.enum(UNIFIED_STATUSES), z.int()),
});

export const throughput = z.object({
  buckets: z.array(
    z.object({
      start: z.string(),
      created: z.int(),
      completed: z.record(z.enum(STEP_KINDS), z.int()),
      delivered: z.int(),
      rejected: z.int(),
      duplicate: z.int(),
      reworked: z.int(),
      revised: z.int(),
    }),
  ),
});
export type ThroughputDay = z.output<typeof throughput>["buckets"][number];

export const stageTimes = z.object({
  stages: z.array(
    z.object({
      kind: z.enum(STEP_KINDS),
      stays: z.int(),
      seconds: z.object({ p50: z.number() }).nullable(),
    }),
  ),
});
export type StageTimes = z.output<typeof stageTimes>["stages"];

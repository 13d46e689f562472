import * as z from "zod";
import { CRASHES_EXPLAINED_MAX, ERRORS_TOLD_MAX, readFailures } from "../db/stats/failures.ts";
import { readOutcomes, TASKS_MAX } from "../db/stats/outcomes.ts";
import { readStageTimes, STAY_ENDS_MAX } from "../db/stats/stage-times.ts";
import { EVENTS_MAX, readThroughput } from "../db/stats/throughput.ts";
import {
  BUCKET_SIZES,
  BUCKETS,
  BUCKETS_MAX,
  bucketedWindowOf,
  WINDOW_DAYS_DEFAULT,
  WINDOW_DAYS_MAX,
  windowOf,
} from "../domain/stats/window.ts";
import { reply } from "./http/call.ts";
import { defineContract } from "./http/contract.ts";
import { createHandler, type Route } from "./http/create-handler.ts";
import { booleanText, timestamp } from "./http/schemas.ts";
import { stepKind, taxonomyCode } from "./shapes/task.ts";

const count = z.int().min(0);

/** Neither end may lie where calendars differ, or where years have more digits. */
const windowEnd = timestamp.regex(/^[12]/, "Must be in the years 1000 to 2999.");

const scopeQuery = {
  taxonomyCode: taxonomyCode.optional().openapi({ description: "Only of tasks with this code." }),
  from: windowEnd.optional().openapi({
    description: `Where the window begins: ${WINDOW_DAYS_DEFAULT} days before its end where nothing is said, ${WINDOW_DAYS_MAX} at most.`,
  }),
  to: windowEnd.optional().openapi({
    description: "Where it ends, without this very moment: now where nothing is said.",
  }),
};

/** Nothing is told of a time of which not all was looked at. */
const isTruncated = (max: number, of: string) =>
  z.boolean().openapi({
    description: `Whether \`from\` is later than what was asked for, since only the newest ${max} ${of} are looked at.`,
  });

const windowFields = {
  from: timestamp.openapi({ description: "The window that the figures are of." }),
  to: timestamp,
};

const statistics = { method: "GET", tags: ["Statistics"], role: "viewer" } as const;

const outcomes = z
  .strictObject({
    open: count.openapi({ description: "Those whose label is none of the others." }),
    PASSED: count,
    DELIVERED: count,
    REJECTED: count,
    DUPLICATE: count,
  })
  .openapi("Outcomes", { description: "Tasks by the terminal label that they have now." });

const getOutcomes = defineContract({
  ...statistics,
  operationId: "getOutcomes",
  path: "/stats/outcomes",
  summary: "What has become of tasks",
  description:
    "The funnel of the tasks that were created in the window, as they stand now: how many ever came as far as each stage, at whatever step they began, and what has become of those that came no farther. Archived tasks are left out unless they are asked for.",
  query: z.strictObject({
    ...scopeQuery,
    archived: booleanText.optional().openapi({
      description: "true: the archived tasks. Otherwise, those that are not.",
    }),
  }),
  response: {
    status: 200,
    description: "Outcomes, of all and by stage.",
    schema: z
      .strictObject({
        ...windowFields,
        truncated: isTruncated(TASKS_MAX, "tasks"),
        tasks: count,
        outcomes,
        stages: z.array(
          z.strictObject({
            kind: stepKind,
            reached: count.openapi({
              description: "Tasks that ever came as far as this stage, or farther.",
            }),
            outcomes,
          }),
        ),
      })
      .openapi("OutcomeStatistics"),
  },
});

const byKind = z.record(stepKind, count);
const bucketSize = z.enum(BUCKET_SIZES);
const spans = BUCKET_SIZES.map((size) => `${BUCKETS[size].countDefault} ${size}s`);

const getThroughput = defineContract({
  ...statistics,
  operationId: "getThroughput",
  path: "/stats/throughput",
  summary: "What was done, over time",
  description: `Counted from the history in whole buckets of UTC; weeks begin on Monday. The window is widened to whole buckets, ${BUCKETS_MAX} at most; the last one may still go on. What a revert took back counts for nothing, from the moment it is taken back; what was archived since counts.`,
  query: z.strictObject({
    ...scopeQuery,
    bucket: bucketSize.default("day"),
    from: windowEnd.optional().openapi({
      description: `Within the first bucket; where nothing is said there are ${spans.join(", or ")}.`,
    }),
    to: windowEnd.optional().openapi({
      description: "Up to this moment; through the present bucket where nothing is said.",
    }),
  }),
  response: {
    status: 200,
    description: "All buckets, those in which nothing was done among them.",
    schema: z
      .strictObject({
        bucket: bucketSize,
        ...windowFields,
        truncated: isTruncated(EVENTS_MAX, "events"),
        buckets: z.array(
          z.strictObject({
            start: timestamp,
            created: count,
            completed: byKind.openapi({
              description:
                "By the stage that tasks left for the next one; those that were delivered complete the last.",
            }),
            approved: byKind.openapi({ description: "Steps that were approved, by their stage." }),
            delivered: count,
            rejected: count,
            duplicate: count,
            reworked: count.openapi({ description: "Sent back to the same or an earlier stage." }),
            revised: count.openapi({ description: "Versions after the first." }),
          }),
        ),
      })
      .openapi("ThroughputStatistics"),
  },
});

const getStageTimes = defineContract({
  ...statistics,
  operationId: "getStageTimes",
  path: "/stats/stage-times",
  summary: "How long tasks stand at each stage",
  description: `Of the stays that came to their end in the window. A stay begins with the event that opens the step, and ends with the event that opens the task's next one (advance, rework, new version), or before that with the one that ends the step (rejected, duplicate, delivered) and was not taken back. At most the newest ${STAY_ENDS_MAX} ends and approvals are looked at.`,
  query: z.strictObject(scopeQuery),
  response: {
    status: 200,
    description: "A row for each stage.",
    schema: z
      .strictObject({
        ...windowFields,
        truncated: z.boolean().openapi({
          description: `Whether there are more than the ${STAY_ENDS_MAX} that were looked at.`,
        }),
        stages: z.array(
          z.strictObject({
            kind: stepKind,
            stays: count,
            seconds: z
              .strictObject({ mean: z.number(), p50: z.number(), p90: z.number(), p99: z.number() })
              .nullable()
              .openapi({
                description:
                  "Mean and percentiles, between two stays in proportion; null without any.",
              }),
            waiting: count.openapi({
              description:
                "Tasks that stand at this stage now and are not at the end of their way, whatever the window; archived ones do not count.",
            }),
          }),
        ),
      })
      .openapi("StageTimeStatistics"),
  },
});

const getFailures = defineContract({
  ...statistics,
  operationId: "getFailures",
  path: "/stats/failures",
  summary: "What went wrong, by stage",
  description:
    "Counted from the history. `failed` means that somebody or something judged and said no, `errored` that no verdict was reached; one change counts once, and a failed review may count beside the gate that it closes. What a revert took back counts for nothing; what was archived since counts.",
  query: z.strictObject(scopeQuery),
  response: {
    status: 200,
    description: "A row for each stage.",
    schema: z
      .strictObject({
        ...windowFields,
        stages: z.array(
          z.strictObject({
            kind: stepKind,
            failed: count.openapi({ description: "Gates that became `failed`." }),
            errored: count.openapi({ description: "Gates that became `errored`." }),
            revoked: count.openapi({ description: "Gates that were open and became `revoked`." }),
            failedReviews: count.openapi({ description: "Verdicts by people and by checks." }),
            reworked: count.openapi({ description: "Tasks that were sent back from here." }),
            errors: z.array(z.strictObject({ error: z.string().nullable(), count })).openapi({
              description: `What the runs said that brought a gate to \`errored\`: the ${ERRORS_TOLD_MAX} that came most often among the newest ${CRASHES_EXPLAINED_MAX} of all stages. null where no run did, or it said nothing.`,
            }),
          }),
        ),
      })
      .openapi("FailureStatistics"),
  },
});

export const statsRoutes: readonly Route[] = [
  createHandler(getOutcomes, async ({ database, now }, { query }) => {
    const window = windowOf(query, now);
    if (!window.ok) return window;
    const { taxonomyCode, archived } = query;
    return reply(await readOutcomes(database, { window: window.value, taxonomyCode, archived }));
  }),
  createHandler(getThroughput, async ({ database, now }, { query }) => {
    const window = bucketedWindowOf(query, now);
    if (!window.ok) return window;
    const { taxonomyCode, bucket } = query;
    const told = await readThroughput(database, { window: window.value, taxonomyCode });
    return reply({ bucket, ...told });
  }),
  createHandler(getStageTimes, async ({ database, now }, { query }) => {
    const window = windowOf(query, now);
    if (!window.ok) return window;
    const { taxonomyCode } = query;
    return reply(await readStageTimes(database, { window: window.value, taxonomyCode }));
  }),
  createHandler(getFailures, async ({ database, now }, { query }) => {
    const window = windowOf(query, now);
    if (!window.ok) return window;
    const { taxonomyCode } = query;
    return reply(await readFailures(database, { window: window.value, taxonomyCode }));
  }),
];

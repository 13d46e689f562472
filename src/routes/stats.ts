import * as z from "zod";
import { CRASHES_EXPLAINED_MAX, ERRORS_LISTED_MAX, readFailures } from "../db/stats/failures.ts";
import { readOutcomes, TASKS_MAX } from "../db/stats/outcomes.ts";
import { readStageTimes, STAY_ENDS_MAX } from "../db/stats/stage-times.ts";
import { EVENTS_MAX, readThroughput, readZonedThroughput } from "../db/stats/throughput.ts";
import { readTenantNow } from "../db/tenants/tenants.ts";
import {
  BUCKET_SIZES,
  BUCKETS,
  BUCKETS_MAX,
  bucketedWindowOf,
  isTimeZone,
  tooManyBuckets,
  unknownTimeZone,
  WINDOW_DAYS_DEFAULT,
  WINDOW_DAYS_MAX,
  windowOf,
  zonedWindowOf,
} from "../domain/stats/window.ts";
import { momentIn } from "../domain/moments.ts";
import { type Call, reply } from "./http/call.ts";
import { defineContract } from "./http/contract.ts";
import { createHandler, type Route } from "./http/create-handler.ts";
import { booleanText, timeOrDay, timeOrLocalDay, timestamp } from "./http/schemas.ts";
import { stepKind, taxonomyCode } from "./shapes/task.ts";

const count = z.int().min(0);

/** A bound of the window, in years where JavaScript and Postgres agree on the calendar and years have four digits. */
const hasUsualYear = (bound: string) => /^[12]/.test(bound);
const UNUSUAL_YEAR = {
  error: "Must be in the years 1000 to 2999.",
  params: { code: "invalid_format" },
};
const windowBound = timeOrDay.refine(hasUsualYear, UNUSUAL_YEAR);
const zonedBound = timeOrLocalDay.refine(hasUsualYear, UNUSUAL_YEAR);

const scopeQuery = {
  taxonomyCode: taxonomyCode.optional().openapi({ description: "Only tasks with this code." }),
  from: windowBound.optional().openapi({
    description: `The start of the window, inclusive. Defaults to ${WINDOW_DAYS_DEFAULT} days before \`to\`; at most ${WINDOW_DAYS_MAX} days before.`,
  }),
  to: windowBound.optional().openapi({
    description: "The end of the window, exclusive. Defaults to the current time.",
  }),
};

/** Statistics cover only the part of the window that was read completely. */
const isTruncated = (max: number, items: string) =>
  z.boolean().openapi({
    description: `Whether \`from\` is later than requested, because at most the newest ${max} ${items} are read.`,
  });

const windowFields = {
  from: timestamp.openapi({ description: "The start of the window that the statistics cover." }),
  to: timestamp,
};

const statistics = { method: "GET", tags: ["Statistics"], role: "viewer" } as const;

const outcomes = z
  .strictObject({
    open: count.openapi({ description: "Tasks with any other label." }),
    PASSED: count,
    DELIVERED: count,
    REJECTED: count,
    DUPLICATE: count,
  })
  .openapi("Outcomes", { description: "The number of tasks by their current terminal label." });

const getOutcomes = defineContract({
  ...statistics,
  operationId: "getOutcomes",
  path: "/stats/outcomes",
  summary: "Retrieve task outcomes",
  description:
    "Returns the funnel of the tasks that were created in the window, as of now: how many tasks reached each stage or a later one, whichever stage they started at, and the outcomes of the tasks that got no further. Archived tasks are excluded by default.",
  query: z.strictObject({
    ...scopeQuery,
    archived: booleanText.optional().openapi({
      description:
        "`true` counts only archived tasks. By default, only tasks that are not archived are counted.",
    }),
  }),
  response: {
    status: 200,
    description: "The outcomes of all tasks and by stage.",
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
              description: "The number of tasks that reached this stage or a later one.",
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
  summary: "Retrieve throughput",
  description: `Counts the changes in the history by time bucket. Days and weeks start at midnight of \`timeZone\`, so a day with a change of summer time has 23 or 25 hours; weeks start on Monday. The window is extended to whole buckets, at most ${BUCKETS_MAX}; the last bucket may not be over yet. Changes that were reverted are not counted. Tasks that were archived since are counted.`,
  query: z.strictObject({
    ...scopeQuery,
    bucket: bucketSize.default("day"),
    timeZone: z
      .string()
      .refine(
        isTimeZone,
        "Must be a time zone of the IANA database, such as Europe/Berlin, or UTC.",
      )
      .default("UTC")
      .openapi({
        description:
          "The time zone of the buckets: a name of the IANA database with its area, or `UTC`.",
        example: "Europe/Berlin",
      }),
    from: zonedBound.optional().openapi({
      description: `A time in the first bucket. Defaults to a window of ${spans.join(", or ")}.`,
    }),
    to: zonedBound.optional().openapi({
      description: "The end of the window. Defaults to the end of the current bucket.",
    }),
  }),
  response: {
    status: 200,
    description: "All buckets of the window, including empty ones.",
    schema: z
      .strictObject({
        bucket: bucketSize,
        timeZone: z.string(),
        ...windowFields,
        truncated: isTruncated(EVENTS_MAX, "events"),
        buckets: z.array(
          z.strictObject({
            start: timestamp,
            created: count,
            completed: byKind.openapi({
              description:
                "The number of tasks that completed each stage: they advanced to the next stage, or were delivered from the last one.",
            }),
            approved: byKind.openapi({ description: "The number of approved steps, by stage." }),
            delivered: count,
            rejected: count,
            duplicate: count,
            reworked: count.openapi({
              description: "The number of reworks, to the same or an earlier stage.",
            }),
            revised: count.openapi({
              description: "The number of new versions, not counting the first of each task.",
            }),
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
  summary: "Retrieve stage times",
  description: `Returns how long tasks stayed at each stage, for the stays that ended in the window. A stay starts with the event that opens the step. It ends with the event that opens the task's next step (advance, rework, or new version), or earlier with the event that makes the task rejected, duplicate, or delivered, unless that was reverted. At most the newest ${STAY_ENDS_MAX} ends of stays and approvals are read.`,
  query: z.strictObject(scopeQuery),
  response: {
    status: 200,
    description: "One entry for each stage.",
    schema: z
      .strictObject({
        ...windowFields,
        truncated: z.boolean().openapi({
          description: `Whether there are more than ${STAY_ENDS_MAX} ends of stays and approvals. Only the newest were read.`,
        }),
        stages: z.array(
          z.strictObject({
            kind: stepKind,
            stays: count.openapi({ description: "The number of stays that ended in the window." }),
            seconds: z
              .strictObject({ mean: z.number(), p50: z.number(), p90: z.number(), p99: z.number() })
              .nullable()
              .openapi({
                description:
                  "The mean and the percentiles of the durations, in seconds. Percentiles are interpolated. Null if there are no stays.",
              }),
            waiting: count.openapi({
              description:
                "The number of tasks that are at this stage now, regardless of the window. Excludes archived tasks and tasks that are delivered, rejected, or duplicate.",
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
  summary: "Retrieve failures by stage",
  description:
    "Counts the failures in the history. `failed` means that a person or a check gave a negative verdict; `errored` means that there was no verdict. Each change counts once. A failed review can count in addition to the gate that it closes. Changes that were reverted are not counted. Tasks that were archived since are counted.",
  query: z.strictObject(scopeQuery),
  response: {
    status: 200,
    description: "One entry for each stage.",
    schema: z
      .strictObject({
        ...windowFields,
        stages: z.array(
          z.strictObject({
            kind: stepKind,
            failed: count.openapi({ description: "The number of gates that became `failed`." }),
            errored: count.openapi({ description: "The number of gates that became `errored`." }),
            revoked: count.openapi({
              description: "The number of open gates that became `revoked`.",
            }),
            failedReviews: count.openapi({
              description: "The number of failed reviews by people and by checks.",
            }),
            reworked: count.openapi({ description: "The number of reworks from this stage." }),
            errors: z.array(z.strictObject({ error: z.string().nullable(), count })).openapi({
              description: `The ${ERRORS_LISTED_MAX} most frequent errors of the worker runs that made a gate \`errored\`, among the newest ${CRASHES_EXPLAINED_MAX} of all stages. \`error\` is null if no run was the cause, or if it reported no error.`,
            }),
          }),
        ),
      })
      .openapi("FailureStatistics"),
  },
});

export const statsRoutes: readonly Route[] = [
  createHandler(getOutcomes, async (call, { query }) => {
    const window = windowOf(query, await presentOf(call));
    if (!window.ok) return window;
    const { taxonomyCode, archived } = query;
    return reply(
      await readOutcomes(call.database, { window: window.value, taxonomyCode, archived }),
    );
  }),
  createHandler(getThroughput, async (call, { query }) => {
    const { database } = call;
    const { taxonomyCode, bucket, timeZone } = query;
    const asked = {
      bucket,
      timeZone,
      from: query.from && momentIn(timeZone, query.from),
      to: query.to && momentIn(timeZone, query.to),
    };
    if (timeZone === "UTC") {
      const window = bucketedWindowOf(asked, await presentOf(call));
      if (!window.ok) return window;
      const throughput = await readThroughput(database, { window: window.value, taxonomyCode });
      return reply({ bucket, timeZone, ...throughput });
    }
    const window = zonedWindowOf(asked, await presentOf(call));
    if (!window.ok) return window;
    const throughput = await readZonedThroughput(database, { window: window.value, taxonomyCode });
    if (throughput === null) return unknownTimeZone();
    // Only the database knows how many days the zone has in this window.
    if (throughput.buckets.length > BUCKETS_MAX) return tooManyBuckets();
    return reply({ bucket, timeZone, ...throughput });
  }),
  createHandler(getStageTimes, async (call, { query }) => {
    const window = windowOf(query, await presentOf(call));
    if (!window.ok) return window;
    const { taxonomyCode } = query;
    return reply(await readStageTimes(call.database, { window: window.value, taxonomyCode }));
  }),
  createHandler(getFailures, async (call, { query }) => {
    const window = windowOf(query, await presentOf(call));
    if (!window.ok) return window;
    const { taxonomyCode } = query;
    return reply(await readFailures(call.database, { window: window.value, taxonomyCode }));
  }),
];

/** Returns the present time of the tenant. Only that of a demo can be simulated, and costs a round trip. */
async function presentOf({ tenantKind, database, now }: Call): Promise<Date> {
  return tenantKind === "demo" ? readTenantNow(database) : now;
}

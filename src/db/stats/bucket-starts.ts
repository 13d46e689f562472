import { type SQL, sql } from "drizzle-orm";
import {
  type BucketedWindow,
  BUCKETS,
  bucketStarts,
  type ZonedWindow,
} from "../../domain/stats/window.ts";

/**
 * An array of the start of each bucket of the window, and the end of the last one. Postgres has the rules of time zones:
 * a day that begins or ends summer time has 23 or 25 hours.
 */
export function startsOf(window: BucketedWindow | ZonedWindow): SQL {
  if (!("timeZone" in window)) {
    const starts = [...bucketStarts(window), window.to];
    return sql`${`{${starts.join()}}`}::timestamptz[]`;
  }
  return window.bucket === "hour" ? hoursOf(window) : daysOf(window);
}

/** Days and weeks begin at local midnight; weeks on Monday. */
function daysOf({ bucket, timeZone, first, last }: ZonedWindow): SQL {
  const zone = sql`${timeZone}::text`;
  const unit = sql.raw(`'${bucket}'`);
  const step = sql.raw(`interval '1 ${bucket}'`);
  const localStart = (time: string) =>
    sql`date_trunc(${unit}, ${time}::timestamptz at time zone ${zone})`;
  const from =
    first === null
      ? sql`${localStart(last)} - ${BUCKETS[bucket].countDefault - 1}::integer * ${step}`
      : localStart(first);
  // Of a midnight that occurs twice, Postgres gives the second one, and the day begins with the first.
  const earlier = (difference: string) =>
    sql`when (start - interval ${sql.raw(`'${difference}'`)}) at time zone ${zone} >= midnight
        then start - interval ${sql.raw(`'${difference}'`)}`;
  return sql`(select array_agg(begins order by begins) from (
    -- A day that a time zone left out, to change sides of the date line, begins when the next one does.
    select distinct case ${earlier("1 hour")} ${earlier("30 minutes")} else start end as begins
    from (
      select midnight, midnight at time zone ${zone} as start
      from generate_series(${from}, ${localStart(last)} + ${step}, ${step}) midnight
    ) local
  ) day)`;
}

/**
 * Hours begin with the local hour, also with one that clocks show again after summer time. They are found in steps of half an
 * hour, because some time zones change by that: then the change begins an hour of its own.
 */
function hoursOf({ timeZone, first, last }: ZonedWindow): SQL {
  const truncated = (time: SQL) => sql`date_trunc('hour', ${time}, ${timeZone}::text)`;
  // Postgres keeps the offset of the time that it truncates, which may not have begun yet at the truncated one.
  const hourOf = (time: SQL) =>
    sql`case when ${truncated(truncated(time))} = ${truncated(time)} then ${truncated(time)} else ${time} end`;
  const end = sql`${last}::timestamptz`;
  const from = truncated(
    first === null
      ? sql`${end} - ${BUCKETS.hour.countDefault - 1}::integer * interval '1 hour'`
      : sql`${first}::timestamptz`,
  );
  return sql`(select array_agg(begins order by begins) from (
    select distinct ${hourOf(sql`step`)} as begins
    from generate_series(${from}, ${end} + interval '90 minutes', interval '30 minutes') step
  ) hour
  where begins <= ${end} or begins = (
    select min(${hourOf(sql`step`)}) from generate_series(${truncated(end)}, ${end} + interval '90 minutes', interval '30 minutes') step
    where ${hourOf(sql`step`)} > ${end}))`;
}

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
 * Hours begin when clocks show another hour, or the same one again after summer time. That happens at quarters of an hour:
 * some time zones are apart by quarters, and some change their clocks by half an hour.
 */
function hoursOf({ timeZone, first, last }: ZonedWindow): SQL {
  const local = sql`step at time zone ${timeZone}::text`;
  const end = sql`${last}::timestamptz`;
  const from =
    first === null
      ? sql`${end} - ${BUCKETS.hour.countDefault - 1}::integer * interval '1 hour'`
      : sql`${first}::timestamptz`;
  return sql`(
    with shown as (
      select step, date_trunc('hour', ${local}) as hour, ${local} - step at time zone 'UTC' as ahead
      -- The hour of the beginning begins in here.
      from generate_series(date_trunc('hour', ${from}, 'UTC') - interval '2 hours', ${end} + interval '2 hours',
        interval '15 minutes') step
    ),
    begun as materialized (
      select step as begins from (
        select *, lag(hour) over earlier as hour_before, lag(ahead) over earlier as ahead_before
        from shown window earlier as (order by step)) s
      where (hour, ahead) is distinct from (hour_before, ahead_before) and hour_before is not null
    )
    select array_agg(begins order by begins) from begun
    where begins >= (select max(begins) from begun where begins <= ${from})
      and begins <= (select min(begins) from begun where begins > ${end}))`;
}

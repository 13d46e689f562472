import * as z from "zod";
import {
  type FeedRead,
  type FeedStart,
  followFeed,
  readOn,
} from "../actions/history/follow-feed.ts";
import { timelineView } from "../actions/views/event-view.ts";
import type { FeedPlace } from "../db/history/feed.ts";
import { succeed, type Outcome } from "../domain/refusals.ts";
import { type Call, reply } from "./http/call.ts";
import { defineContract } from "./http/contract.ts";
import { createHandler, type Route } from "./http/create-handler.ts";
import { decodeCursor, encodeCursor } from "./http/cursor.ts";
import { integerText, LIMIT_MAX, paging, safeText } from "./http/schemas.ts";
import { byteStream, EVENT_STREAM } from "./http/streamed.ts";
import { anyEvent } from "./shapes/event.ts";

const WAIT_SECONDS_MAX = 30;
const STREAM_SECONDS_MAX = 300;
const NOW = "now";

const after = safeText(4096)
  .optional()
  .openapi({
    description: `A cursor of the feed, or \`${NOW}\` for what is written from now on. Otherwise it begins with the tenant's first event.`,
  });

const seconds = (max: number, standard: number) =>
  integerText(0, max)
    .default(standard)
    .openapi({ type: "integer", minimum: 0, maximum: max, default: standard });

const feed = {
  method: "GET",
  tags: ["Status and history"],
  role: "viewer",
  errors: ["invalid_cursor"],
} as const;

const ORDER =
  "Each event comes once, in the order in which the transactions began that wrote them; the events of a task by `seq`, those of an eval where they did not overlap. An event is shown when no other can come before it any more, so a slow writer holds the feed back and is not skipped.";

const getFeed = defineContract({
  ...feed,
  operationId: "readFeed",
  path: "/events",
  summary: "The events of all tasks and evals",
  description: `${ORDER} With \`wait\`, an empty page is answered only when nothing came for so long.`,
  query: z.strictObject({
    after,
    limit: paging.limit,
    wait: seconds(WAIT_SECONDS_MAX, 0).describe("How many seconds to wait for something."),
  }),
  response: {
    status: 200,
    description: "What comes next; `nextCursor` is for the next call.",
    schema: z
      .strictObject({
        data: z.array(anyEvent),
        nextCursor: z.string(),
        caughtUp: z.boolean().openapi({
          description: "Whether nothing more has been committed. A page may be short without it.",
        }),
      })
      .openapi("Feed"),
  },
});

const getStream = defineContract({
  ...feed,
  operationId: "streamFeed",
  path: "/events/stream",
  summary: "The events of all tasks and evals as they happen",
  description: `${ORDER} As server-sent events: \`data\` is an event, \`id\` the cursor behind it. The stream ends after \`wait\` seconds or earlier; connect again with \`Last-Event-ID\`, which goes before \`after\`, and nothing is missed.`,
  query: z.strictObject({
    after,
    wait: seconds(STREAM_SECONDS_MAX, STREAM_SECONDS_MAX).describe(
      "How many seconds the stream lasts at the most.",
    ),
  }),
  response: {
    status: 200,
    description: "The stream.",
    schema: byteStream,
    mediaType: EVENT_STREAM,
  },
});

export const feedRoutes: readonly Route[] = [
  createHandler(getFeed, async (call, { query }) => {
    const start = await startOf(call, query.after);
    if (!start.ok) return start;
    const read = await readOn({ ...call, limit: query.limit }, start.value, query.wait * 1000);
    if (!read.ok) return read;
    const { rows, next, caughtUp } = read.value;
    const nextCursor = await encodeCursor(call.signer, bindingOf(call), next);
    return reply({ data: rows.map(({ event }) => timelineView(event)), nextCursor, caughtUp });
  }),
  createHandler(getStream, async (call, { query }) => {
    const start = await startOf(call, call.lastEventId ?? query.after);
    if (!start.ok) return start;
    const reading = { ...call, limit: LIMIT_MAX };
    // Before the answer begins, so that what is wrong with the cursor or the database can still be told.
    const begun = await readOn(reading, start.value, 0);
    if (!begun.ok) return begun;
    return reply(serverSentEvents(call, followFeed(reading, begun.value, query.wait * 1000)));
  }),
];

/** One for both routes: a stream goes on where a page ended, and the reverse. */
const bindingOf = ({ tenantId }: Call) => ({
  tenantId,
  operationId: "feed",
  filter: null,
  sort: "place",
});

const cursor = z.object({
  generation: z.string(),
  txid: z.string().regex(/^\d+$/),
  feedId: z.int(),
});

async function startOf(call: Call, given: string | undefined): Promise<Outcome<FeedStart>> {
  if (given === undefined) return succeed("beginning");
  if (given === NOW) return succeed("now");
  return decodeCursor(call.signer, bindingOf(call), given, cursor);
}

const RECONNECT_MS = 1000;

/** What was read, as lines of server-sent events; where nothing was, the reader is still told where it stands. */
async function* serverSentEvents(
  call: Call,
  reads: AsyncGenerator<FeedRead, void>,
): AsyncGenerator<string, void> {
  yield `retry: ${RECONNECT_MS}\n\n`;
  for await (const { rows, next } of reads) {
    const idLine = async (place: FeedPlace) => {
      const { generation } = next;
      return `id: ${await encodeCursor(call.signer, bindingOf(call), { ...place, generation })}\n`;
    };
    const messages = rows.map(async ({ place, event }) => {
      return `${await idLine(place)}data: ${JSON.stringify(timelineView(event))}\n\n`;
    });
    yield rows.length === 0
      ? `: nothing new\n${await idLine(next)}\n`
      : (await Promise.all(messages)).join("");
  }
}

import * as z from "zod";
import {
  type FeedRead,
  type FeedStart,
  followFeed,
  pollFeed,
} from "../actions/history/follow-feed.ts";
import { timelineView } from "../actions/views/event-view.ts";
import type { FeedPlace } from "../db/history/feed.ts";
import { succeed, type Outcome, type Refusal } from "../domain/refusals.ts";
import { type Call, reply } from "./http/call.ts";
import { defineContract } from "./http/contract.ts";
import { createHandler, type Route } from "./http/create-handler.ts";
import { decodeCursor, encodeCursor } from "./http/cursor.ts";
import { integerText, LIMIT_MAX, paging, safeText } from "./http/schemas.ts";
import { byteStream, EVENT_STREAM } from "./http/streaming.ts";
import { anyEvent } from "./shapes/event.ts";

const WAIT_SECONDS_MAX = 30;
const STREAM_SECONDS_MAX = 300;
const NOW = "now";

const after = safeText(4096)
  .optional()
  .openapi({
    description: `A cursor of the feed, or \`${NOW}\` to read only new events. By default, the feed starts with the tenant's first event.`,
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
  "Each event appears once, in the order in which the transactions that wrote the events began. The events of a task are in the order of `seq`; so are the events of an eval, unless their transactions overlapped. An event appears when no earlier event can still be committed, so a slow transaction delays the feed but is never skipped.";

const getFeed = defineContract({
  ...feed,
  operationId: "readFeed",
  path: "/events",
  summary: "Read the event feed",
  description: `Returns the next events of all tasks and evals. ${ORDER} With \`wait\`, the call waits up to that many seconds for an event before it returns an empty page.`,
  query: z.strictObject({
    after,
    limit: paging.limit,
    wait: seconds(WAIT_SECONDS_MAX, 0).describe("How long to wait for an event, in seconds."),
  }),
  response: {
    status: 200,
    description: "The next events. Pass `nextCursor` as `after` in the next call.",
    schema: z
      .strictObject({
        data: z.array(anyEvent),
        nextCursor: z.string(),
        caughtUp: z.boolean().openapi({
          description:
            "Whether the page ends with the newest committed event. A page can be short without this.",
        }),
      })
      .openapi("Feed"),
  },
});

const getStream = defineContract({
  ...feed,
  operationId: "streamFeed",
  path: "/events/stream",
  summary: "Stream the event feed",
  description: `Sends the events of all tasks and evals as server-sent events. \`data\` is an event, and \`id\` is the cursor after it. ${ORDER} The stream ends after \`wait\` seconds, or earlier. If the credential ends, or its role no longer suffices, the last message has the type \`problem\`, and \`data\` has its \`error\` and \`detail\`. Reconnect with \`Last-Event-ID\` to continue without missing an event; it overrides \`after\`.`,
  query: z.strictObject({
    after,
    wait: seconds(STREAM_SECONDS_MAX, STREAM_SECONDS_MAX).describe(
      "The maximum duration of the stream, in seconds.",
    ),
  }),
  response: {
    status: 200,
    description: "A stream of server-sent events.",
    schema: byteStream,
    mediaType: EVENT_STREAM,
  },
});

export const feedRoutes: readonly Route[] = [
  createHandler(getFeed, async (call, { query }) => {
    const start = await startOf(call, query.after);
    if (!start.ok) return start;
    const read = await pollFeed({ ...call, limit: query.limit }, start.value, query.wait * 1000);
    if (!read.ok) return read;
    const { rows, next, caughtUp } = read.value;
    const nextCursor = await encodeCursor(call.signer, bindingOf(call), next);
    return reply({ data: rows.map(({ event }) => timelineView(event)), nextCursor, caughtUp });
  }),
  createHandler(getStream, async (call, { query }) => {
    const start = await startOf(call, call.lastEventId ?? query.after);
    if (!start.ok) return start;
    const reading = { ...call, limit: LIMIT_MAX };
    // The first read comes before the response starts, so that a bad cursor or a database error gets an error response.
    const first = await pollFeed(reading, start.value, 0);
    if (!first.ok) return first;
    return reply(serverSentEvents(call, followFeed(reading, first.value, query.wait * 1000)));
  }),
];

/** Both routes use the same binding, so that a stream can continue from a page's cursor and the reverse. */
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

/** Formats reads as server-sent events. An empty read sends only an `id`, so that the client's cursor advances. */
async function* serverSentEvents(
  call: Call,
  reads: AsyncGenerator<FeedRead, Refusal | null>,
): AsyncGenerator<string, void> {
  yield `retry: ${RECONNECT_MS}\n\n`;
  try {
    for (;;) {
      const read = await reads.next();
      if (read.done === true) {
        if (read.value !== null) yield problemMessage(read.value);
        return;
      }
      yield await messagesOf(call, read.value);
    }
  } finally {
    // The client may have left in the middle.
    await reads.return(null);
  }
}

async function messagesOf(call: Call, { rows, next }: FeedRead): Promise<string> {
  const idLine = async (place: FeedPlace) => {
    const { generation } = next;
    return `id: ${await encodeCursor(call.signer, bindingOf(call), { ...place, generation })}\n`;
  };
  if (rows.length === 0) return `: nothing new\n${await idLine(next)}\n`;
  const messages = rows.map(async ({ place, event }) => {
    return `${await idLine(place)}data: ${JSON.stringify(timelineView(event))}\n\n`;
  });
  return (await Promise.all(messages)).join("");
}

/** The last message of a stream whose reader is no longer admitted. */
const problemMessage = ({ code, detail }: Refusal): string =>
  `event: problem\ndata: ${JSON.stringify({ error: code, detail })}\n\n`;

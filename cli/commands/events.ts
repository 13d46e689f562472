import { parseArgs } from "node:util";
import { followFeed, type FeedEvent } from "../../client/index.ts";
import { type Command, COMMON_OPTIONS, parseOrThrow } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { jsonLine, plain } from "../render.ts";
import type { Paint } from "../terminal.ts";

export const tailEvents: Command = {
  name: "events tail",
  summary: "follow the events of all tasks and evals",
  usage: `events tail [options]

  --after CURSOR   continue after this cursor; by default, only new events are shown
  --from-start     start with the first event
  --until-now      stop after the newest event
  --json           print each event as a line of JSON

When it stops, for whatever reason, it prints the cursor to continue from.`,
  run: async (args, { terminal, connect }) => {
    const { values } = parseOrThrow(() =>
      parseArgs({
        args,
        options: {
          ...COMMON_OPTIONS,
          after: { type: "string" },
          "from-start": { type: "boolean", default: false },
          "until-now": { type: "boolean", default: false },
        },
      }),
    );
    const stepledger = await connect();
    const { write, note, paint } = terminal;
    const signal = terminal.untilInterrupted();
    const after = values.after ?? (values["from-start"] ? undefined : "now");
    let cursor = values.after;
    try {
      const waitSeconds = values["until-now"] ? 1 : undefined;
      const pages = followFeed(stepledger, { after, waitSeconds, signal });
      for await (const { data, nextCursor, caughtUp } of pages) {
        for (const event of data) write(values.json ? jsonLine(event) : eventLine(event, paint));
        cursor = nextCursor;
        if (caughtUp && values["until-now"]) break;
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      if (cursor !== undefined) note(`Continue with --after ${cursor}`);
    }
    return EXIT.done;
  },
};

function eventLine(event: FeedEvent, paint: Paint): string {
  const { at, seq, actor, reason, type } = event;
  const change = event.from === event.to ? "" : ` ${event.from ?? "·"} → ${event.to}`;
  const subject = event.stream === "task" ? `task ${event.taskId}` : `eval ${event.evalId}`;
  const step = event.stream === "task" ? ` ${event.step.kind}` : "";
  const why = reason === null ? "" : `  ${paint("dim", plain(reason))}`;
  return `${paint("dim", at)} ${subject} ${seq} ${paint("bold", type)}${step}${change} by ${plain(actor.name)}${why}`;
}

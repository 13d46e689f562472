import { parseArgs } from "node:util";
import { type AdminEvent, eachItem, PAGE_MAX, type Stepledger } from "../../client/index.ts";
import { type Command, COMMON_OPTIONS, parseOrThrow, parseWholeNumber } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { plain } from "../render.ts";
import type { Paint } from "../terminal.ts";
import { writeItems } from "../write-items.ts";

type ListInput = NonNullable<Parameters<Stepledger["listAdminEvents"]>[0]>;
type Filter = NonNullable<ListInput["query"]>;

export const listAdminEvents: Command = {
  name: "admin events",
  summary: "list the changes of keys, people, pipelines and webhooks",
  usage: `admin events [options]

  --type TYPE        only events of this type, such as key_revoked; repeat it for several types
  --subject KIND     only changes of this kind of thing, such as key or pipeline
  --id ID            only changes of the subject with this id or name
  --actor ID         only changes by the actor or the person with this id
  --limit N          at most N events, newest first (default 50)
  --all              no limit
  --json             print each event as a line of JSON`,
  run: async (args, { terminal, connect }) => {
    const { values } = parseOrThrow(() =>
      parseArgs({
        args,
        options: {
          ...COMMON_OPTIONS,
          type: { type: "string", multiple: true },
          subject: { type: "string" },
          id: { type: "string" },
          actor: { type: "string" },
          limit: { type: "string", default: "50" },
          all: { type: "boolean", default: false },
        },
      }),
    );
    const max = values.all ? Infinity : parseWholeNumber("--limit", values.limit);
    const stepledger = await connect();
    // Names as the user typed them: the service's refusal lists the valid ones.
    const query = {
      type: values.type as Filter["type"],
      subjectKind: values.subject as Filter["subjectKind"],
      subjectId: values.id,
      actor: values.actor,
      // One extra event shows whether there are more.
      limit: Math.min(max + 1, PAGE_MAX),
    };
    await writeItems(terminal, eachItem(stepledger.listAdminEvents, { query }), {
      max,
      first: "newest",
      plural: "events",
      json: values.json,
      lineOf: (event) => eventLine(event, terminal.paint),
    });
    return EXIT.done;
  },
};

function eventLine({ at, seq, type, subject, actor, reason }: AdminEvent, paint: Paint): string {
  const why = reason === null ? "" : `  ${paint("dim", plain(reason))}`;
  return `${paint("dim", at)} ${seq} ${paint("bold", type)} ${subject.kind} ${plain(subject.id)} by ${plain(actor.name)}${why}`;
}

import { parseArgs } from "node:util";
import type { Stepledger } from "../../client/index.ts";
import { changeMatching, MATCHING_OPTIONS, MATCHING_USAGE } from "../change-matching.ts";
import {
  type Command,
  COMMON_OPTIONS,
  parseOrThrow,
  parseWholeNumber,
  requireOne,
} from "../command.ts";

type Input = Parameters<Stepledger["retryWebhookDeliveries"]>[0];
type Filter = NonNullable<NonNullable<Input["body"]>["filter"]>;

export const resendDeliveries: Command = {
  name: "webhooks resend",
  summary: "send all messages of a webhook that match again",
  usage: `webhooks resend NAME [options]

  --state STATE      deliveries in this state; by default those that are dead
  --event EVENT      only messages about this event, such as task.label_changed
  --status CODE      only those whose endpoint last returned CODE
${MATCHING_USAGE}`,
  run: async (args, { terminal, connect }) => {
    const { values, positionals } = parseOrThrow(() =>
      parseArgs({
        args,
        allowPositionals: true,
        options: {
          ...COMMON_OPTIONS,
          ...MATCHING_OPTIONS,
          state: { type: "string" },
          event: { type: "string" },
          status: { type: "string" },
        },
      }),
    );
    const name = requireOne(positionals, "NAME");
    const { reason, json, status, "dry-run": dryRun } = values;
    const stepledger = await connect();
    const filter: Filter = {
      // As the user typed them: the service's refusal lists the valid names.
      state: values.state as Filter["state"],
      event: values.event as Filter["event"],
      responseStatus: status === undefined ? undefined : parseWholeNumber("--status", status),
      createdAfter: values.since,
      createdBefore: values.until,
    };
    return changeMatching(terminal, { json, verb: "sent again" }, (after) =>
      stepledger.retryWebhookDeliveries({
        params: { name },
        body: { filter, reason, dryRun, after },
      }),
    );
  },
};

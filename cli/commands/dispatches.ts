import { parseArgs } from "node:util";
import type { Stepledger } from "../../client/index.ts";
import { changeMatching, MATCHING_OPTIONS, MATCHING_USAGE } from "../change-matching.ts";
import { type Command, COMMON_OPTIONS, parseOrThrow } from "../command.ts";
import { UsageError } from "../exit-codes.ts";

type Filter = NonNullable<Parameters<Stepledger["retryDispatches"]>[0]>["body"]["filter"];

/** What the two commands differ in. */
interface Change {
  operation: "retryDispatches" | "recallDispatches";
  verb: string;
}

export const retryDispatches: Command = {
  name: "dispatches retry",
  summary: "deliver all dead dispatches that match again",
  usage: usageOf("retry"),
  run: run({ operation: "retryDispatches", verb: "delivered again" }),
};

export const recallDispatches: Command = {
  name: "dispatches recall",
  summary: "recall all dispatches that match and are not delivered yet",
  usage: usageOf("recall"),
  run: run({ operation: "recallDispatches", verb: "recalled" }),
};

function usageOf(verb: string): string {
  return `dispatches ${verb} --reason TEXT [options]

  --pipeline NAME    only of this pipeline, such as payment
  --task TASK        only of this task
  --operation ID     only those that this bulk operation requested
${MATCHING_USAGE}`;
}

function run({ operation, verb }: Change): Command["run"] {
  return async (args, { terminal, connect }) => {
    const { values } = parseOrThrow(() =>
      parseArgs({
        args,
        options: {
          ...COMMON_OPTIONS,
          ...MATCHING_OPTIONS,
          pipeline: { type: "string" },
          task: { type: "string" },
          operation: { type: "string" },
        },
      }),
    );
    const { reason, json, "dry-run": dryRun } = values;
    if (reason === undefined) throw new UsageError("--reason is missing.");
    const stepledger = await connect();
    const filter: Filter = {
      // As the user typed it: the service's refusal lists the valid names.
      pipeline: values.pipeline as Filter["pipeline"],
      task: values.task,
      bulkOperationId: values.operation,
      createdAfter: values.since,
      createdBefore: values.until,
    };
    return changeMatching(terminal, { json, verb }, (after) =>
      stepledger[operation]({ body: { filter, reason, dryRun, after } }),
    );
  };
}

import { parseArgs } from "node:util";
import type { BulkAccepted, BulkExecution, BulkOperation, Stepledger } from "../../client/index.ts";
import { type Command, COMMON_OPTIONS, type Context, onlyOne, understood } from "../command.ts";
import { EXIT, type ExitCode, UsageFault } from "../exit-codes.ts";
import { jsonLine, memberLines } from "../render.ts";
import { countsLine, tellBulk } from "../tell-bulk.ts";
import { isAgreed, type Paint } from "../terminal.ts";

const OPERATION = "  OPERATION             its id, which bulk execute tells at the end";

export const showBulk: Command = {
  name: "bulk show",
  summary: "tell how far a bulk operation is",
  usage: `bulk show OPERATION [--json]

${OPERATION}`,
  run: (args, context) =>
    tellOperation(args, context, (stepledger, operationId) =>
      stepledger.getBulkOperation({ params: { operationId } }),
    ),
};

export const cancelBulk: Command = {
  name: "bulk cancel",
  summary: "end a bulk operation before it is through",
  usage: `bulk cancel OPERATION [--json]

${OPERATION}

One that has begun ends after the tasks that are under way. What is done stays done, and bulk revert takes it back.`,
  run: (args, context) =>
    tellOperation(args, context, (stepledger, operationId) =>
      stepledger.cancelBulkOperation({ params: { operationId } }),
    ),
};

export const revertBulk: Command = {
  name: "bulk revert",
  summary: "take a bulk operation back",
  usage: `bulk revert OPERATION --reason TEXT [--yes] [--json]

${OPERATION}
  --reason TEXT         why; it is stored on every event
  --yes                 do not ask
  --json                what became of each task as a line of JSON

A task that has moved since is left as it is, and a pipeline that has left is told.
Ends with 1 when at least one task was left.`,
  run: (args, context) =>
    changeAgain(args, context, {
      takesReason: true,
      question: ({ counts }) => `Take back ${counts.changed} tasks?`,
      call: (stepledger, operationId, reason = "") =>
        stepledger.revertBulkOperation({ params: { operationId }, body: { reason } }),
    }),
};

export const retryFailed: Command = {
  name: "bulk retry-failed",
  summary: "try the tasks of a bulk operation again that failed or were stale",
  usage: `bulk retry-failed OPERATION [--reason TEXT] [--yes] [--json]

${OPERATION}
  --reason TEXT         why; else the operation's own reason
  --yes                 do not ask
  --json                what became of each task as a line of JSON

They are planned as they are now, and are an operation of their own.
Ends with 1 when at least one task was not changed.`,
  run: (args, context) =>
    changeAgain(args, context, {
      takesReason: false,
      question: ({ counts }) => `Try ${counts.failed + counts.stale} tasks again?`,
      call: (stepledger, operationId, reason) =>
        stepledger.retryFailedBulkItems({ params: { operationId }, body: { reason } }),
    }),
};

/** Tells how an operation stands, once it was read or changed. */
async function tellOperation(
  args: string[],
  { terminal, connect }: Context,
  call: (stepledger: Stepledger, operationId: string) => Promise<BulkOperation>,
): Promise<ExitCode> {
  const { values, positionals } = understood(() =>
    parseArgs({ args, allowPositionals: true, options: COMMON_OPTIONS }),
  );
  const operationId = onlyOne(positionals, "OPERATION");
  const operation = await call(await connect(), operationId);
  const lines = values.json ? [jsonLine(operation)] : operationLines(operation, terminal.paint);
  for (const line of lines) terminal.write(line);
  return EXIT.done;
}

/** Changes the tasks of an operation once more, where somebody agrees to it, and tells what became of them. */
async function changeAgain(
  args: string[],
  { terminal, connect }: Context,
  change: {
    takesReason: boolean;
    question: (operation: BulkOperation) => string;
    call: (
      stepledger: Stepledger,
      operationId: string,
      reason: string | undefined,
    ) => Promise<BulkExecution | BulkAccepted>;
  },
): Promise<ExitCode> {
  const { values, positionals } = understood(() =>
    parseArgs({
      args,
      allowPositionals: true,
      options: {
        ...COMMON_OPTIONS,
        reason: { type: "string" },
        yes: { type: "boolean", default: false },
      },
    }),
  );
  const { reason, yes, json: isJson } = values;
  const operationId = onlyOne(positionals, "OPERATION");
  if (change.takesReason && reason === undefined) throw new UsageFault("--reason is missing.");
  if (!yes && !terminal.isInteractive) throw new UsageFault("Nobody is there to ask: say --yes.");
  const stepledger = await connect();
  if (!yes) {
    const operation = await stepledger.getBulkOperation({ params: { operationId } });
    for (const line of operationLines(operation, terminal.paintTold)) terminal.tell(line);
    if (!(await isAgreed(terminal, change.question(operation)))) return EXIT.refused;
  }
  const answer = await change.call(stepledger, operationId, reason);
  return tellBulk(stepledger, answer, { terminal, isJson });
}

/** One operation, member by member. */
function operationLines(operation: BulkOperation, paint: Paint): string[] {
  const { counts, progress, dispatched, recalled, alreadyDelivered } = operation;
  const { done, pending } = progress;
  const called =
    recalled + alreadyDelivered === 0 ? null : `${recalled}, ${alreadyDelivered} had left`;
  const rows: [string, string | null][] = [
    ["operation", operation.id],
    ["change", operation.targetStatus ?? operation.action],
    ["reason", operation.reason],
    ["by", operation.actor.name],
    ["state", operation.state],
    [
      "tasks",
      pending === 0
        ? countsLine(counts)
        : `${countsLine(counts)}, ${done} of ${done + pending} done`,
    ],
    ["asked for", dispatched === 0 ? null : `${dispatched} pipelines`],
    ["called back", called],
    ["cancelling", operation.state === "running" ? operation.cancelRequestedAt : null],
    ["of", operation.parentId],
    ["reverted by", operation.revertedBy],
    ["begun", operation.createdAt],
    ["ended", operation.finishedAt],
  ];
  return memberLines(rows, paint);
}

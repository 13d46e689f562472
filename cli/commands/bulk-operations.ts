import { parseArgs } from "node:util";
import type { BulkOperation, Stepledger } from "../../client/index.ts";
import {
  type Command,
  COMMON_OPTIONS,
  type Context,
  requireOne,
  parseOrThrow,
} from "../command.ts";
import { EXIT, type ExitCode, UsageError } from "../exit-codes.ts";
import { jsonLine, memberLines } from "../render.ts";
import { previewLines } from "../preview-lines.ts";
import { countsLine, reportBulk } from "../report-bulk.ts";
import { confirm, type Paint } from "../terminal.ts";

const OPERATION =
  "  OPERATION             the operation's id, which bulk execute prints at the end";

export const showBulk: Command = {
  name: "bulk show",
  summary: "show the progress and result of a bulk operation",
  usage: `bulk show OPERATION [--json]

${OPERATION}`,
  run: (args, context) =>
    printOperation(args, context, (stepledger, operationId) =>
      stepledger.getBulkOperation({ params: { operationId } }),
    ),
};

export const cancelBulk: Command = {
  name: "bulk cancel",
  summary: "stop a bulk operation before it is finished",
  usage: `bulk cancel OPERATION [--json]

${OPERATION}

A running operation stops after the tasks it is working on. Tasks already changed stay changed; bulk revert undoes them.`,
  run: (args, context) =>
    printOperation(args, context, (stepledger, operationId) =>
      stepledger.cancelBulkOperation({ params: { operationId } }),
    ),
};

export const revertBulk: Command = {
  name: "bulk revert",
  summary: "undo a bulk operation",
  usage: `bulk revert OPERATION --reason TEXT [--yes] [--json]

${OPERATION}
  --reason TEXT         the reason, stored on every event
  --yes                 do not ask for confirmation
  --json                print each task's outcome as a line of JSON

Leaves tasks that have changed since as they are, and reports dispatches that were already delivered.
Exits with 1 if at least one task was left as it is.`,
  run: async (args, { terminal, connect }) => {
    const { isInteractive } = terminal;
    const followUp = followUpOf(args, { isInteractive, needsReason: true });
    const { operationId, reason = "", yes, isJson } = followUp;
    const params = { operationId };
    const stepledger = await connect();
    if (!yes) {
      const operation = await stepledger.getBulkOperation({ params });
      for (const line of operationLines(operation, terminal.paintNote)) terminal.note(line);
      const isConfirmed = await confirm(terminal, `Revert ${operation.counts.changed} tasks?`);
      if (!isConfirmed) return EXIT.refused;
    }
    const answer = await stepledger.revertBulkOperation({ params, body: { reason } });
    return reportBulk(stepledger, answer, { terminal, isJson });
  },
};

export const retryFailed: Command = {
  name: "bulk retry-failed",
  summary: "retry the failed and stale tasks of a bulk operation",
  usage: `bulk retry-failed OPERATION [--reason TEXT] [--yes] [--json]

${OPERATION}
  --reason TEXT         the reason; by default, the operation's own
  --yes                 do not ask for confirmation; the default is to show the plan and ask
  --json                print each task's outcome as a line of JSON

Plans the tasks in their current state, as a new operation. Nothing is changed if one of them changes meanwhile.
A revert can be retried too. It has no plan, because it only changes tasks that have not changed since.
Exits with 1 if at least one task was not changed.`,
  run: async (args, { terminal, connect }) => {
    const { operationId, reason, yes, isJson } = followUpOf(args, terminal);
    const params = { operationId };
    const stepledger = await connect();
    const operation = await stepledger.getBulkOperation({ params });
    const isRevert = operation.action === "revert";
    const plan = isRevert ? null : await stepledger.planRetryOfBulkItems({ params, body: {} });
    if (!yes) {
      const lines =
        plan === null
          ? operationLines(operation, terminal.paintNote)
          : previewLines(plan, operation, terminal.paintNote);
      for (const line of lines) terminal.note(line);
      const count = plan === null ? operation.counts.failed : plan.counts.eligible;
      if (!(await confirm(terminal, `Retry ${count} tasks?`))) return EXIT.refused;
    }
    const body = { reason, ...(plan !== null && { planToken: plan.planToken }) };
    const answer = await stepledger.retryFailedBulkItems({ params, body });
    return reportBulk(stepledger, answer, { terminal, isJson });
  },
};

/** Prints the operation that `call` returns. */
async function printOperation(
  args: string[],
  { terminal, connect }: Context,
  call: (stepledger: Stepledger, operationId: string) => Promise<BulkOperation>,
): Promise<ExitCode> {
  const { values, positionals } = parseOrThrow(() =>
    parseArgs({ args, allowPositionals: true, options: COMMON_OPTIONS }),
  );
  const operationId = requireOne(positionals, "OPERATION");
  const operation = await call(await connect(), operationId);
  const lines = values.json ? [jsonLine(operation)] : operationLines(operation, terminal.paint);
  for (const line of lines) terminal.write(line);
  return EXIT.done;
}

/** Reads the arguments of a command that opens a new operation on the tasks of an earlier one. */
function followUpOf(
  args: string[],
  { isInteractive, needsReason = false }: { isInteractive: boolean; needsReason?: boolean },
) {
  const { values, positionals } = parseOrThrow(() =>
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
  const operationId = requireOne(positionals, "OPERATION");
  if (needsReason && reason === undefined) throw new UsageError("--reason is missing.");
  if (!yes && !isInteractive) {
    throw new UsageError("Cannot ask for confirmation without a terminal: give --yes.");
  }
  return { operationId, reason, yes, isJson };
}

/** Returns one operation as name-and-value lines. */
function operationLines(operation: BulkOperation, paint: Paint): string[] {
  const { counts, progress, dispatched, recalled, alreadyDelivered } = operation;
  const { done, pending } = progress;
  const recalls =
    recalled + alreadyDelivered === 0
      ? null
      : `${recalled}, already delivered: ${alreadyDelivered}`;
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
    ["dispatched", dispatched === 0 ? null : `${dispatched} pipelines`],
    ["recalled", recalls],
    ["cancelling", operation.state === "running" ? operation.cancelRequestedAt : null],
    ["parent", operation.parentId],
    ["reverted by", operation.revertedBy],
    ["created", operation.createdAt],
    ["ended", operation.finishedAt],
  ];
  return memberLines(rows, paint);
}

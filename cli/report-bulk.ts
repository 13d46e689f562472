import {
  type BulkAccepted,
  type BulkExecution,
  type BulkOperation,
  eachItem,
  followOperation,
  PAGE_MAX,
  type Stepledger,
} from "../client/index.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { jsonLine, plain } from "./render.ts";
import type { Paint, Terminal } from "./terminal.ts";

/** How many unchanged tasks are listed. With --json all of them are. */
const SHOWN_MAX = 20;

interface Output {
  terminal: Terminal;
  isJson: boolean;
}

/** Prints the result of a bulk operation. If the service runs it in the background, waits until it ends. */
export async function reportBulk(
  stepledger: Stepledger,
  answer: BulkExecution | BulkAccepted,
  output: Output,
): Promise<ExitCode> {
  return "items" in answer
    ? reportExecution(answer, output)
    : followToEnd(stepledger, answer, output);
}

function reportExecution(execution: BulkExecution, output: Output): ExitCode {
  const { items, recalled, alreadyDelivered, ...ended } = execution;
  if (output.isJson) for (const item of items) output.terminal.write(jsonLine(item));
  const others = items.filter(({ outcome }) => outcome !== "changed").map(notChanged);
  // Only a revert reports recalls.
  const recalls = recalled === undefined ? null : { recalled, alreadyDelivered };
  return reportEnd({ ...ended, recalls }, others, output);
}

/** Waits for a background operation to end, then prints the same report as for an immediate one. */
async function followToEnd(
  stepledger: Stepledger,
  { operationId }: BulkAccepted,
  output: Output,
): Promise<ExitCode> {
  const { terminal, isJson } = output;
  terminal.note(`The service is running operation ${operationId}.`);
  const operation = await followOperation(stepledger, operationId, {
    onProgress: ({ progress: { done, pending } }) =>
      terminal.note(`${done} of ${done + pending} tasks done`),
  });
  const items = eachItem(stepledger.listBulkItems, {
    params: { operationId },
    query: { limit: PAGE_MAX },
  });
  const others: NotChanged[] = [];
  for await (const { position: _, title: __, externalId: ___, error: ____, ...item } of items) {
    if (isJson) terminal.write(jsonLine(item));
    if (item.outcome !== "changed") others.push(notChanged(item));
  }
  const { state, counts, dispatched, action, recalled, alreadyDelivered } = operation;
  const recalls = action === "revert" ? { recalled, alreadyDelivered } : null;
  return reportEnd({ operationId, state, counts, dispatched, recalls }, others, output);
}

interface Ended extends Pick<BulkOperation, "state" | "counts" | "dispatched"> {
  operationId: string;
  /** For a revert: how many dispatches it recalled, and how many were already delivered. */
  recalls: { recalled: number; alreadyDelivered: number | undefined } | null;
}

function reportEnd(ended: Ended, others: readonly NotChanged[], output: Output): ExitCode {
  const { operationId, state, counts, dispatched, recalls } = ended;
  const { terminal, isJson } = output;
  const isWhole = counts.changed === counts.requested;
  if (isJson) {
    terminal.note(jsonLine({ operationId, state, counts, dispatched, ...recalls }));
    return isWhole ? EXIT.done : EXIT.refused;
  }
  const { write, paint } = terminal;
  write(countsLine(counts));
  if (dispatched > 0) write(`pipelines dispatched: ${dispatched}`);
  if (recalls !== null) {
    const { recalled, alreadyDelivered = 0 } = recalls;
    write(`dispatches recalled: ${recalled}, already delivered: ${alreadyDelivered}`);
  }
  if (state === "refused") write("every task was refused, so nothing was changed");
  for (const line of notChangedLines(others, paint)) write(line);
  write(paint("dim", `operation ${operationId}`));
  return isWhole ? EXIT.done : EXIT.refused;
}

/** Returns the number of tasks per outcome as one line. */
export function countsLine({ changed, refused, stale, failed }: BulkOperation["counts"]): string {
  return `changed ${changed}, refused ${refused}, stale ${stale}, failed ${failed}`;
}

function notChanged({
  taskId,
  outcome,
  code,
  from,
  allowed,
}: BulkExecution["items"][number]): NotChanged {
  return { taskId, why: code ?? outcome, from, allowed };
}

/** A task that was not changed, or would not be, and why. */
export interface NotChanged {
  taskId: string;
  why: string | undefined;
  from: string | null;
  allowed: readonly string[] | undefined;
}

/** Returns a line for each of the first 20 tasks, and one that counts the rest. */
export function notChangedLines(items: readonly NotChanged[], paint: Paint): string[] {
  const lines = items.slice(0, SHOWN_MAX).map(({ taskId, why = "", from, allowed }) => {
    const moves = allowed === undefined ? "" : `  allowed: ${allowed.join(", ") || "nothing"}`;
    return `  ${paint("red", why.padEnd(17))} ${plain(taskId).padEnd(36)} ${(from ?? "").padEnd(20)}${moves}`.trimEnd();
  });
  const hidden = items.length - SHOWN_MAX;
  if (hidden > 0) lines.push(`  … and ${hidden} more; --json lists them all`);
  return lines;
}

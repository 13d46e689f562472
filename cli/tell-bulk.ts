import {
  type BulkAccepted,
  type BulkExecution,
  type BulkOperation,
  eachItem,
  followOperation,
  type Stepledger,
} from "../client/index.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { jsonLine, plain } from "./render.ts";
import type { Paint, Terminal } from "./terminal.ts";

/** How many tasks that do not go are shown; --json writes all of them. */
const SHOWN_MAX = 20;

interface Telling {
  terminal: Terminal;
  isJson: boolean;
}

/** Tells what a bulk operation did; one that the service works through by itself is waited for. */
export async function tellBulk(
  stepledger: Stepledger,
  answer: BulkExecution | BulkAccepted,
  telling: Telling,
): Promise<ExitCode> {
  return "items" in answer
    ? tellExecution(answer, telling)
    : followToEnd(stepledger, answer, telling);
}

function tellExecution(execution: BulkExecution, telling: Telling): ExitCode {
  const { items, recalled, alreadyDelivered, ...ended } = execution;
  if (telling.isJson) for (const item of items) telling.terminal.write(jsonLine(item));
  const others = items.filter(({ outcome }) => outcome !== "changed").map(notChanged);
  // Only a revert says what it called back.
  const calledBack = recalled === undefined ? null : { recalled, alreadyDelivered };
  return tellEnd({ ...ended, calledBack }, others, telling);
}

/** Waits for an operation that the service works through by itself, and tells of it what an execution tells. */
async function followToEnd(
  stepledger: Stepledger,
  { operationId }: BulkAccepted,
  telling: Telling,
): Promise<ExitCode> {
  const { terminal, isJson } = telling;
  terminal.tell(`The service works on operation ${operationId}.`);
  const operation = await followOperation(stepledger, operationId, {
    onProgress: ({ progress: { done, pending } }) =>
      terminal.tell(`${done} of ${done + pending} tasks are done`),
  });
  const items = eachItem(stepledger.listBulkItems, {
    params: { operationId },
    query: { limit: 200 },
  });
  const others: NotChanged[] = [];
  for await (const { position: _, error: __, ...item } of items) {
    if (isJson) terminal.write(jsonLine(item));
    if (item.outcome !== "changed") others.push(notChanged(item));
  }
  const { state, counts, dispatched, action, recalled, alreadyDelivered } = operation;
  const calledBack = action === "revert" ? { recalled, alreadyDelivered } : null;
  return tellEnd({ operationId, state, counts, dispatched, calledBack }, others, telling);
}

interface Ended extends Pick<BulkOperation, "state" | "counts" | "dispatched"> {
  operationId: string;
  /** What became of the dispatches that a revert takes back. */
  calledBack: { recalled: number; alreadyDelivered: number | undefined } | null;
}

function tellEnd(ended: Ended, others: readonly NotChanged[], telling: Telling): ExitCode {
  const { operationId, state, counts, dispatched, calledBack } = ended;
  const { terminal, isJson } = telling;
  const isWhole = counts.changed === counts.requested;
  if (isJson) {
    terminal.tell(jsonLine({ operationId, state, counts, dispatched, ...calledBack }));
    return isWhole ? EXIT.done : EXIT.refused;
  }
  const { write, paint } = terminal;
  write(countsLine(counts));
  if (dispatched > 0) write(`asked for ${dispatched} pipelines`);
  if (calledBack !== null) {
    const { recalled, alreadyDelivered = 0 } = calledBack;
    write(`called ${recalled} pipelines back, ${alreadyDelivered} had left already`);
  }
  for (const line of notChangedLines(others, paint)) write(line);
  write(paint("dim", `operation ${operationId}`));
  return isWhole ? EXIT.done : EXIT.refused;
}

/** How many tasks ended how. */
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

/** A task that is as it was, and why. */
export interface NotChanged {
  taskId: string;
  why: string | undefined;
  from: string | null;
  allowed: readonly string[] | undefined;
}

/** The first of them, line by line, and how many more there are. */
export function notChangedLines(items: readonly NotChanged[], paint: Paint): string[] {
  const lines = items.slice(0, SHOWN_MAX).map(({ taskId, why = "", from, allowed }) => {
    const ways = allowed === undefined ? "" : `  allowed: ${allowed.join(", ") || "nothing"}`;
    return `  ${paint("red", why.padEnd(17))} ${plain(taskId).padEnd(36)} ${(from ?? "").padEnd(20)}${ways}`.trimEnd();
  });
  const unshown = items.length - SHOWN_MAX;
  if (unshown > 0) lines.push(`  … and ${unshown} more; --json tells all of them`);
  return lines;
}

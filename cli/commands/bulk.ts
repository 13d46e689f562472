import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import {
  type BulkAccepted,
  type BulkExecution,
  type BulkOperation,
  type BulkPreview,
  eachItem,
  followOperation,
  type Stepledger,
} from "../../client/index.ts";
import { type Command, COMMON_OPTIONS, understood } from "../command.ts";
import { EXIT, type ExitCode, UsageFault } from "../exit-codes.ts";
import { asTarget } from "../names.ts";
import { type Change, readPlan, savePlan } from "../plan-file.ts";
import { jsonLine, labelled, plain } from "../render.ts";
import type { Paint, Terminal } from "../terminal.ts";

/** How many tasks that do not go are shown; --json writes all of them. */
const SHOWN_MAX = 20;

const CHANGE_OPTIONS = {
  ...COMMON_OPTIONS,
  to: { type: "string" },
  file: { type: "string" },
  "duplicate-of": { type: "string" },
  "run-pipelines": { type: "boolean", default: false },
} as const;

const CHANGE_USAGE = `  --to TARGET           SUBMITTED, IN_REVIEW, CHANGES_REQUESTED, PASSED, REJECTED or DUPLICATE
  --file FILE           tasks, one a line; - reads standard input. Empty lines and those after # do not count
  --duplicate-of TASK   with DUPLICATE: of which task
  --run-pipelines       run the pipelines attached to the target; none runs unasked`;

export const previewBulk: Command = {
  name: "bulk preview",
  summary: "tell what a bulk change would do, and do nothing",
  usage: `bulk preview --to TARGET (--file FILE | TASK...) [options]

${CHANGE_USAGE}
  --save PLAN           write the plan down, for bulk execute --plan PLAN
  --json                the whole plan as a line of JSON

Ends with 1 when at least one task would be refused.`,
  run: async (args, { terminal, connect }) => {
    const { values, positionals } = understood(() =>
      parseArgs({
        args,
        allowPositionals: true,
        options: { ...CHANGE_OPTIONS, save: { type: "string" } },
      }),
    );
    const change = await readChange(values, positionals, terminal);
    const stepledger = await connect();
    const preview = await stepledger.previewBulk({ body: change });
    if (values.save !== undefined) {
      const { planToken, expiresAt } = preview;
      await savePlan(values.save, { ...change, planToken });
      terminal.tell(`The plan is in ${values.save} and holds until ${expiresAt}.`);
    }
    if (values.json) terminal.write(jsonLine(preview));
    else for (const line of previewLines(preview, change, terminal.paint)) terminal.write(line);
    return preview.counts.refused === 0 ? EXIT.done : EXIT.refused;
  },
};

export const executeBulk: Command = {
  name: "bulk execute",
  summary: "change many tasks at once",
  usage: `bulk execute --reason TEXT (--plan PLAN | --to TARGET (--file FILE | TASK...)) [options]

${CHANGE_USAGE}
  --plan PLAN           a plan that bulk preview saved; tasks that changed since stop it
  --skip-stale          leave out the tasks that changed since, and change the others
  --reason TEXT         why; it is stored on every event
  --yes                 do not ask; without --plan the change is shown first
  --json                what became of each task as a line of JSON

More than 1,000 tasks are worked through by the service; the command waits for the end.
Ends with 1 when at least one task was not changed.`,
  run: async (args, { terminal, connect }) => {
    const { values, positionals } = understood(() =>
      parseArgs({
        args,
        allowPositionals: true,
        options: {
          ...CHANGE_OPTIONS,
          plan: { type: "string" },
          "skip-stale": { type: "boolean", default: false },
          reason: { type: "string" },
          yes: { type: "boolean", default: false },
        },
      }),
    );
    const { plan, reason } = values;
    if (reason === undefined) throw new UsageFault("--reason is missing.");
    const isChangeNamed = isNamed(values) || positionals.length > 0;
    if (plan !== undefined && isChangeNamed) {
      throw new UsageFault("--plan says it all: leave out the tasks and what they are to become.");
    }
    if (plan === undefined && !values.yes && !terminal.isInteractive) {
      throw new UsageFault("Nobody is there to ask: say --yes, or give a --plan.");
    }
    const stepledger = await connect();
    let planned: Change & { planToken: string };
    if (plan === undefined) {
      const change = await readChange(values, positionals, terminal);
      const preview = await stepledger.previewBulk({ body: change });
      if (!values.yes && !(await isConsented(preview, change, terminal))) return EXIT.refused;
      planned = { ...change, planToken: preview.planToken };
    } else {
      planned = await readPlan(plan);
    }
    const onStale = values["skip-stale"] ? "skip" : "abort";
    const execution = await stepledger.executeBulk({ body: { ...planned, reason, onStale } });
    const isJson = values.json;
    if ("items" in execution) return tellExecution(execution, { terminal, isJson });
    return followToEnd(stepledger, execution, { terminal, isJson });
  },
};

interface ChangeValues {
  to?: string | undefined;
  file?: string | undefined;
  "duplicate-of"?: string | undefined;
  "run-pipelines": boolean;
}

/** Whether any option says something of the change. */
function isNamed(values: ChangeValues): boolean {
  const named = [values.to, values.file, values["duplicate-of"]];
  return values["run-pipelines"] || named.some((value) => value !== undefined);
}

async function readChange(
  values: ChangeValues,
  tasks: readonly string[],
  terminal: Terminal,
): Promise<Change> {
  const { to, file } = values;
  if (to === undefined) throw new UsageFault("--to is missing.");
  if ((file === undefined) === (tasks.length === 0)) {
    throw new UsageFault("Name the tasks, or give a --file of them.");
  }
  const taskIds = file === undefined ? tasks : await readTasks(file, terminal);
  if (taskIds.length === 0) throw new UsageFault(`${file} names no task.`);
  return {
    targetStatus: asTarget(to),
    taskIds,
    duplicateOf: values["duplicate-of"],
    runAttachedWorkflows: values["run-pipelines"],
  };
}

async function readTasks(file: string, { readInput }: Terminal): Promise<string[]> {
  const text = file === "-" ? await readInput() : await readText(file);
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new UsageFault(`${file} cannot be read.`, { cause: error });
  }
}

async function isConsented(preview: BulkPreview, change: Change, terminal: Terminal) {
  for (const line of previewLines(preview, change, terminal.paintTold)) terminal.tell(line);
  if (preview.counts.eligible === 0) return false;
  const answer = await terminal.ask(`${preview.primaryLabel}? [y/N] `);
  return /^y(es)?$/i.test(answer.trim());
}

const NONE = { eligible: 0, refused: 0 };

function previewLines(preview: BulkPreview, change: Change, paint: Paint): string[] {
  const { counts, bySource, pipelines, items } = preview;
  const refused = items.filter(({ decision }) => decision === "refused");
  return [
    `${counts.eligible} of ${counts.requested} would become ${labelled(change.targetStatus, paint)}`,
    ...Object.entries(bySource).map(([label, { eligible, refused } = NONE]) => {
      return `  ${label.padEnd(21)} ${eligible} eligible, ${refused} refused`;
    }),
    ...pipelines.map(({ name, tasks, alreadyDispatched }) => {
      const will = change.runAttachedWorkflows ? "runs" : "does not run without --run-pipelines";
      const before = alreadyDispatched === 0 ? "" : `, ${alreadyDispatched} were asked for before`;
      return `  ${name} ${will}: ${tasks} tasks${before}`;
    }),
    ...notChangedLines(
      refused.map(({ taskId, code, from, allowed }) => ({ taskId, why: code, from, allowed })),
      paint,
    ),
  ];
}

function tellExecution(
  execution: BulkExecution,
  { terminal, isJson }: { terminal: Terminal; isJson: boolean },
): ExitCode {
  const { items, ...ended } = execution;
  if (isJson) for (const item of items) terminal.write(jsonLine(item));
  const others = items.filter(({ outcome }) => outcome !== "changed").map(notChanged);
  return tellEnd(ended, others, { terminal, isJson });
}

/** Waits for an operation that the service works through by itself, and tells of it what an execution tells. */
async function followToEnd(
  stepledger: Stepledger,
  { operationId }: BulkAccepted,
  { terminal, isJson }: { terminal: Terminal; isJson: boolean },
): Promise<ExitCode> {
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
  return tellEnd({ ...operation, operationId }, others, { terminal, isJson });
}

type Ended = Pick<BulkOperation, "state" | "counts" | "dispatched"> & { operationId: string };

function tellEnd(
  { operationId, state, counts, dispatched }: Ended,
  others: readonly NotChanged[],
  { terminal, isJson }: { terminal: Terminal; isJson: boolean },
): ExitCode {
  const isWhole = counts.changed === counts.requested;
  if (isJson) {
    terminal.tell(jsonLine({ operationId, state, counts, dispatched }));
    return isWhole ? EXIT.done : EXIT.refused;
  }
  const { write, paint } = terminal;
  const { changed, refused, stale, failed } = counts;
  write(`changed ${changed}, refused ${refused}, stale ${stale}, failed ${failed}`);
  if (dispatched > 0) write(`asked for ${dispatched} pipelines`);
  for (const line of notChangedLines(others, paint)) write(line);
  write(paint("dim", `operation ${operationId}`));
  return isWhole ? EXIT.done : EXIT.refused;
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

interface NotChanged {
  taskId: string;
  why: string | undefined;
  from: string | null;
  allowed: readonly string[] | undefined;
}

function notChangedLines(items: readonly NotChanged[], paint: Paint): string[] {
  const lines = items.slice(0, SHOWN_MAX).map(({ taskId, why = "", from, allowed }) => {
    const ways = allowed === undefined ? "" : `  allowed: ${allowed.join(", ") || "nothing"}`;
    return `  ${paint("red", why.padEnd(17))} ${plain(taskId).padEnd(36)} ${(from ?? "").padEnd(20)}${ways}`.trimEnd();
  });
  const unshown = items.length - SHOWN_MAX;
  if (unshown > 0) lines.push(`  … and ${unshown} more; --json tells all of them`);
  return lines;
}

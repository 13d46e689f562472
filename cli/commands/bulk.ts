import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import type { BulkPreview } from "../../client/index.ts";
import { type Command, COMMON_OPTIONS, parseOrThrow, parseWholeNumber } from "../command.ts";
import { EXIT, UsageError } from "../exit-codes.ts";
import { asAction, asKind, asTarget } from "../names.ts";
import { type Change, type Intent, readPlan, savePlan } from "../plan-file.ts";
import { previewLines } from "../preview-lines.ts";
import { jsonLine } from "../render.ts";
import { reportBulk } from "../report-bulk.ts";
import { confirm, type Terminal } from "../terminal.ts";

const CHANGE_OPTIONS = {
  ...COMMON_OPTIONS,
  to: { type: "string" },
  action: { type: "string" },
  assignee: { type: "string" },
  unassign: { type: "boolean", default: false },
  priority: { type: "string" },
  "to-kind": { type: "string" },
  file: { type: "string" },
  "duplicate-of": { type: "string" },
  "run-pipelines": { type: "boolean", default: false },
} as const;

const CHANGE_USAGE = `  --to TARGET           SUBMITTED, IN_REVIEW, CHANGES_REQUESTED, PASSED, REJECTED or DUPLICATE
  --action ACTION       instead of --to: advance (through open gates), retry (failed or cancelled steps),
                        run_pipelines (for waiting steps), edit, archive, restore or rework
  --assignee NAME       with edit: the new assignee; --unassign removes the assignee
  --priority N          with edit: 0 to 100; higher is more urgent
  --to-kind KIND        with rework: the stage to go back to, such as authoring
  --file FILE           a file with one task per line, or - for standard input; empty lines and lines that begin
                        with # are ignored
  --duplicate-of TASK   with DUPLICATE: the original task
  --run-pipelines       run the pipelines attached to the change; without it, only run_pipelines runs any`;

export const previewBulk: Command = {
  name: "bulk preview",
  summary: "show what a bulk change would do, without making it",
  usage: `bulk preview (--to TARGET | --action ACTION) (--file FILE | TASK...) [options]

${CHANGE_USAGE}
  --save PLAN           save the plan to the file PLAN, for bulk execute --plan PLAN
  --json                print the whole plan as a line of JSON

Exits with 1 if at least one task would be refused.`,
  run: async (args, { terminal, connect }) => {
    const { values, positionals } = parseOrThrow(() =>
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
      terminal.note(`Saved the plan to ${values.save}. It is valid until ${expiresAt}.`);
    }
    if (values.json) terminal.write(jsonLine(preview));
    else for (const line of previewLines(preview, change, terminal.paint)) terminal.write(line);
    return preview.counts.refused === 0 ? EXIT.done : EXIT.refused;
  },
};

export const executeBulk: Command = {
  name: "bulk execute",
  summary: "change many tasks in one operation",
  usage: `bulk execute --reason TEXT (--plan PLAN | (--to TARGET | --action ACTION) (--file FILE | TASK...)) [options]

${CHANGE_USAGE}
  --plan PLAN           a plan saved by bulk preview; nothing is changed if one of its tasks has changed since
  --skip-stale          skip the tasks that have changed since the preview, and change the others
  --reason TEXT         the reason, stored on every event
  --yes                 do not ask for confirmation; without --plan, the default is to show the change and ask
  --json                print each task's outcome as a line of JSON

The service runs changes of more than 1,000 tasks in the background; the command waits until they end.
Exits with 1 if at least one task was not changed, and says so if every task was refused.`,
  run: async (args, { terminal, connect }) => {
    const { values, positionals } = parseOrThrow(() =>
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
    if (reason === undefined) throw new UsageError("--reason is missing.");
    const isChangeNamed = hasChangeOptions(values) || positionals.length > 0;
    if (plan !== undefined && isChangeNamed) {
      throw new UsageError("--plan already names the tasks and the change: leave them out.");
    }
    if (plan === undefined && !values.yes && !terminal.isInteractive) {
      throw new UsageError("Cannot ask for confirmation without a terminal: give --yes or --plan.");
    }
    const stepledger = await connect();
    let planned: Change & { planToken: string };
    if (plan === undefined) {
      const change = await readChange(values, positionals, terminal);
      const preview = await stepledger.previewBulk({ body: change });
      if (!values.yes && !(await confirmPreview(preview, change, terminal))) return EXIT.refused;
      planned = { ...change, planToken: preview.planToken };
    } else {
      planned = await readPlan(plan);
    }
    const onStale = values["skip-stale"] ? "skip" : "abort";
    const execution = await stepledger.executeBulk({ body: { ...planned, reason, onStale } });
    return reportBulk(stepledger, execution, { terminal, isJson: values.json });
  },
};

interface IntentValues {
  to?: string | undefined;
  action?: string | undefined;
  assignee?: string | undefined;
  unassign: boolean;
  priority?: string | undefined;
  "to-kind"?: string | undefined;
}

interface ChangeValues extends IntentValues {
  file?: string | undefined;
  "duplicate-of"?: string | undefined;
  "run-pipelines": boolean;
}

/** True if any option that describes the change is given. */
function hasChangeOptions(values: ChangeValues): boolean {
  const { to, action, assignee, priority, file } = values;
  const { "to-kind": toKind, "duplicate-of": duplicateOf } = values;
  const texts = [to, action, assignee, priority, file, toKind, duplicateOf];
  return values["run-pipelines"] || values.unassign || texts.some((value) => value !== undefined);
}

async function readChange(
  values: ChangeValues,
  tasks: readonly string[],
  terminal: Terminal,
): Promise<Change> {
  const { file } = values;
  const intent = readIntent(values);
  if ((file === undefined) === (tasks.length === 0)) {
    throw new UsageError("Give either the tasks or a --file that lists them.");
  }
  const taskIds = file === undefined ? tasks : await readTasks(file, terminal);
  if (taskIds.length === 0) throw new UsageError(`${file} lists no tasks.`);
  return {
    ...intent,
    taskIds,
    duplicateOf: values["duplicate-of"],
    // The action itself is a request to run pipelines.
    runAttachedWorkflows: values["run-pipelines"] || intent.action === "run_pipelines",
  };
}

function readIntent(values: IntentValues): Intent {
  const { to, action, assignee, unassign, priority, "to-kind": toKind } = values;
  if ((to === undefined) === (action === undefined)) {
    throw new UsageError("Give either --to TARGET or --action ACTION.");
  }
  if (assignee !== undefined && unassign) {
    throw new UsageError("--assignee and --unassign cannot be combined.");
  }
  const changes = {
    ...(assignee !== undefined && { assignee }),
    ...(unassign && { assignee: null }),
    ...(priority !== undefined && { priority: parseWholeNumber("--priority", priority, 0) }),
  };
  const isEdit = action === "edit";
  if (isEdit !== Object.keys(changes).length > 0) {
    throw new UsageError(
      "--action edit requires --assignee, --unassign or --priority; nothing else takes them.",
    );
  }
  if ((action === "rework") !== (toKind !== undefined)) {
    throw new UsageError("--action rework requires --to-kind KIND; nothing else takes it.");
  }
  if (to !== undefined) return { targetStatus: asTarget(to) };
  if (toKind !== undefined) return { action: "rework", toKind: asKind(toKind) };
  return { action: asAction(action ?? ""), ...(isEdit && { changes }) };
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
    throw new UsageError(`Cannot read ${file}.`, { cause: error });
  }
}

async function confirmPreview(preview: BulkPreview, change: Change, terminal: Terminal) {
  for (const line of previewLines(preview, change, terminal.paintNote)) terminal.note(line);
  if (preview.counts.eligible === 0) return false;
  return confirm(terminal, `${preview.primaryLabel}?`);
}

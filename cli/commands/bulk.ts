import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import type { BulkPreview } from "../../client/index.ts";
import { type Command, COMMON_OPTIONS, understood, wholeNumber } from "../command.ts";
import { EXIT, UsageFault } from "../exit-codes.ts";
import { asAction, asTarget } from "../names.ts";
import { type Change, type Intent, readPlan, savePlan } from "../plan-file.ts";
import { jsonLine, labelled } from "../render.ts";
import { notChangedLines, tellBulk } from "../tell-bulk.ts";
import { isAgreed, type Paint, type Terminal } from "../terminal.ts";

const CHANGE_OPTIONS = {
  ...COMMON_OPTIONS,
  to: { type: "string" },
  action: { type: "string" },
  assignee: { type: "string" },
  unassign: { type: "boolean", default: false },
  priority: { type: "string" },
  file: { type: "string" },
  "duplicate-of": { type: "string" },
  "run-pipelines": { type: "boolean", default: false },
} as const;

const CHANGE_USAGE = `  --to TARGET           SUBMITTED, IN_REVIEW, CHANGES_REQUESTED, PASSED, REJECTED or DUPLICATE
  --action ACTION       in place of a target: advance (through open gates), retry (what failed or was cancelled),
                        run_pipelines (for steps that wait) or edit
  --assignee NAME       with edit; --unassign takes the assignee away
  --priority N          with edit: 0 to 100, higher is more urgent
  --file FILE           tasks, one a line; - reads standard input. Empty lines and those after # do not count
  --duplicate-of TASK   with DUPLICATE: of which task
  --run-pipelines       run the pipelines attached to the change; none runs unasked but by run_pipelines`;

export const previewBulk: Command = {
  name: "bulk preview",
  summary: "tell what a bulk change would do, and do nothing",
  usage: `bulk preview (--to TARGET | --action ACTION) (--file FILE | TASK...) [options]

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
  usage: `bulk execute --reason TEXT (--plan PLAN | (--to TARGET | --action ACTION) (--file FILE | TASK...)) [options]

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
    return tellBulk(stepledger, execution, { terminal, isJson: values.json });
  },
};

interface IntentValues {
  to?: string | undefined;
  action?: string | undefined;
  assignee?: string | undefined;
  unassign: boolean;
  priority?: string | undefined;
}

interface ChangeValues extends IntentValues {
  file?: string | undefined;
  "duplicate-of"?: string | undefined;
  "run-pipelines": boolean;
}

/** Whether any option says something of the change. */
function isNamed(values: ChangeValues): boolean {
  const { to, action, assignee, priority, file, "duplicate-of": duplicateOf } = values;
  const named = [to, action, assignee, priority, file, duplicateOf];
  return values["run-pipelines"] || values.unassign || named.some((value) => value !== undefined);
}

async function readChange(
  values: ChangeValues,
  tasks: readonly string[],
  terminal: Terminal,
): Promise<Change> {
  const { file } = values;
  const intent = readIntent(values);
  if ((file === undefined) === (tasks.length === 0)) {
    throw new UsageFault("Name the tasks, or give a --file of them.");
  }
  const taskIds = file === undefined ? tasks : await readTasks(file, terminal);
  if (taskIds.length === 0) throw new UsageFault(`${file} names no task.`);
  return {
    ...intent,
    taskIds,
    duplicateOf: values["duplicate-of"],
    // Whoever names that action asks for pipelines by it.
    runAttachedWorkflows: values["run-pipelines"] || intent.action === "run_pipelines",
  };
}

function readIntent({ to, action, assignee, unassign, priority }: IntentValues): Intent {
  if ((to === undefined) === (action === undefined)) {
    throw new UsageFault("Say --to TARGET, or --action ACTION.");
  }
  if (assignee !== undefined && unassign) {
    throw new UsageFault("--assignee and --unassign contradict each other.");
  }
  const changes = {
    ...(assignee !== undefined && { assignee }),
    ...(unassign && { assignee: null }),
    ...(priority !== undefined && { priority: wholeNumber("--priority", priority, 0) }),
  };
  const isEdit = action === "edit";
  if (isEdit !== Object.keys(changes).length > 0) {
    throw new UsageFault(
      "--action edit takes --assignee, --unassign or --priority, nothing else does.",
    );
  }
  if (to !== undefined) return { targetStatus: asTarget(to) };
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
    throw new UsageFault(`${file} cannot be read.`, { cause: error });
  }
}

async function isConsented(preview: BulkPreview, change: Change, terminal: Terminal) {
  for (const line of previewLines(preview, change, terminal.paintTold)) terminal.tell(line);
  if (preview.counts.eligible === 0) return false;
  return isAgreed(terminal, `${preview.primaryLabel}?`);
}

const NONE = { eligible: 0, refused: 0 };

function previewLines(preview: BulkPreview, change: Change, paint: Paint): string[] {
  const { counts, bySource, pipelines, items } = preview;
  const refused = items.filter(({ decision }) => decision === "refused");
  const would =
    change.targetStatus === undefined
      ? `are eligible for ${change.action}`
      : `would become ${labelled(change.targetStatus, paint)}`;
  return [
    `${counts.eligible} of ${counts.requested} ${would}`,
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

import { parseArgs } from "node:util";
import { eachItem, PAGE_MAX, type Moved, type Task } from "../../client/index.ts";
import {
  type Command,
  COMMON_OPTIONS,
  requireOne,
  parseOrThrow,
  parseWholeNumber,
} from "../command.ts";
import { EXIT, UsageError } from "../exit-codes.ts";
import { asAttention, asKind, asLabel, asSort, asStatus } from "../names.ts";
import { jsonLine, paintLabel, nameOf, taskLine, taskLines } from "../render.ts";
import type { Paint } from "../terminal.ts";
import { writeItems } from "../write-items.ts";

export const listTasks: Command = {
  name: "tasks list",
  summary: "list the tasks that match all options",
  usage: `tasks list [options]

  --status LABEL     tasks with this label, such as IN_REVIEW; can be repeated to match any of several
  --attention CODE   tasks with this attention code, such as blocked; can be repeated to match any of several
  --kind KIND        tasks whose current step is of this kind
  --assignee NAME    tasks assigned to NAME
  --duplicate-of TASK  tasks that are duplicates of TASK now
  --q TEXT           tasks with TEXT in the title or the external id
  --sort NAME        createdAt, updatedAt, title, priority, statusSince or unifiedStatus; -NAME reverses the order
  --archived         archived tasks only
  --limit N          at most N tasks (default 50)
  --all              no limit
  --json             print each task as a line of JSON`,
  run: async (args, { terminal, connect }) => {
    const { values } = parseOrThrow(() =>
      parseArgs({
        args,
        options: {
          ...COMMON_OPTIONS,
          status: { type: "string", multiple: true },
          attention: { type: "string", multiple: true },
          kind: { type: "string" },
          assignee: { type: "string" },
          "duplicate-of": { type: "string" },
          q: { type: "string" },
          sort: { type: "string" },
          archived: { type: "boolean", default: false },
          limit: { type: "string", default: "50" },
          all: { type: "boolean", default: false },
        },
      }),
    );
    const max = values.all ? Infinity : parseWholeNumber("--limit", values.limit);
    const stepledger = await connect();
    const query = {
      unifiedStatus: values.status?.map(asLabel),
      attention: values.attention?.map(asAttention),
      stepKind: values.kind === undefined ? undefined : asKind(values.kind),
      assignee: values.assignee,
      duplicateOf: values["duplicate-of"],
      q: values.q,
      sort: values.sort === undefined ? undefined : asSort(values.sort),
      archived: values.archived ? true : undefined,
      // One extra task shows whether there are more.
      limit: Math.min(max + 1, PAGE_MAX),
    };
    await writeItems(terminal, eachItem(stepledger.listTasks, { query }), {
      max,
      first: "first",
      plural: "tasks",
      json: values.json,
      lineOf: (task) => taskLine(task, terminal.paint),
    });
    return EXIT.done;
  },
};

export const getTask: Command = {
  name: "tasks get",
  summary: "show one task",
  usage: "tasks get TASK [--json]",
  run: async (args, { terminal, connect }) => {
    const { values, positionals } = parseOrThrow(() =>
      parseArgs({ args, allowPositionals: true, options: COMMON_OPTIONS }),
    );
    const taskId = requireOne(positionals, "TASK");
    const stepledger = await connect();
    const task = await stepledger.getTask({ params: { taskId } });
    const lines = values.json ? [jsonLine(task)] : taskLines(task, terminal.paint);
    for (const line of lines) terminal.write(line);
    return EXIT.done;
  },
};

export const moveTask: Command = {
  name: "tasks move",
  summary: "move one task to another status or stage",
  usage: `tasks move TASK STATUS | --advance | --rework KIND  [options]

  STATUS                the new status of the current step, such as approved
  --advance             advance to the next stage; the gate must be open
  --rework KIND         repeat the current or an earlier stage; requires --reason
  --reason TEXT         the reason, stored on the event
  --duplicate-of TASK   with the status duplicate: the original task
  --if-seq N            move only if event N is still the task's latest
  --run-pipelines       run the pipelines attached to the move; --no-run-pipelines runs none; the default is the
                        service's
  --json                print the result as a line of JSON`,
  run: async (args, { terminal, connect }) => {
    const { values, positionals } = parseOrThrow(() =>
      parseArgs({
        args,
        allowPositionals: true,
        allowNegative: true,
        options: {
          ...COMMON_OPTIONS,
          advance: { type: "boolean", default: false },
          rework: { type: "string" },
          reason: { type: "string" },
          "duplicate-of": { type: "string" },
          "if-seq": { type: "string" },
          "run-pipelines": { type: "boolean" },
        },
      }),
    );
    const [taskId, ...statuses] = positionals;
    if (taskId === undefined) throw new UsageError("TASK is missing.");
    const { advance, rework, reason } = values;
    const ways = statuses.length + Number(advance) + Number(rework !== undefined);
    if (ways !== 1) throw new UsageError("Give one of STATUS, --advance or --rework KIND.");
    const duplicateOf = values["duplicate-of"];
    if (duplicateOf !== undefined && statuses.length === 0) {
      throw new UsageError("--duplicate-of requires the status duplicate.");
    }

    const params = { taskId };
    const seq = values["if-seq"];
    const ifMatch = seq === undefined ? undefined : parseWholeNumber("--if-seq", seq);
    const common = { reason, runAttachedWorkflows: values["run-pipelines"] };
    if (rework !== undefined && reason === undefined) {
      throw new UsageError("--rework requires --reason.");
    }
    const stepledger = await connect();
    const before = await stepledger.getTask({ params });
    const move = async (): Promise<Moved> => {
      if (advance) return stepledger.advanceTask({ params, ifMatch, body: common });
      if (rework !== undefined && reason !== undefined) {
        const body = { ...common, reason, toKind: asKind(rework) };
        return stepledger.reworkTask({ params, ifMatch, body });
      }
      return stepledger.transitionStep({
        params: { stepId: before.currentStep.id },
        ifMatch,
        body: {
          ...common,
          status: asStatus(requireOne(statuses, "STATUS")),
          duplicateOf,
        },
      });
    };
    const moved = await move();
    if (values.json) terminal.write(jsonLine(moved));
    else for (const line of moveLines(before, moved, terminal.paint)) terminal.write(line);
    return EXIT.done;
  },
};

function moveLines(before: Task, { task, dispatched }: Moved, paint: Paint): string[] {
  const { kind, status, gate } = task.currentStep;
  return [
    `${nameOf(task)}  ${paintLabel(before.unifiedStatus, paint)} → ${paintLabel(task.unifiedStatus, paint)}`,
    `${kind} ${status}, gate ${gate}`,
    ...dispatched.map(({ pipeline }) => `dispatched ${pipeline}`),
  ];
}

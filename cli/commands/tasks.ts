import { parseArgs } from "node:util";
import { eachItem, type Moved, type Task } from "../../client/index.ts";
import { type Command, COMMON_OPTIONS, onlyOne, understood, wholeNumber } from "../command.ts";
import { EXIT, UsageFault } from "../exit-codes.ts";
import { asAttention, asKind, asLabel, asSort, asStatus } from "../names.ts";
import { jsonLine, labelled, nameOf, taskLine, taskLines } from "../render.ts";
import type { Paint } from "../terminal.ts";

const PAGE_MAX = 200;

export const listTasks: Command = {
  name: "tasks list",
  summary: "list tasks, those that all options match",
  usage: `tasks list [options]

  --status LABEL     bears the label, such as IN_REVIEW; may be said more than once
  --attention CODE   needs it, such as blocked; may be said more than once
  --kind KIND        stands at this kind of step
  --assignee NAME    is theirs
  --q TEXT           has it in its title or external id
  --sort NAME        createdAt, updatedAt, title, priority, statusSince or unifiedStatus; -NAME turns it round
  --archived         was put away
  --limit N          the first N (50)
  --all              every one
  --json             each task as a line of JSON`,
  run: async (args, { terminal, connect }) => {
    const { values } = understood(() =>
      parseArgs({
        args,
        options: {
          ...COMMON_OPTIONS,
          status: { type: "string", multiple: true },
          attention: { type: "string", multiple: true },
          kind: { type: "string" },
          assignee: { type: "string" },
          q: { type: "string" },
          sort: { type: "string" },
          archived: { type: "boolean", default: false },
          limit: { type: "string", default: "50" },
          all: { type: "boolean", default: false },
        },
      }),
    );
    const most = values.all ? Infinity : wholeNumber("--limit", values.limit);
    const stepledger = await connect();
    const query = {
      unifiedStatus: values.status?.map(asLabel),
      attention: values.attention?.map(asAttention),
      stepKind: values.kind === undefined ? undefined : asKind(values.kind),
      assignee: values.assignee,
      q: values.q,
      sort: values.sort === undefined ? undefined : asSort(values.sort),
      archived: values.archived ? true : undefined,
      // One more than is wanted tells whether there are more.
      limit: Math.min(most + 1, PAGE_MAX),
    };
    let written = 0;
    for await (const task of eachItem(stepledger.listTasks, { query })) {
      if (written === most) {
        terminal.tell(`These are the first ${most}: --limit N or --all gives more.`);
        break;
      }
      terminal.write(values.json ? jsonLine(task) : taskLine(task, terminal.paint));
      written += 1;
    }
    if (written === 0) terminal.tell("No task matches.");
    return EXIT.done;
  },
};

export const getTask: Command = {
  name: "tasks get",
  summary: "show one task",
  usage: "tasks get TASK [--json]",
  run: async (args, { terminal, connect }) => {
    const { values, positionals } = understood(() =>
      parseArgs({ args, allowPositionals: true, options: COMMON_OPTIONS }),
    );
    const taskId = onlyOne(positionals, "TASK");
    const stepledger = await connect();
    const task = await stepledger.getTask({ params: { taskId } });
    const lines = values.json ? [jsonLine(task)] : taskLines(task, terminal.paint);
    for (const line of lines) terminal.write(line);
    return EXIT.done;
  },
};

export const moveTask: Command = {
  name: "tasks move",
  summary: "move one task",
  usage: `tasks move TASK STATUS | --advance | --rework KIND  [options]

  STATUS                the current step's new status, such as approved
  --advance             go on to the next stage, where the gate is open
  --rework KIND         do the same or an earlier stage again; takes --reason
  --reason TEXT         why; it is stored on the event
  --duplicate-of TASK   with the status duplicate: of which task
  --if-seq N            only while the task is at its event N
  --run-pipelines       run what is attached to the move, or --no-run-pipelines; else the service's own default
  --json                what was moved as a line of JSON`,
  run: async (args, { terminal, connect }) => {
    const { values, positionals } = understood(() =>
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
    if (taskId === undefined) throw new UsageFault("TASK is missing.");
    const { advance, rework, reason } = values;
    const ways = statuses.length + Number(advance) + Number(rework !== undefined);
    if (ways !== 1) throw new UsageFault("Name one STATUS, or --advance, or --rework KIND.");
    const duplicateOf = values["duplicate-of"];
    if (duplicateOf !== undefined && statuses.length === 0) {
      throw new UsageFault("--duplicate-of goes with the status duplicate.");
    }

    const params = { taskId };
    const seq = values["if-seq"];
    const ifMatch = seq === undefined ? undefined : wholeNumber("--if-seq", seq);
    const common = { reason, runAttachedWorkflows: values["run-pipelines"] };
    if (rework !== undefined && reason === undefined) {
      throw new UsageFault("--rework takes --reason.");
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
          status: asStatus(onlyOne(statuses, "STATUS")),
          duplicateOf,
        },
      });
    };
    const moved = await move();
    if (values.json) terminal.write(jsonLine(moved));
    else for (const line of movedLines(before, moved, terminal.paint)) terminal.write(line);
    return EXIT.done;
  },
};

function movedLines(before: Task, { task, dispatched }: Moved, paint: Paint): string[] {
  const { kind, status, gate } = task.currentStep;
  return [
    `${nameOf(task)}  ${labelled(before.unifiedStatus, paint)} → ${labelled(task.unifiedStatus, paint)}`,
    `${kind} ${status}, gate ${gate}`,
    ...dispatched.map(({ pipeline }) => `asked for ${pipeline}`),
  ];
}

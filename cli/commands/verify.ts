import { parseArgs } from "node:util";
import { eachItem, PAGE_MAX, type HistoryVerdict, type Stepledger } from "../../client/index.ts";
import { type Command, COMMON_OPTIONS, parseOrThrow } from "../command.ts";
import { EXIT, UsageError } from "../exit-codes.ts";
import { jsonLine, plain } from "../render.ts";
import type { Paint } from "../terminal.ts";

export const verify: Command = {
  name: "verify",
  summary: "recompute the hash chains of task histories",
  usage: "verify TASK... | --all [--json]",
  run: async (args, { terminal, connect }) => {
    const { values, positionals } = parseOrThrow(() =>
      parseArgs({
        args,
        allowPositionals: true,
        options: { ...COMMON_OPTIONS, all: { type: "boolean", default: false } },
      }),
    );
    if (values.all === positionals.length > 0) throw new UsageError("Give either TASK or --all.");
    const stepledger = await connect();
    const tasks = values.all ? allTasks(stepledger) : positionals;
    let broken = 0;
    let events = 0;
    for await (const task of tasks) {
      const verdict = await stepledger.verifyTaskEvents({ params: { taskId: task } });
      events += verdict.events;
      if (!verdict.valid) broken += 1;
      if (values.json) terminal.write(jsonLine({ task, ...verdict }));
      else if (!values.all || !verdict.valid) {
        terminal.write(verdictLine(task, verdict, terminal.paint));
      }
    }
    if (values.all && !values.json) terminal.write(`${events} events, ${broken} broken histories`);
    return broken === 0 ? EXIT.done : EXIT.refused;
  },
};

/** Yields the id of every task, archived ones last. */
async function* allTasks({ listTasks }: Stepledger): AsyncGenerator<string> {
  for (const archived of [false, true]) {
    const tasks = eachItem(listTasks, { query: { archived, limit: PAGE_MAX, sort: "createdAt" } });
    for await (const task of tasks) yield task.id;
  }
}

function verdictLine(task: string, verdict: HistoryVerdict, paint: Paint): string {
  const { valid, events, firstBroken } = verdict;
  if (valid) return `${plain(task)}  ${paint("green", "intact")}  ${events} events`;
  const details = firstBroken === null ? "" : ` at event ${firstBroken.seq}: ${firstBroken.reason}`;
  return `${plain(task)}  ${paint("red", "broken")}${details}`;
}

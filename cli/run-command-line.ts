import { connect, StepledgerProblem, StepledgerUnreachable } from "../client/index.ts";
import { chooseAccount } from "./account.ts";
import type { Command } from "./command.ts";
import { listAdminEvents } from "./commands/admin-events.ts";
import { cancelBulk, retryFailed, revertBulk, showBulk } from "./commands/bulk-operations.ts";
import { executeBulk, previewBulk } from "./commands/bulk.ts";
import { recallDispatches, retryDispatches } from "./commands/dispatches.ts";
import { tailEvents } from "./commands/events.ts";
import { exportItems } from "./commands/export.ts";
import { login } from "./commands/login.ts";
import { getTask, listTasks, moveTask } from "./commands/tasks.ts";
import { verify } from "./commands/verify.ts";
import { resendDeliveries } from "./commands/webhooks.ts";
import { EXIT, type ExitCode, UsageError } from "./exit-codes.ts";
import { jsonLine, plain } from "./render.ts";
import type { Terminal } from "./terminal.ts";

const COMMANDS: readonly Command[] = [
  login,
  listTasks,
  getTask,
  moveTask,
  previewBulk,
  executeBulk,
  showBulk,
  cancelBulk,
  revertBulk,
  retryFailed,
  retryDispatches,
  recallDispatches,
  resendDeliveries,
  exportItems,
  tailEvents,
  listAdminEvents,
  verify,
];

const HELP = `Usage: stepledger COMMAND [options]

${COMMANDS.map(({ name, summary }) => `  ${name.padEnd(17)} ${summary}`).join("\n")}

A TASK is a task's id, or ext: followed by its external id. With --json, each line of output is a JSON value.
"stepledger COMMAND --help" lists a command's options.
Set STEPLEDGER_URL and STEPLEDGER_KEY instead of logging in. Set NO_COLOR to turn colors off.

Exit codes: 0 done, 1 refused in whole or in part, 2 invalid command line, 3 no answer from the service.`;

/** Runs one command and returns its exit code. */
export async function runCommandLine(
  args: readonly string[],
  terminal: Terminal,
): Promise<ExitCode> {
  const isJson = args.includes("--json");
  const command = COMMANDS.find(({ name }) => isNamedBy(name, args));
  if (command === undefined) return runWithoutCommand(args, terminal);
  const rest = args.slice(command.name.split(" ").length);
  if (rest.includes("--help") || rest.includes("-h")) {
    terminal.write(usageOf(command));
    return EXIT.done;
  }
  try {
    return await command.run(rest, {
      terminal,
      connect: async () => {
        const { url, key } = await chooseAccount(terminal.environment);
        return connect({
          baseUrl: url,
          key,
          // Fewer than the client's default, because a user is waiting.
          attemptsMax: 3,
          onRetry: ({ reason, seconds }) =>
            terminal.note(`${plain(reason)}; retrying in ${seconds} s`),
        });
      },
    });
  } catch (error) {
    if (error instanceof UsageError) {
      terminal.note(`${error.message}\n\n${usageOf(command)}`);
      return EXIT.usage;
    }
    if (error instanceof StepledgerProblem) return reportProblem(error, { terminal, isJson });
    if (error instanceof StepledgerUnreachable) {
      terminal.note(plain(error.message));
      return EXIT.unavailable;
    }
    throw error;
  }
}

const isNamedBy = (name: string, args: readonly string[]): boolean =>
  name.split(" ").every((word, index) => word === args[index]);

const usageOf = ({ usage, summary }: Command): string =>
  `Usage: stepledger ${usage}\n\n${summary[0]?.toUpperCase()}${summary.slice(1)}.`;

/** Prints the help. Without a known command, only an explicit request for help is a success. */
function runWithoutCommand(args: readonly string[], terminal: Terminal): ExitCode {
  const [first] = args;
  if (first === "--help" || first === "-h" || first === "help") {
    terminal.write(HELP);
    return EXIT.done;
  }
  const error = first === undefined ? "" : `Unknown command "${plain(args.join(" "))}".\n\n`;
  terminal.note(`${error}${HELP}`);
  return EXIT.usage;
}

/** Prints the problem that the service returned, with the allowed values and calls it suggests. */
function reportProblem(
  problem: StepledgerProblem,
  { terminal, isJson }: { terminal: Terminal; isJson: boolean },
): ExitCode {
  // The client has already retried what could succeed later.
  const code = problem.retry === "same" || problem.status >= 500 ? EXIT.unavailable : EXIT.refused;
  if (isJson) {
    terminal.note(jsonLine(problem.problem));
    return code;
  }
  const { note, paintNote: paint } = terminal;
  note(`${paint("red", problem.error)}  ${plain(problem.problem.detail)}`);
  for (const { path, message } of problem.issues) {
    note(`  ${path.length === 0 ? "" : `${path.join(".")}: `}${plain(message)}`);
  }
  if (problem.allowed.length > 0) note(`  allowed: ${problem.allowed.join(", ")}`);
  for (const { method, path, body, needs = [] } of problem.next) {
    const inputs = needs.length === 0 ? "" : `, with ${needs.join(", ")}`;
    note(`  ${paint("dim", "or")} ${method} ${path} ${plain(JSON.stringify(body))}${inputs}`);
  }
  note(paint("dim", `  request ${plain(problem.requestId)}`));
  return code;
}

import { connect, StepledgerProblem, StepledgerUnreachable } from "../client/index.ts";
import { chooseAccount } from "./account.ts";
import type { Command } from "./command.ts";
import { cancelBulk, retryFailed, revertBulk, showBulk } from "./commands/bulk-operations.ts";
import { executeBulk, previewBulk } from "./commands/bulk.ts";
import { tailEvents } from "./commands/events.ts";
import { login } from "./commands/login.ts";
import { getTask, listTasks, moveTask } from "./commands/tasks.ts";
import { verify } from "./commands/verify.ts";
import { EXIT, type ExitCode, UsageFault } from "./exit-codes.ts";
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
  tailEvents,
  verify,
];

const HELP = `Usage: stepledger COMMAND [options]

${COMMANDS.map(({ name, summary }) => `  ${name.padEnd(17)} ${summary}`).join("\n")}

A TASK is an id, or ext: and an external id. --json writes one JSON value a line; COMMAND --help tells the rest.
STEPLEDGER_URL and STEPLEDGER_KEY stand for a login. NO_COLOR turns colours off.

Ends with 0 when it is done, 1 when it was refused, wholly or in part, 2 when the command was not understood,
3 when the service did not answer.`;

/** Runs one command to its exit code. */
export async function runCommandLine(
  args: readonly string[],
  terminal: Terminal,
): Promise<ExitCode> {
  const isJson = args.includes("--json");
  const command = COMMANDS.find(({ name }) => isCalled(name, args));
  if (command === undefined) return runNothing(args, terminal);
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
          // Somebody waits at the terminal.
          attemptsMax: 3,
          onRetry: ({ reason, seconds }) =>
            terminal.tell(`${plain(reason)}; again in ${seconds} s`),
        });
      },
    });
  } catch (error) {
    if (error instanceof UsageFault) {
      terminal.tell(`${error.message}\n\n${usageOf(command)}`);
      return EXIT.usage;
    }
    if (error instanceof StepledgerProblem) return tellProblem(error, { terminal, isJson });
    if (error instanceof StepledgerUnreachable) {
      terminal.tell(plain(error.message));
      return EXIT.unavailable;
    }
    throw error;
  }
}

const isCalled = (name: string, args: readonly string[]): boolean =>
  name.split(" ").every((word, index) => word === args[index]);

const usageOf = ({ usage, summary }: Command): string =>
  `Usage: stepledger ${usage}\n\n${summary[0]?.toUpperCase()}${summary.slice(1)}.`;

/** No command was named: that is fine for whoever asks for help, and for nobody else. */
function runNothing(args: readonly string[], terminal: Terminal): ExitCode {
  const [first] = args;
  if (first === "--help" || first === "-h" || first === "help") {
    terminal.write(HELP);
    return EXIT.done;
  }
  const fault = first === undefined ? "" : `There is no command "${plain(args.join(" "))}".\n\n`;
  terminal.tell(`${fault}${HELP}`);
  return EXIT.usage;
}

/** What the service said, and the way on where it told one. */
function tellProblem(
  problem: StepledgerProblem,
  { terminal, isJson }: { terminal: Terminal; isJson: boolean },
): ExitCode {
  // What may succeed later was tried again already, and in vain.
  const code = problem.retry === "same" || problem.status >= 500 ? EXIT.unavailable : EXIT.refused;
  if (isJson) {
    terminal.tell(jsonLine(problem.problem));
    return code;
  }
  const { tell, paintTold: paint } = terminal;
  tell(`${paint("red", problem.error)}  ${plain(problem.problem.detail)}`);
  for (const { path, message } of problem.issues) {
    tell(`  ${path.length === 0 ? "" : `${path.join(".")}: `}${plain(message)}`);
  }
  if (problem.allowed.length > 0) tell(`  allowed: ${problem.allowed.join(", ")}`);
  for (const { method, path, body, needs = [] } of problem.next) {
    const wants = needs.length === 0 ? "" : `, with ${needs.join(", ")}`;
    tell(`  ${paint("dim", "or")} ${method} ${path} ${plain(JSON.stringify(body))}${wants}`);
  }
  tell(paint("dim", `  request ${plain(problem.requestId)}`));
  return code;
}

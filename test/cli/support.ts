import { painter, type Terminal } from "../../cli/terminal.ts";
import { runCommandLine } from "../../cli/run-command-line.ts";

/** The exit code and output of a command. */
export interface Run {
  code: number;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  environment: Readonly<Record<string, string | undefined>>;
  /** Standard input. */
  input?: string;
  /** The user's answer to each question. Without answers, the terminal is not interactive. */
  answers?: readonly string[];
  isColored?: boolean;
  /** Called after each line of standard output. */
  onWrite?: () => void;
  untilInterrupted?: () => AbortSignal;
}

/** Runs `stepledger` in this process, with a fake terminal. */
export async function run(args: readonly string[], options: RunOptions): Promise<Run> {
  const stdout: string[] = [];
  const stderr: string[] = [];
  const answers = [...(options.answers ?? [])];
  const paint = painter(options.isColored === true);
  const terminal: Terminal = {
    write: (line) => {
      stdout.push(line);
      options.onWrite?.();
    },
    note: (line) => stderr.push(line),
    paint,
    paintNote: paint,
    environment: options.environment,
    isInteractive: options.answers !== undefined,
    ask: async (question) => {
      stderr.push(question);
      return answers.shift() ?? "";
    },
    readInput: async () => options.input ?? "",
    untilInterrupted: options.untilInterrupted ?? (() => new AbortController().signal),
  };
  const code = await runCommandLine(args, terminal);
  return { code, stdout: stdout.join("\n"), stderr: stderr.join("\n") };
}

/** Parses each line of `--json` output. */
export function parseLines<Value>(text: string): Value[] {
  // The test states the type of each line.
  return text.split("\n").map((line) => JSON.parse(line) as Value);
}

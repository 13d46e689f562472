import { painter, type Terminal } from "../../cli/terminal.ts";
import { runCommandLine } from "../../cli/run-command-line.ts";

/** What a command wrote, what it told beside it, and how it ended. */
export interface Run {
  code: number;
  written: string;
  told: string;
}

export interface RunOptions {
  environment: Readonly<Record<string, string | undefined>>;
  /** What is piped in. */
  input?: string;
  /** What somebody at the terminal answers, question by question; without it nobody is there. */
  answers?: readonly string[];
  isColoured?: boolean;
  /** Is told that a line was written. */
  onWritten?: () => void;
  untilEnded?: () => AbortSignal;
}

/** Runs `stepledger` in this process, at a terminal of the test's own. */
export async function run(args: readonly string[], options: RunOptions): Promise<Run> {
  const written: string[] = [];
  const told: string[] = [];
  const answers = [...(options.answers ?? [])];
  const paint = painter(options.isColoured === true);
  const terminal: Terminal = {
    write: (line) => {
      written.push(line);
      options.onWritten?.();
    },
    tell: (line) => told.push(line),
    paint,
    paintTold: paint,
    environment: options.environment,
    isInteractive: options.answers !== undefined,
    ask: async (question) => {
      told.push(question);
      return answers.shift() ?? "";
    },
    readInput: async () => options.input ?? "",
    untilEnded: options.untilEnded ?? (() => new AbortController().signal),
  };
  const code = await runCommandLine(args, terminal);
  return { code, written: written.join("\n"), told: told.join("\n") };
}

/** Each line of a `--json` answer. */
export function parseLines<Value>(text: string): Value[] {
  // Tests say what they expect each line to be.
  return text.split("\n").map((line) => JSON.parse(line) as Value);
}

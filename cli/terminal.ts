import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { text as readAll } from "node:stream/consumers";
import { styleText } from "node:util";
import { EXIT } from "./exit-codes.ts";

export type Color = "red" | "green" | "yellow" | "cyan" | "dim" | "bold";
export type Paint = (color: Color, text: string) => string;

/** Everything a command uses other than the service: output, input and the environment. */
export interface Terminal {
  /** Writes a line of the result to standard output. */
  write: (line: string) => void;
  /** Writes a line of progress, notes or errors to standard error. */
  note: (line: string) => void;
  /** Colors text for standard output, if that is a color terminal. */
  paint: Paint;
  /** Colors text for standard error, if that is a color terminal. */
  paintNote: Paint;
  environment: Readonly<Record<string, string | undefined>>;
  /** True if there is a user who can answer a question. */
  isInteractive: boolean;
  /** Asks a question. A secret answer is not echoed. */
  ask: (question: string, options?: { isSecret: boolean }) => Promise<string>;
  /** Reads standard input to its end. */
  readInput: () => Promise<string>;
  /** Returns a signal that aborts on SIGINT or SIGTERM, for commands that otherwise run forever. */
  untilInterrupted: () => AbortSignal;
}

/** Returns true if the user answers yes. */
export async function confirm(terminal: Terminal, question: string): Promise<boolean> {
  const answer = await terminal.ask(`${question} [y/N] `);
  return /^y(es)?$/i.test(answer.trim());
}

/** Returns the terminal of this process. */
export function processTerminal(): Terminal {
  const { stdin, stdout, stderr, env } = process;
  stdout.once("error", ({ code, message }: NodeJS.ErrnoException) => {
    // A reader such as `head` closed the pipe early, which is no error. Anything else, such as a full disk, is one.
    if (code === "EPIPE") process.exit(EXIT.done);
    stderr.write(`${message}\n`);
    process.exit(EXIT.refused);
  });
  return {
    write: (line) => stdout.write(`${line}\n`),
    note: (line) => stderr.write(`${line}\n`),
    paint: painter(isColored(stdout, env)),
    paintNote: painter(isColored(stderr, env)),
    environment: env,
    isInteractive: stdin.isTTY && stderr.isTTY,
    ask: (question, options) => ask(question, options?.isSecret === true),
    readInput: () => readAll(stdin),
    untilInterrupted,
  };
}

/** Returns a function that colors text, or one that returns it unchanged. */
export function painter(isColored: boolean): Paint {
  if (!isColored) return (_color, text) => text;
  return (color, text) => styleText(color, text, { validateStream: false });
}

/** Returns true if the stream is a terminal and the user has not opted out of colors (https://no-color.org). */
export function isColored(
  stream: { isTTY?: boolean },
  { NO_COLOR = "", TERM }: Readonly<Record<string, string | undefined>>,
): boolean {
  return stream.isTTY === true && NO_COLOR === "" && TERM !== "dumb";
}

function untilInterrupted(): AbortSignal {
  const ending = new AbortController();
  process.once("SIGINT", () => ending.abort());
  process.once("SIGTERM", () => ending.abort());
  return ending.signal;
}

async function ask(question: string, isSecret: boolean): Promise<string> {
  process.stderr.write(question);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({
    input: process.stdin,
    output: isSecret ? silent : process.stderr,
    terminal: true,
  });
  // In raw mode Ctrl-C arrives as a key and raises no signal in the process.
  lines.once("SIGINT", () => process.exit(130));
  try {
    return await lines.question("");
  } finally {
    lines.close();
    if (isSecret) process.stderr.write("\n");
  }
}

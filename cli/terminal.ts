import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { text as readAll } from "node:stream/consumers";
import { styleText } from "node:util";
import { EXIT } from "./exit-codes.ts";

export type Colour = "red" | "green" | "yellow" | "cyan" | "dim" | "bold";
export type Paint = (colour: Colour, text: string) => string;

/** All that a command sees of the world beside the service. */
export interface Terminal {
  /** A line of what was asked for. */
  write: (line: string) => void;
  /** A line about it: progress, notes, refusals. */
  tell: (line: string) => void;
  /** Colours what is written, where somebody looks at it. */
  paint: Paint;
  /** The same for what is told. */
  paintTold: Paint;
  environment: Readonly<Record<string, string | undefined>>;
  /** Whether somebody is there to answer a question. */
  isInteractive: boolean;
  /** Asks a question; what is secret does not appear while it is typed. */
  ask: (question: string, options?: { isSecret: boolean }) => Promise<string>;
  /** Everything that is piped in. */
  readInput: () => Promise<string>;
  /** For a command that would go on for ever: aborted when it is asked to end. */
  untilEnded: () => AbortSignal;
}

/** Whether somebody says yes. */
export async function isAgreed(terminal: Terminal, question: string): Promise<boolean> {
  const answer = await terminal.ask(`${question} [y/N] `);
  return /^y(es)?$/i.test(answer.trim());
}

/** The terminal of this process. */
export function processTerminal(): Terminal {
  const { stdin, stdout, stderr, env } = process;
  stdout.once("error", ({ code, message }: NodeJS.ErrnoException) => {
    // Whoever reads has seen enough, as `head` has: no fault of the command. A full disk is one.
    if (code === "EPIPE") process.exit(EXIT.done);
    stderr.write(`${message}\n`);
    process.exit(EXIT.refused);
  });
  return {
    write: (line) => stdout.write(`${line}\n`),
    tell: (line) => stderr.write(`${line}\n`),
    paint: painter(isColoured(stdout, env)),
    paintTold: painter(isColoured(stderr, env)),
    environment: env,
    isInteractive: stdin.isTTY && stderr.isTTY,
    ask: (question, options) => ask(question, options?.isSecret === true),
    readInput: () => readAll(stdin),
    untilEnded,
  };
}

/** Colours, or the plain text. */
export function painter(isColoured: boolean): Paint {
  if (!isColoured) return (_colour, text) => text;
  return (colour, text) => styleText(colour, text, { validateStream: false });
}

/** Only somebody at a terminal sees colours, and only who has not said no (https://no-color.org). */
export function isColoured(
  stream: { isTTY?: boolean },
  { NO_COLOR = "", TERM }: Readonly<Record<string, string | undefined>>,
): boolean {
  return stream.isTTY === true && NO_COLOR === "" && TERM !== "dumb";
}

function untilEnded(): AbortSignal {
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
  // The terminal is in raw mode, so that Ctrl-C is a key like any other.
  lines.once("SIGINT", () => process.exit(130));
  try {
    return await lines.question("");
  } finally {
    lines.close();
    if (isSecret) process.stderr.write("\n");
  }
}

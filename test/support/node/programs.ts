import { spawn } from "node:child_process";

/** How a program ended, and what it wrote. */
export interface Ended {
  code: number | null;
  written: string;
  told: string;
}

/** Runs a program to its end, with nothing in its environment but what is given and the path. */
export function runProgram(
  command: readonly [string, ...string[]],
  environment: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const [program, ...args] = command;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      env: { PATH: process.env["PATH"], PYTHONDONTWRITEBYTECODE: "1", ...environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let written = "";
    let told = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (written += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (told += text));
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, written, told }));
  });
}

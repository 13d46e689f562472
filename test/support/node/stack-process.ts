import { spawn, type ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { freePort } from "../../../scripts/stack/ports.ts";
import { removeHome } from "../../../scripts/stack/postgres.ts";
import { ProcessRecords } from "../../../scripts/stack/process-records.ts";
import { exitOf } from "../../../scripts/stack/processes.ts";
import type { StackFile } from "../../../scripts/stack/stack.ts";

/** A local stack as a developer starts it, with its own directory and port. */
export class StackProcess {
  readonly directory: string;
  readonly port: number;
  readonly #script: string;
  /** Every process that was started, for the cleanup. */
  readonly #started: ChildProcess[] = [];
  /** What all of them have printed. */
  output = "";

  private constructor(command: string, directory: string, port: number) {
    this.#script = `scripts/${command}.ts`;
    this.directory = directory;
    this.port = port;
  }

  /** Prepares a stack that `npm run dev` or `npm run preview` would run, without starting it. */
  static async prepare(command: "dev" | "preview"): Promise<StackProcess> {
    const directory = await mkdtemp(join(tmpdir(), "stepledger-stack-"));
    return new StackProcess(command, directory, await freePort());
  }

  /** Starts a process, by default without the story of the simulated team, and waits until the stack is up. */
  async start(...options: string[]): Promise<StackFile> {
    const child = this.spawn(...(options.length === 0 ? ["--empty"] : options));
    const ended = exitOf(child);
    for (;;) {
      const file = await this.file();
      if (file !== null && this.output.includes("Ctrl-C stops everything")) return file;
      const how = await Promise.race([ended, setTimeout(100)]);
      if (typeof how === "string") throw new Error(`The stack ended (${how}):\n${this.output}`);
    }
  }

  /** Starts another process on the same directory, with the given options, and waits for its end. */
  async startToTheEnd(...options: string[]): Promise<{ how: string; output: string }> {
    const child = this.spawn(...options);
    const how = await exitOf(child);
    return { how, output: this.output };
  }

  spawn(...options: string[]): ChildProcess {
    this.output = "";
    const args = [this.#script, `--port=${this.port}`, ...options];
    const child = spawn(process.execPath, args, {
      env: {
        PATH: process.env["PATH"],
        HOME: process.env["HOME"],
        STACK_DIRECTORY: this.directory,
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => (this.output += text));
    }
    this.#started.push(child);
    return child;
  }

  /** The content of stack.json; null if there is none. */
  async file(): Promise<StackFile | null> {
    const path = join(this.directory, "stack.json");
    return existsSync(path) ? (JSON.parse(await readFile(path, "utf8")) as StackFile) : null;
  }

  /** The ids of the processes that run now. */
  async pids(): Promise<{ node: number; workerd: number[]; postgres: number }> {
    const lock = JSON.parse(await readFile(join(this.directory, "lock"), "utf8")) as {
      pid: number;
    };
    const server = await readFile(
      join(this.directory, "postgres", "data", "postmaster.pid"),
      "utf8",
    );
    const recorded = await readdir(join(this.directory, "processes"));
    return {
      node: lock.pid,
      workerd: recorded.filter((name) => /^\d+$/.test(name)).map(Number),
      postgres: Number(server.split("\n")[0]),
    };
  }

  /** Ends everything that was started. */
  async stop(): Promise<void> {
    for (const child of this.#started) {
      child.kill("SIGTERM");
      await exitOf(child);
    }
  }

  /** Ends everything that was started, and removes the directory. */
  async remove(): Promise<void> {
    await this.stop();
    await new ProcessRecords(join(this.directory, "processes")).endAll();
    await removeHome(join(this.directory, "postgres"));
    await rm(this.directory, { recursive: true, force: true, maxRetries: 10 });
  }
}

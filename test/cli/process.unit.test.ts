import { spawn } from "node:child_process";
import { once } from "node:events";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import { isColored } from "../../cli/terminal.ts";
import { runProgram } from "../support/node/programs.ts";

const ENTRY = join(import.meta.dirname, "..", "..", "cli", "stepledger.ts");

/** Runs the program in a process of its own, without a terminal. */
const start = (args: readonly string[], environment: Record<string, string> = {}) =>
  runProgram([process.execPath, ENTRY, ...args], environment);

describe("the program", () => {
  test("starts without a build step and writes its help to a pipe without colors", async () => {
    const { code, stdout, stderr } = await start(["--help"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^Usage: stepledger/);
    expect(stdout).not.toContain("\u001B");
  });

  test("exits with 3 if the service does not answer, and names its address", async () => {
    const { code, stderr } = await start(["tasks", "get", "ext:a"], {
      STEPLEDGER_URL: "http://127.0.0.1:9",
      STEPLEDGER_KEY: "slg_key",
    });
    expect(code).toBe(3);
    expect(stderr).toContain("Cannot reach http://127.0.0.1:9");
    expect(stderr).toMatch(/retrying in \d+ s/);
  });

  test("exits with 1 if its output cannot be written", async () => {
    // Writing to a file that is open only for reading fails.
    const unwritable = await open(ENTRY, "r");
    const child = spawn(process.execPath, [ENTRY, "--help"], {
      stdio: ["ignore", unwritable.fd, "pipe"],
    });
    if (child.stderr === null) throw new Error("stderr is not piped");
    const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, "close")]);
    await unwritable.close();
    expect(code).toBe(1);
    expect(stderr).toContain("EBADF");
  });
});

describe("colors", () => {
  test.each([
    [{ isTTY: true }, {}, true],
    [{ isTTY: true }, { NO_COLOR: "" }, true],
    [{ isTTY: true }, { NO_COLOR: "1" }, false],
    [{ isTTY: true }, { TERM: "dumb" }, false],
    [{}, {}, false],
  ])("for the stream %j with the environment %j: %j", (stream, environment, expected) => {
    expect(isColored(stream, environment)).toBe(expected);
  });
});

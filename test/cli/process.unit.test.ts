import { spawn } from "node:child_process";
import { once } from "node:events";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import { isColoured } from "../../cli/terminal.ts";
import { runProgram } from "../support/node/programs.ts";

const ENTRY = join(import.meta.dirname, "..", "..", "cli", "stepledger.ts");

/** Runs the program itself, with no terminal in sight. */
const start = (args: readonly string[], environment: Record<string, string> = {}) =>
  runProgram([process.execPath, ENTRY, ...args], environment);

describe("the program", () => {
  test("starts without a build step, writes help, and takes no colour to a pipe", async () => {
    const { code, written, told } = await start(["--help"]);
    expect({ code, told }).toEqual({ code: 0, told: "" });
    expect(written).toMatch(/^Usage: stepledger/);
    expect(written).not.toContain("\u001B");
  });

  test("ends with 3 when nobody answers, and says whom it asked", async () => {
    const { code, told } = await start(["tasks", "get", "ext:a"], {
      STEPLEDGER_URL: "http://127.0.0.1:9",
      STEPLEDGER_KEY: "slg_key",
    });
    expect(code).toBe(3);
    expect(told).toContain("http://127.0.0.1:9 cannot be reached");
    expect(told).toMatch(/again in \d+ s/);
  });

  test("does not end as if it were done where its words cannot be written", async () => {
    // A file that is open for reading takes no word.
    const unwritable = await open(ENTRY, "r");
    const child = spawn(process.execPath, [ENTRY, "--help"], {
      stdio: ["ignore", unwritable.fd, "pipe"],
    });
    if (child.stderr === null) throw new Error("It is piped");
    const [told, [code]] = await Promise.all([text(child.stderr), once(child, "close")]);
    await unwritable.close();
    expect(code).toBe(1);
    expect(told).toContain("EBADF");
  });
});

describe("colours", () => {
  test.each([
    [{ isTTY: true }, {}, true],
    [{ isTTY: true }, { NO_COLOR: "" }, true],
    [{ isTTY: true }, { NO_COLOR: "1" }, false],
    [{ isTTY: true }, { TERM: "dumb" }, false],
    [{}, {}, false],
  ])("to %j under %j: %j", (stream, environment, expected) => {
    expect(isColoured(stream, environment)).toBe(expected);
  });
});

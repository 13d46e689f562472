import { vi } from "vitest";
import { exitCodeOf } from "../../../scripts/import/command.ts";

/** Runs a command in this process and returns what a person would see of it. */
export async function seen(run: () => Promise<number>) {
  const out: string[] = [];
  const err: string[] = [];
  const spies = [
    vi.spyOn(console, "log").mockImplementation((line) => void out.push(String(line))),
    vi.spyOn(console, "error").mockImplementation((line) => void err.push(String(line))),
    vi.spyOn(process.stderr, "write").mockImplementation((text) => err.push(String(text)) > 0),
  ];
  try {
    const code = await exitCodeOf(run);
    return { code, out: out.join("\n"), err: err.join("\n") };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

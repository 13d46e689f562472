import type { BatchResult } from "../client/index.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { jsonLine, plain } from "./render.ts";
import type { Terminal } from "./terminal.ts";

/** Options of a command that changes all that match, besides its filter. */
export const MATCHING_OPTIONS = {
  reason: { type: "string" },
  since: { type: "string" },
  until: { type: "string" },
  "dry-run": { type: "boolean", default: false },
} as const;

/** How the help describes these options. */
export const MATCHING_USAGE = `  --since TIME       created after TIME, such as 2026-11-27T00:00:00Z
  --until TIME       created before TIME
  --reason TEXT      the reason, which is recorded
  --dry-run          only say what would happen
  --json             print the result of each call as a line of JSON`;

/**
 * Calls until all that match were looked at, each call after the part of the one before, and writes what was done. A part
 * that fails leaves those before it changed.
 */
export async function changeMatching(
  { write, note }: Terminal,
  { json, verb }: { json: boolean; verb: string },
  call: (after: string | undefined) => Promise<BatchResult>,
): Promise<ExitCode> {
  const refused = new Map<string, number>();
  let changed = 0;
  let isDryRun = false;
  for (let after: string | undefined; ;) {
    const part = await call(after);
    changed += part.changed;
    isDryRun = part.dryRun;
    for (const { detail, count } of part.refused) {
      refused.set(detail, (refused.get(detail) ?? 0) + count);
    }
    if (json) write(jsonLine(part));
    if (part.nextAfter === null) break;
    after = part.nextAfter;
    note(`${changed} so far`);
  }
  if (!json) {
    write(`${changed} ${isDryRun ? "would be " : ""}${verb}`);
    for (const [detail, count] of refused) write(`${count} left as they are: ${plain(detail)}`);
  }
  return refused.size === 0 ? EXIT.done : EXIT.refused;
}

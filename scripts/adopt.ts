import { createInterface } from "node:readline/promises";
import { parseArgs } from "node:util";
import { adopt, findStopped, renderStopped } from "./adopt/adopt-bucket.ts";
import { ownerUrl } from "./stack/owner-url.ts";

/**
 * `npm run adopt` shows why the daily sweep deletes nothing, asks, and then lets it continue. Exits with 1 if nothing was
 * adopted although the sweep is stopped.
 */
const isConfirmed = readOptions();
const url = ownerUrl();
const stopped = await findStopped(url);
console.log(renderStopped(stopped));
if (stopped.unknown.length === 0 && stopped.held.length === 0) process.exit(0);
if (!isConfirmed && !(await confirm())) {
  console.error("Nothing was changed. Run it with -- --yes to adopt without a question.");
  process.exit(1);
}
console.log(await adopt(url, stopped));

function readOptions(): boolean {
  try {
    return parseArgs({ options: { yes: { type: "boolean", default: false } } }).values.yes;
  } catch {
    console.error("Usage: npm run adopt [-- --yes]");
    process.exit(2);
  }
}

async function confirm(): Promise<boolean> {
  if (!process.stdin.isTTY) return false;
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await terminal.question('Type "adopt" to continue: ');
  terminal.close();
  return answer.trim() === "adopt";
}

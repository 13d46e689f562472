import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";

/** `npm run check` runs every `check:…` script of package.json. A failed script does not stop the others. */
const manifest = z
  .object({ scripts: z.record(z.string(), z.string()) })
  .parse(JSON.parse(await readFile(join(import.meta.dirname, "..", "package.json"), "utf8")));

const failed: string[] = [];
for (const [name, command] of Object.entries(manifest.scripts)) {
  if (!name.startsWith("check:")) continue;
  const start = performance.now();
  const { code, output } = await run(command);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${code === 0 ? "ok    " : "FAILED"} ${name} (${seconds} s)`);
  if (code === 0) continue;
  failed.push(name);
  console.log(output.trimEnd());
}
if (failed.length > 0) {
  console.error(`\nFailed: ${failed.join(", ")}`);
  process.exit(1);
}

/** Runs a command line. npm has added node_modules/.bin to the PATH. */
function run(command: string): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    let output = "";
    const child = spawn(command, { shell: true });
    child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (output += text));
    child.once("close", (code) => resolve({ code: code ?? 1, output }));
  });
}

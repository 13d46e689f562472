import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { z } from "zod";
import { BUNDLE_DIRECTORY } from "./stack/build.ts";
import { runWrangler } from "./stack/wrangler.ts";

const KIBIBYTE = 1024;
const BUNDLE_KIBIBYTES_MAX = 350;
const START_MILLISECONDS_MAX = 50;
/** The least of so many tries: what else the machine does only ever adds to it. */
const START_TRIES = 3;

/** A profile of V8: which node each sample was in, and how many microseconds lie between it and the one before. */
const profile = z.object({
  nodes: z.array(z.object({ id: z.number(), callFrame: z.object({ functionName: z.string() }) })),
  samples: z.array(z.number()),
  timeDeltas: z.array(z.number()),
});

/**
 * `npm run weight`: what the built Worker weighs against its budgets. The bundle is the same everywhere, and one that
 * is too heavy fails; how long it takes to start depends on the machine, and fails only with `-- --strict`.
 */
const { values: options } = parseArgs({ options: { strict: { type: "boolean", default: false } } });
const bundle = await bundleKibibytes();
const start = await startMilliseconds();
const isLight = bundle <= BUNDLE_KIBIBYTES_MAX;
const isQuick = start <= START_MILLISECONDS_MAX;
console.log(line("bundle, gzipped", bundle, BUNDLE_KIBIBYTES_MAX, "KiB", isLight));
console.log(line("start-up", start, START_MILLISECONDS_MAX, "ms", isQuick));
process.exit(isLight && (isQuick || !options.strict) ? 0 : 1);

async function bundleKibibytes(): Promise<number> {
  return gzipSync(await readFile(join(BUNDLE_DIRECTORY, "worker.js"))).length / KIBIBYTE;
}

/** How long workerd is busy until the Worker can take its first request. */
async function startMilliseconds(): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), "stepledger-weight-"));
  const times: number[] = [];
  try {
    for (let tries = 0; tries < START_TRIES; tries += 1) {
      const path = join(directory, "startup.cpuprofile");
      await runWrangler(["check", "startup", `--outfile=${path}`], "ignore");
      times.push(busyMilliseconds(profile.parse(JSON.parse(await readFile(path, "utf8")))));
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
  return Math.min(...times);
}

function busyMilliseconds({ nodes, samples, timeDeltas }: z.output<typeof profile>): number {
  const idle = nodes.find(({ callFrame }) => callFrame.functionName === "(idle)")?.id;
  // What a sample was in lasted until the next one: before the first busy sample workerd waits for the request.
  const busy = timeDeltas.slice(1).filter((_, index) => samples[index] !== idle);
  return busy.reduce((sum, delta) => sum + delta, 0) / 1_000;
}

function line(name: string, value: number, max: number, unit: string, isMet: boolean): string {
  return `${isMet ? "pass" : "MISS"}  ${name}: ${value.toFixed(1)} ${unit} of ${max}`;
}

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { z } from "zod";
import { BUNDLE_DIRECTORY } from "./stack/build.ts";
import { runWrangler } from "./stack/wrangler.ts";

const KIBIBYTE = 1024;
const BUNDLE_KIBIBYTES_MAX = 400;
const START_MILLISECONDS_MAX = 50;
/** The start is measured this often and the shortest time counts, because other load can only make it longer. */
const START_MEASUREMENTS = 3;

/** A V8 CPU profile: the node of each sample, and the microseconds since the previous sample. */
const profile = z.object({
  nodes: z.array(z.object({ id: z.number(), callFrame: z.object({ functionName: z.string() }) })),
  samples: z.array(z.number()),
  timeDeltas: z.array(z.number()),
});

/**
 * `npm run weight`: compares the size and the start-up time of the built Worker with their budgets. The size is the same
 * on every machine, and a bundle that is too large fails. The start-up time depends on the machine, and fails only with
 * `-- --strict`.
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

/** Returns how long workerd is busy before the Worker can take its first request. */
async function startMilliseconds(): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), "stepledger-weight-"));
  const times: number[] = [];
  try {
    for (let count = 0; count < START_MEASUREMENTS; count += 1) {
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
  // A sample's node was active until the next sample, so each delta belongs to the sample before it. The first delta
  // has none: until then workerd waited for the request.
  const busy = timeDeltas.slice(1).filter((_, index) => samples[index] !== idle);
  return busy.reduce((sum, delta) => sum + delta, 0) / 1_000;
}

function line(name: string, value: number, max: number, unit: string, isMet: boolean): string {
  return `${isMet ? "pass" : "MISS"}  ${name}: ${value.toFixed(1)} ${unit} of ${max}`;
}

import { existsSync } from "node:fs";
import { join } from "node:path";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/**
 * The files that take longest, longest first. A long file that starts last keeps one core busy while the others are
 * idle. On a fresh checkout Vitest knows no durations and sorts by size, which says little about time.
 */
const LONGEST = [
  "proofs/retries.test.ts",
  "proofs/random-histories.test.ts",
  "stack/kill.unit.test.ts",
  "proofs/tampered-columns.unit.test.ts",
  "contracts/nasty-input.test.ts",
  "proofs/hot-tasks.test.ts",
  "routes/bulk/large.test.ts",
  "proofs/capped-sort.test.ts",
  "contracts/tenants.test.ts",
  "proofs/run-races.test.ts",
  "stories/dead-checker.test.ts",
  "abuse/conditions.test.ts",
  "proofs/round-trips.test.ts",
  "consumers/webhooks.unit.test.ts",
  "scripts/seal.unit.test.ts",
  "proofs/tampering.unit.test.ts",
  "bench/load.unit.test.ts",
  "stories/queues.unit.test.ts",
  "domain/reachable.test.ts",
  "domain/fold.test.ts",
];

const tests = join(import.meta.dirname, "..", "..");
const moved = LONGEST.filter((file) => !existsSync(join(tests, file)));
if (moved.length > 0)
  throw new Error(`longest-first.ts lists files that do not exist: ${moved.join(", ")}`);

/**
 * How many of the longest files start before all others. The two projects run one after the other, because a worker is
 * kept only for the next file of its own project. Tests in Node wait for processes much of their time, so these files,
 * which do not, keep the cores busy meanwhile.
 */
const AHEAD = 2;

/** Starts the longest files of a project first, and leaves the others in the order that Vitest gives them. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    // oxlint-disable-next-line unicorn/no-array-sort -- This is the sequencer's method, not an array's.
    const sorted = await super.sort(files);
    const projects = [...new Set(sorted.map(({ project }) => project.name))];
    const isAhead = (file: TestSpecification) => Number(place(file) < AHEAD);
    return sorted.toSorted(
      (one, other) =>
        isAhead(other) - isAhead(one) ||
        projects.indexOf(one.project.name) - projects.indexOf(other.project.name) ||
        place(one) - place(other),
    );
  }
}

function place({ moduleId }: TestSpecification): number {
  const found = LONGEST.findIndex((file) => moduleId.endsWith(`/test/${file}`));
  return found === -1 ? LONGEST.length : found;
}

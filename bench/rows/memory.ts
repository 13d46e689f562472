import { setTimeout as sleep } from "node:timers/promises";
import type { Environment } from "../environment.ts";
import { summarize } from "../measure.ts";
import { canMeasureMemory, ProcessMemory, type Resident, workerdPids } from "../memory.ts";
import { LISTED_TENANT } from "../populations.ts";
import { atMost, type Finding, type Row } from "../row.ts";
import type { Service } from "../service.ts";

/** The maximum of a lookup and of a preview. */
const IDS = 50_000;
const AT_ONCE = 8;
/** How long the process may take to return memory. */
const SETTLE_MS = 5000;

interface Case {
  about: string;
  call: (service: Service, ids: readonly string[]) => Promise<void>;
}

const post = (path: string, body: (ids: readonly string[]) => object) => ({
  call: (service: Service, ids: readonly string[]) =>
    service.read(path, { method: "POST", tenant: LISTED_TENANT, body: body(ids) }),
});

const CASES: readonly Case[] = [
  { about: "lookup of 50,000 ids", ...post("/v1/tasks/lookup", (ids) => ({ ids })) },
  {
    about: "preview of 50,000 ids",
    ...post("/v1/bulk/preview", (taskIds) => ({ taskIds, targetStatus: "REJECTED" })),
  },
  {
    about: "export of all tasks",
    call: (service) => service.read("/v1/tasks/export.ndjson", { tenant: LISTED_TENANT }),
  },
];

export const memory: Row = {
  name: "memory",
  about: `the peak memory of workerd while ${AT_ONCE} large calls run, against that of one`,
  measure: async (environment) => {
    if (!canMeasureMemory) {
      console.log("  Not measured: only Linux reports the peak of a process.");
      return [];
    }
    const findings: Finding[] = [];
    for (const one of CASES) {
      const single = await measureCase(environment, one, 1);
      const many = await measureCase(environment, one, AT_ONCE);
      console.log(`  ${one.about}: ${shown("once", single)}; ${shown(`${AT_ONCE} at once`, many)}`);
      const measured = {
        figure: summarize([many.during.peak]),
        baseline: summarize([single.during.peak]),
        ratio: many.during.peak / single.during.peak,
      };
      findings.push(atMost(2, `${AT_ONCE} at once: ${one.about}`, measured, "MiB"));
    }
    return findings;
  },
};

interface Measurement {
  before: Resident;
  during: Resident;
  after: Resident;
}

/** Runs a call several times at once in a new Worker, because a heap that has grown does not shrink at once. */
async function measureCase(
  environment: Environment,
  { call }: Case,
  atOnce: number,
): Promise<Measurement> {
  await environment.closeServices();
  const service = await environment.large();
  const [pid, ...others] = await workerdPids();
  if (pid === undefined || others.length > 0) throw new Error("There must be one workerd");
  const process = new ProcessMemory(pid);
  const rows = await service.query<{ id: string }>(
    "select id from tasks where tenant_id = $1 order by id limit $2",
    [LISTED_TENANT, IDS],
  );
  const ids = rows.map(({ id }) => id);
  // Loads the code and the driver.
  await call(service, ids.slice(0, 10));
  await process.resetPeak();
  const before = await process.read();
  await Promise.all(Array.from({ length: atOnce }, () => call(service, ids)));
  const during = await process.read();
  await sleep(SETTLE_MS);
  return { before, during, after: await process.read() };
}

function shown(name: string, { before, during, after }: Measurement): string {
  const figures = [before.now, during.peak, after.now].map((mebibytes) => mebibytes.toFixed(0));
  return `${name} ${figures.join(" / ")} MiB before / at the peak / after`;
}

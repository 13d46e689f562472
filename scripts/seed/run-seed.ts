import type { Tenant } from "../stack/tenants.ts";
import type { StackFile } from "../stack/stack.ts";
import { createApiClient, type ApiClient } from "../import/api-client.ts";
import { checkConnection, chooseConnection } from "../import/connection.ts";
import { showProgress } from "../import/progress.ts";
import { UsageError } from "../import/usage-error.ts";
import { me, type SeedRun } from "./api.ts";
import { parseSeedCommand, type SeedCommand } from "./options.ts";
import { Screen, type SeedOutput } from "./screen.ts";
import {
  dayOfStory,
  deleteRun,
  newestRun,
  openRunOf,
  setSpeed,
  startRun,
  tellUntil,
  watchToTheEnd,
} from "./tell-story.ts";

/**
 * Runs `npm run seed`: starts a run, tells its story, and prints the labels of the tasks over time and the statistics by
 * day.
 * @returns the exit code: 1 if the chart and the service's own counts differ.
 * @throws UsageError if the options or the tenant are unsuitable.
 */
export async function runSeed(
  args: readonly string[],
  defaults: { key: string | null; stack: StackFile | null },
  output: SeedOutput = process.stdout,
): Promise<number> {
  const command = parseSeedCommand(args, defaults);
  const client = await connect(command, defaults.stack);
  const run =
    command.newest === "show" ? await shownRun(client) : await startedRun(client, command);
  const screen = new Screen(client, command, output);
  const told = command.newest === "show" ? run : await tell(client, run, { command, screen });
  return screen.printResult(told);
}

async function connect(command: SeedCommand, stack: StackFile | null): Promise<ApiClient> {
  const { url, key } = command;
  const tenant = command.tenant ?? (key === null ? (firstDemo(stack)?.id ?? null) : null);
  const client = createApiClient(chooseConnection({ url, key, tenant, role: "admin" }, stack));
  const name = await checkConnection(client, command.tenant);
  const { kind } = (await client.call({ method: "GET", path: "/me" }, me)).tenant;
  if (kind !== "demo") {
    throw new UsageError(
      `The tenant "${name}" is not a demo. Create one: npm run tenant -- create NAME --demo`,
    );
  }
  console.log(`${name} at ${client.baseUrl}`);
  return client;
}

function firstDemo(stack: StackFile | null): Tenant | undefined {
  return stack?.tenants.find(({ kind }) => kind === "demo");
}

async function shownRun(client: ApiClient): Promise<SeedRun> {
  const run = await newestRun(client);
  if (run === null) throw new UsageError("No story was ever started here.");
  return run;
}

async function startedRun(client: ApiClient, command: SeedCommand): Promise<SeedRun> {
  const { seed, tasks, days } = command;
  const newest = command.newest === "replace" ? await newestRun(client) : null;
  if (newest !== null && newest.state !== "deleted") {
    console.log(`Archiving the ${newest.tasks} tasks of the newest story.`);
    await deleteRun(client, newest.id);
  }
  try {
    return await startRun(client, { seed, tasks, days });
  } catch (error) {
    const existing = openRunOf(error);
    if (existing === null) throw error;
    throw new UsageError(
      `A story is being told here (run ${existing}). --show shows it. --replace archives its tasks and starts a new one.`,
    );
  }
}

/** How often progress is shown. Day by day, telling a quarter would take five times as long as in one part. */
const PARTS = 4;

/** Tells the story as the command says, and returns the run when it has ended. */
async function tell(
  client: ApiClient,
  run: SeedRun,
  { command, screen }: { command: SeedCommand; screen: Screen },
): Promise<SeedRun> {
  const { tasks, days, seed, speed, atOnce } = command;
  console.log(`A story of ${tasks} tasks over ${days} days, with the seed ${seed}`);
  console.log(`Run ${run.id}`);
  let told = run;
  if (atOnce > 0) {
    const bar = showProgress("Days told at once", atOnce);
    for (let part = 1; part <= PARTS; part += 1) {
      const day = Math.ceil((atOnce * part) / PARTS);
      told = await tellUntil(client, run.id, { until: dayOfStory(run, day) });
      bar.update(day);
    }
    bar.end();
  }
  if (speed === 0) return told;
  await setSpeed(client, run.id, speed);
  const pace = `${(speed / (24 * 60)).toFixed(1)} days in a minute`;
  console.log(`Going on at ${pace}. After Ctrl-C it goes on without this command.`);
  return screen.watch(run, (onProgress) => watchToTheEnd(client, run.id, { onProgress }));
}

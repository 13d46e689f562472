import { spawn, type ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join, relative } from "node:path";
import { experimental_readRawConfig } from "wrangler";
import { z } from "zod";
import type { StackOptions } from "./options.ts";
import { PROJECT_DIRECTORY, writePrivately, type WorkerInput } from "./stack.ts";

/** Keeps wrangler from sending metrics, checking for updates and fetching geodata: a local stack needs no network. */
export const OFFLINE_ENVIRONMENT = {
  WRANGLER_SEND_METRICS: "false",
  WRANGLER_SEND_ERROR_REPORTS: "false",
  WRANGLER_HIDE_BANNER: "true",
  WRANGLER_WRITE_LOGS: "false",
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
};

/** Starts a wrangler command in the project directory. */
export function spawnWrangler(
  args: readonly string[],
  {
    output = "inherit",
    environment = {},
  }: { output?: "inherit" | "ignore"; environment?: Record<string, string> } = {},
): ChildProcess {
  // The program itself. `bin/wrangler.js` would start it as another process, which outlives a killed parent.
  const program = createRequire(import.meta.url).resolve("wrangler");
  return spawn(process.execPath, ["--no-warnings", program, ...args], {
    cwd: PROJECT_DIRECTORY,
    env: { ...process.env, ...OFFLINE_ENVIRONMENT, ...environment },
    stdio: ["ignore", output, output],
  });
}

/**
 * Runs a wrangler command and waits for its end.
 * @throws if the command fails.
 */
export async function runWrangler(
  args: readonly string[],
  output: "inherit" | "ignore" = "inherit",
): Promise<void> {
  const child = spawnWrangler(args, { output });
  const code = await new Promise((resolve) => child.once("exit", resolve));
  if (code !== 0) throw new Error(`wrangler ${args[0]} failed`);
}

/** The parts of wrangler.toml that a local Worker changes. The rest is passed on unchanged. */
const productionConfig = z.looseObject({
  main: z.string(),
  assets: z.looseObject({ directory: z.string() }).optional(),
  vars: z.record(z.string(), z.string()),
  ratelimits: z.array(
    z.looseObject({ name: z.string(), simple: z.looseObject({ limit: z.number() }) }),
  ),
  triggers: z.looseObject({ crons: z.array(z.string()) }),
});

/** Returns the expressions of the cron triggers in wrangler.toml. */
export function readCrons(): string[] {
  return readProductionConfig().triggers.crons;
}

function readProductionConfig(): z.output<typeof productionConfig> {
  const path = join(PROJECT_DIRECTORY, "wrangler.toml");
  // oxlint-disable-next-line typescript/no-unsafe-call -- its types name a package that wrangler does not install
  const read: unknown = experimental_readRawConfig({ config: path });
  return z.object({ rawConfig: productionConfig }).parse(read).rawConfig;
}

/** The limiter that `--rate-limit` sets. The others are as in production. */
const CALL_LIMITER = "RATE_LIMITER";

/** The differences between local Workers. */
interface LocalWorker extends Pick<WorkerInput, "directory" | "variables"> {
  options: Pick<StackOptions, "rateLimit">;
  /** The entry point, relative to the project. The service by default. */
  main?: string;
  /** Whether to minify the code, as in production. */
  minify?: boolean;
}

/**
 * Writes the configuration of a local Worker next to the stack's other files and returns its path. The configuration is
 * wrangler.toml with the local environment and rate limit. The secrets go to a separate `.dev.vars`.
 */
export async function writeLocalConfig(input: LocalWorker): Promise<string> {
  const { directory, options, variables } = input;
  const production = readProductionConfig();
  const { main: productionMain, assets, vars, ratelimits } = production;
  const { main = productionMain, minify = false } = input;
  const fromHere = (path: string) => relative(directory, join(PROJECT_DIRECTORY, path));
  const { rateLimit: limit } = options;
  const { ENVIRONMENT, ...secrets } = variables;
  const config = {
    ...production,
    main: fromHere(main),
    ...(assets ? { assets: { ...assets, directory: fromHere(assets.directory) } } : {}),
    vars: { ...vars, ENVIRONMENT },
    minify,
    ratelimits: ratelimits.flatMap((limiter) => {
      if (limiter.name !== CALL_LIMITER) return [limiter];
      return limit === null ? [] : [{ ...limiter, simple: { ...limiter.simple, limit } }];
    }),
  };
  const path = join(directory, "wrangler.json");
  await writePrivately(path, `${JSON.stringify(config, null, 2)}\n`);

  // The developer's own .dev.vars may add variables (a token issuer, origins), but not override those of the stack.
  const own = join(PROJECT_DIRECTORY, ".dev.vars");
  const lines = existsSync(own) ? [await readFile(own, "utf8")] : [];
  for (const [name, value] of Object.entries(secrets)) lines.push(`${name}="${value}"`);
  await writePrivately(join(directory, ".dev.vars"), `${lines.join("\n")}\n`);
  return path;
}

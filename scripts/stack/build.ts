import { join } from "node:path";
import { buildAssets } from "../build-assets.ts";
import { PROJECT_DIRECTORY } from "./stack.ts";
import { spawnWrangler } from "./wrangler.ts";

/** Where the built Worker lies, as it would be deployed. */
export const BUNDLE_DIRECTORY = join(PROJECT_DIRECTORY, "dist", "worker");

/** Builds the static files and the Worker. */
export async function buildWorker(directory = BUNDLE_DIRECTORY): Promise<void> {
  await buildAssets();
  const child = spawnWrangler(["deploy", "--dry-run", `--outdir=${directory}`]);
  const code = await new Promise((resolve) => child.once("exit", resolve));
  if (code !== 0) throw new Error("The Worker could not be built");
}

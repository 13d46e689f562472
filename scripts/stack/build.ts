import { join } from "node:path";
import { buildAssets } from "../build-assets.ts";
import { PROJECT_DIRECTORY } from "./stack.ts";
import { runWrangler } from "./wrangler.ts";

/** The directory of the built Worker, as it would be deployed. */
export const BUNDLE_DIRECTORY = join(PROJECT_DIRECTORY, "dist", "worker");

/** Builds the static files and the Worker. */
export async function buildWorker(directory = BUNDLE_DIRECTORY): Promise<void> {
  await buildAssets();
  await runWrangler(["deploy", "--dry-run", `--outdir=${directory}`]);
}

import { readDefinitionFiles } from "./database/definition-files.ts";
import { findDrift, renderDrift } from "./database/drift.ts";
import { withScratchDatabase } from "./database/scratch.ts";

/**
 * `npm run check:database`: fails unless drizzle/functions, drizzle/triggers and drizzle/views hold exactly what the
 * migrations create. It starts a Postgres of its own.
 */
const files = await readDefinitionFiles();
const drift = await withScratchDatabase((client) => findDrift(client, files));
if (drift.length > 0) {
  console.error(renderDrift(drift));
  process.exit(1);
}
console.log(`${files.length} definition files agree with the migrations.`);

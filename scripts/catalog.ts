import { readFile, writeFile } from "node:fs/promises";
import { readCatalog } from "./catalog/read.ts";
import { renderSnapshot, SNAPSHOT_PATH } from "./catalog/snapshot.ts";
import { withScratchDatabase } from "./database/scratch.ts";
import { POSTGRES_VERSIONS } from "./stack/postgres.ts";

/**
 * `npm run catalog`, a part of `npm run generate`, writes drizzle/catalog.json: what the migrations create on every
 * supported version of PostgreSQL, with which `npm run verify` compares a database. With `--check`, it writes nothing
 * and fails if the file is stale.
 */
const catalogs = await Promise.all(
  POSTGRES_VERSIONS.map((version) =>
    withScratchDatabase(
      async (client) => {
        await client.query("begin read only");
        const catalog = await readCatalog(client);
        await client.query("commit");
        return [version, catalog] as const;
      },
      { version },
    ),
  ),
);
const wanted = renderSnapshot(new Map(catalogs));
const found = await readFile(SNAPSHOT_PATH, "utf8").catch(() => null);
if (!process.argv.includes("--check")) {
  if (found !== wanted) {
    await writeFile(SNAPSHOT_PATH, wanted);
    console.log("wrote drizzle/catalog.json");
  }
} else if (found !== wanted) {
  console.error("Stale: drizzle/catalog.json. Run: npm run catalog");
  process.exit(1);
}

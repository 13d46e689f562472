import { join } from "node:path";
import { GUARDS } from "./list.ts";
import { Trials } from "./trials.ts";

/** Runs in a copy of the project, which `npm run guards` makes, because it changes files. Its arguments are names of guards. */
const names = process.argv.slice(2);
const chosen = GUARDS.filter(({ name }) => names.length === 0 || names.includes(name));

const trials = await Trials.start(join(import.meta.dirname, "..", ".."));
const survivors: string[] = [];
for (const [index, guard] of chosen.entries()) {
  const start = performance.now();
  const { outcome, failed } = await trials.try(guard);
  const seconds = ((performance.now() - start) / 1000).toFixed(0);
  console.log(
    `${index + 1}/${chosen.length}  ${outcome}  ${guard.name} (${seconds} s)  ${failed[0]?.split("\n")[0]?.slice(0, 100) ?? ""}`,
  );
  if (outcome !== "caught") survivors.push(guard.name);
}
await trials.stop();
if (survivors.length > 0) console.error(`\nNo test fails without: ${survivors.join(", ")}`);
process.exit(survivors.length > 0 ? 1 : 0);

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { seedTexts } from "../../../../src/domain/seed/texts.ts";

/** The file that the build copies to the static files. */
export const TEXTS_FILE = join(import.meta.dirname, "../../../../assets/seed/texts.json");

/** The words of simulated teams. Throws if the file does not have the format that the planner reads. */
export const TEXTS = seedTexts.parse(JSON.parse(readFileSync(TEXTS_FILE, "utf8")));

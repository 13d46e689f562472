import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { GUARDS } from "../../scripts/guards/list.ts";
import { SECOND_LINES } from "../../scripts/guards/second-lines.ts";
import { withoutGuard } from "../../scripts/guards/without-guard.ts";

const project = join(import.meta.dirname, "..", "..");

test("every guard has a name of its own", () => {
  const names = GUARDS.map(({ name }) => name);
  expect(names).toEqual([...new Set(names)]);
});

test.each(GUARDS)("the guard $name is in its file, once, and its test exists", async (guard) => {
  const source = await readFile(join(project, guard.file), "utf8");
  expect(withoutGuard(source, guard)).not.toBe(source);
  expect(await readFile(join(project, guard.test), "utf8")).toContain(guard.fails);
});

test.each(SECOND_LINES)(
  "the second line of defense, $condition, is in its file, once",
  async (line) => {
    const source = await readFile(join(project, line.file), "utf8");
    expect(source.split(line.text)).toHaveLength(2);
  },
);

/** Where a statement waits for others, skips them or gives way to them, and where it compares a lease. */
const WAITS = new RegExp(
  [
    String.raw`\bfor (?:no key update|update|share|key share)\b`,
    String.raw`\bskip locked\b`,
    String.raw`\bon conflict\b[^;\`]*?\bdo nothing\b`,
    String.raw`\bpg_advisory_xact_lock(?:_shared)?\b`,
    String.raw`\blease_until (?:is null|[<>])`,
    String.raw`\blease_owner = \$\{owner\}(?:::uuid)?(?![,:])`,
  ].join("|"),
  "g",
);

/** No guards: a read, and what every event after a tenant's first needs. Invariants only read, too. */
const NO_GUARDS: Readonly<Record<string, string>> = {
  "src/db/snapshots/load-statement.ts": "lease_until >",
  "src/db/seed/seed-runs.ts": "lease_until >",
  "drizzle/functions/chain_admin_event.sql": "on conflict (tenant_id) do nothing",
};

const COMMENT = /^\s*(?:--|\/\/|\/?\*)/;

test("every lock, every conflict and every lease in a statement is named as a guard or a second line", async () => {
  const files = await Promise.all(
    ["src/db", "drizzle/functions", "drizzle/triggers"].map(async (folder) =>
      (await readdir(join(project, folder), { recursive: true })).map(
        (file) => `${folder}/${file}`,
      ),
    ),
  );
  const statements = files.flat().filter((file) => /^(?!.*invariants).*\.(?:ts|sql)$/.test(file));
  const unnamed = await Promise.all(statements.map(unnamedIn));
  expect(unnamed.flat()).toEqual([]);
});

/** The lines of a file where a statement waits and neither a guard nor a second line says so. */
async function unnamedIn(file: string): Promise<string[]> {
  const source = await readFile(join(project, file), "utf8");
  const named = [...GUARDS, ...SECOND_LINES].filter((one) => one.file === file);
  const spans = named.map(({ text }) => ({ from: source.indexOf(text), length: text.length }));
  return [...source.matchAll(WAITS)].flatMap(({ 0: found, index }) => {
    const line = source.slice(source.lastIndexOf("\n", index) + 1, source.indexOf("\n", index));
    const isNamed = spans.some(
      ({ from, length }) => from < index + found.length && index < from + length,
    );
    return isNamed || COMMENT.test(line) || NO_GUARDS[file] === found
      ? []
      : [`${file}: ${line.trim()}`];
  });
}

/** Triggers that keep what follows from a row, or whose function is a guard. */
const KEEPING = [
  "admin_events_chained",
  "bulk_operations_retried",
  "tasks_keys_created",
  "tasks_label_created",
  "tasks_label_moved",
];

test("every trigger that refuses something is a guard", async () => {
  const folder = "drizzle/triggers";
  const triggers = (await readdir(join(project, folder))).map((file) => file.replace(".sql", ""));
  const guards = GUARDS.filter(({ file }) => file.startsWith(folder)).map(({ file }) =>
    file.slice(folder.length + 1, -".sql".length),
  );
  expect([...new Set([...guards, ...KEEPING])].toSorted()).toEqual(triggers.toSorted());
});

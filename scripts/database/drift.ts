import type { Client } from "pg";
import { type DatabaseObject, listObjects, readCatalogue } from "./catalogue.ts";
import {
  type DefinitionFile,
  hasHeader,
  missingReferences,
  pathOf,
  statementsOf,
} from "./definition-files.ts";

/** A place where the migrations and the definition files disagree. */
export interface Drift {
  /** The file that differs, is missing or must go. */
  path: string;
  problem: string;
  /**
   * What a migration has to do if the files are right: create or replace the object of a file, drop an object that
   * has no file, or nothing because the file itself is at fault.
   */
  migration: { create: DefinitionFile } | { drop: string } | null;
}

/**
 * Compares a migrated database with the definition files: it drops every function, trigger and view, creates them again
 * from the files only, compares the catalog before and after, and rolls all of it back. Drift that a migration can end
 * is sorted so that each object comes after those that it needs.
 */
export async function findDrift(
  client: Client,
  files: readonly DefinitionFile[],
): Promise<Drift[]> {
  const migrated = await readCatalogue(client);
  await client.query("begin");
  try {
    await dropObjects(client, migrated);
    const { created, broken } = await applyFiles(client, files);
    const unrepeatable = await applyAgain(client, created);
    const defined = await readCatalogue(client);
    return [
      ...files.filter((file) => !hasHeader(file)).map(withoutHeader),
      ...files.flatMap(staleHeader),
      ...namesakes(migrated),
      ...broken,
      ...unrepeatable,
      ...compare(migrated, defined, { created, broken }),
    ];
  } finally {
    await client.query("rollback");
  }
}

/** The drift as text for a terminal, with what to do about it. */
export function renderDrift(drift: readonly Drift[]): string {
  return drift.map(({ path, problem }) => `${path}: ${problem}`).join("\n\n");
}

/** The statements with which a migration ends the drift, if the files are right. */
export function migrationStatements(drift: readonly Drift[]): string[] {
  const migrations = drift.flatMap(({ migration }) => (migration === null ? [] : [migration]));
  return [
    ...migrations.flatMap((part) => ("create" in part ? [statementsOf(part.create)] : [])),
    ...migrations.flatMap((part) => ("drop" in part ? [`drop ${part.drop};`] : [])),
  ];
}

/** CASCADE may take parts of tables along, such as a default that calls a function. Nothing here compares tables. */
async function dropObjects(client: Client, objects: readonly DatabaseObject[]): Promise<void> {
  for (const { identity } of objects) {
    await client.query(
      `drop ${identity.replace(/^(materialized view|\w+)/, "$& if exists")} cascade`,
    );
  }
}

/**
 * Applies files until no more of them can be applied. One whose object needs the object of another fails at first
 * and is tried again after it, so that the files need no list that says in which order they come.
 */
async function applyFiles(
  client: Client,
  files: readonly DefinitionFile[],
): Promise<{ created: DefinitionFile[]; broken: Drift[] }> {
  const created: DefinitionFile[] = [];
  const broken: Drift[] = [];
  let pending = files;
  let known = new Set<string>();
  for (;;) {
    const failed: { file: DefinitionFile; error: string }[] = [];
    for (const file of pending) {
      const error = await attempt(client, file);
      if (error !== null) {
        failed.push({ file, error });
        continue;
      }
      const objects = await listObjects(client);
      const added = objects.filter(({ identity }) => !known.has(identity));
      known = new Set(objects.map(({ identity }) => identity));
      const [object] = added;
      if (added.length === 1 && object?.kind === file.kind && object.name === file.name) {
        created.push(file);
      } else {
        broken.push(withOtherObjects(file, added));
      }
    }
    if (failed.length === 0) return { created, broken };
    if (failed.length === pending.length) {
      return {
        created,
        broken: [...broken, ...failed.map(({ file, error }) => rejected(file, error))],
      };
    }
    pending = failed.map(({ file }) => file);
  }
}

/** Applies every file to a database that has its object already, which only `create or replace` survives. */
async function applyAgain(client: Client, files: readonly DefinitionFile[]): Promise<Drift[]> {
  const drift: Drift[] = [];
  for (const file of files) {
    const error = await attempt(client, file);
    if (error === null) continue;
    drift.push({
      path: file.path,
      problem: `cannot be run on a database that has the object already. Postgres says: ${error}
  Begin the statement with \`create or replace\`.`,
      migration: null,
    });
  }
  return drift;
}

/** Runs a file. Returns Postgres's message if it fails, and null otherwise. */
async function attempt(client: Client, { text }: DefinitionFile): Promise<string | null> {
  await client.query("savepoint file");
  try {
    await client.query(text);
    await client.query("release savepoint file");
    return null;
  } catch (error) {
    await client.query("rollback to savepoint file");
    return error instanceof Error ? error.message : String(error);
  }
}

function compare(
  migrated: readonly DatabaseObject[],
  defined: readonly DatabaseObject[],
  { created, broken }: { created: readonly DefinitionFile[]; broken: readonly Drift[] },
): Drift[] {
  const brokenPaths = new Set(broken.map(({ path }) => path));
  const byIdentity = new Map(defined.map((object) => [object.identity, object]));
  const missing: Drift[] = [];
  const differing = new Map<string, string>();
  for (const object of migrated) {
    const path = pathOf(object);
    if (brokenPaths.has(path)) continue;
    const other = byIdentity.get(object.identity);
    if (other === undefined) {
      missing.push(missingFile(path, object));
      continue;
    }
    const differences = differencesOf(object, other);
    if (differences !== null) differing.set(path, differences);
  }
  const known = new Set(migrated.map(({ identity }) => identity));
  for (const object of defined) {
    if (!known.has(object.identity) && !brokenPaths.has(pathOf(object))) {
      differing.set(pathOf(object), `creates the ${object.identity}, which no migration creates.`);
    }
  }
  return [
    ...missing,
    ...created.flatMap((file): Drift[] => {
      const problem = differing.get(file.path);
      if (problem === undefined) return [];
      return [{ path: file.path, problem: `${problem}\n${ADVICE}`, migration: { create: file } }];
    }),
  ];
}

const ADVICE = `  If the file is right, run \`npm run migration -- NAME\`, which writes its text into a new migration.
  If the migrations are right, change the file.`;

function differencesOf(migrated: DatabaseObject, defined: DatabaseObject): string | null {
  const differences: string[] = [];
  if (migrated.definition !== defined.definition) {
    const at = firstDifference(migrated.definition, defined.definition);
    differences.push(
      difference("definition", excerpt(migrated.definition, at), excerpt(defined.definition, at)),
    );
  }
  for (const [name, value] of Object.entries(migrated.properties)) {
    const other = defined.properties[name] ?? "none";
    if (value !== other) differences.push(difference(name, value, other));
  }
  if (differences.length === 0) return null;
  return `the migrations and the file disagree about the ${migrated.identity}.\n${differences.join("\n")}`;
}

function difference(what: string, migrated: string, defined: string): string {
  return `  ${what}
    migrations: ${migrated}
    file:       ${defined}`;
}

function firstDifference(one: string, other: string): number {
  let at = 0;
  while (at < one.length && one[at] === other[at]) at += 1;
  return at;
}

/** The text around a position, on one line: definitions of triggers are long lines, those of functions many. */
function excerpt(text: string, at: number): string {
  const start = Math.max(0, at - EXCERPT_BEFORE);
  const end = Math.min(text.length, at + EXCERPT_AFTER);
  const shown = text.slice(start, end).replaceAll(/\s+/g, " ");
  return `${start > 0 ? "… " : ""}${shown}${end < text.length ? " …" : ""}`;
}

const EXCERPT_BEFORE = 40;
const EXCERPT_AFTER = 80;

function missingFile(path: string, { identity }: DatabaseObject): Drift {
  return {
    path,
    problem: `the file is missing, or creates another object: the migrations create the ${identity}.
  Add the file, or drop the object with \`npm run migration -- NAME\`.`,
    migration: { drop: identity },
  };
}

function withOtherObjects(
  { path, kind, name }: DefinitionFile,
  added: readonly Pick<DatabaseObject, "identity">[],
): Drift {
  const found =
    added.map(({ identity }) => `the ${identity}`).join(" and ") || "nothing that is new";
  return {
    path,
    problem: `must create the ${kind} ${name} and nothing else, but creates ${found}.
  Give each object its own file, named after it.`,
    migration: null,
  };
}

function rejected({ path }: DefinitionFile, error: string): Drift {
  return { path, problem: `Postgres rejects it: ${error}`, migration: null };
}

function withoutHeader({ path }: DefinitionFile): Drift {
  return {
    path,
    problem: `has no comment at its top.
  Say there what the object does, who calls it, and why it is as it is.`,
    migration: null,
  };
}

function staleHeader(file: DefinitionFile): Drift[] {
  const missing = missingReferences(file);
  if (missing.length === 0) return [];
  const problem = `its comment mentions ${missing.join(", ")}, which does not exist.
  Mention only files of the project, and say who calls the object now.`;
  return [{ path: file.path, problem, migration: null }];
}

/** Objects that would need the same file, such as two functions of one name. */
function namesakes(objects: readonly DatabaseObject[]): Drift[] {
  const byPath = Map.groupBy(objects, pathOf);
  return [...byPath].flatMap(([path, [first, ...others]]) =>
    first === undefined || others.length === 0
      ? []
      : [
          {
            path,
            problem: `is the file of ${[first, ...others].map(({ identity }) => `the ${identity}`).join(" and ")}.
  A file holds one object: give each a name of its own.`,
            migration: null,
          },
        ],
  );
}

import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { OBJECT_KINDS, type ObjectKind } from "./catalogue.ts";

/** A file under `drizzle/` that holds the present definition of one object. */
export interface DefinitionFile {
  /** As in `drizzle/functions/iso.sql`. */
  path: string;
  kind: ObjectKind;
  /** The object that the file must create: its own name without `.sql`. */
  name: string;
  text: string;
}

const project = join(import.meta.dirname, "..", "..");

/** The path of an object's file, relative to the project. */
export function pathOf({ kind, name }: { kind: ObjectKind; name: string }): string {
  return `drizzle/${kind}s/${name}.sql`;
}

export async function readDefinitionFiles(): Promise<DefinitionFile[]> {
  const kinds = OBJECT_KINDS.map(async (kind) => {
    const entries = await readdir(join(project, "drizzle", `${kind}s`));
    const names = entries
      .filter((entry) => entry.endsWith(".sql"))
      .map((entry) => basename(entry, ".sql"))
      .toSorted();
    return Promise.all(
      names.map(async (name): Promise<DefinitionFile> => {
        const path = pathOf({ kind, name });
        return { path, kind, name, text: await readFile(join(project, path), "utf8") };
      }),
    );
  });
  return (await Promise.all(kinds)).flat();
}

/** The file without the comment at its top. */
export function statementsOf({ text }: DefinitionFile): string {
  return text.replace(HEADER, "").trim();
}

/** True if a comment at the top of the file explains the object. */
export function hasHeader(file: DefinitionFile): boolean {
  return headerOf(file).startsWith("--");
}

/** The files of the project that the comment at the top mentions but that do not exist. */
export function missingReferences(file: DefinitionFile): string[] {
  const paths = headerOf(file).match(REFERENCE) ?? [];
  return paths.filter((path) => !existsSync(join(project, path)));
}

const headerOf = ({ text }: DefinitionFile): string => HEADER.exec(text)?.[0] ?? "";

const REFERENCE = /\b(?:bench|docs|drizzle|scripts|src|test)\/[\w./-]+\.\w+/g;

const HEADER = /^(--.*\n|\s*\n)*/;

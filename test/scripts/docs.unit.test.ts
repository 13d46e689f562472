import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, expect, it } from "vitest";

const PROJECT = join(import.meta.dirname, "../..");
const FOLDERS = [".", "client", "docs", "docs/adr", "drizzle", "examples"];

const pages = FOLDERS.flatMap((folder) =>
  readdirSync(join(PROJECT, folder))
    .filter((file) => file.endsWith(".md"))
    .map((file) => join(PROJECT, folder, file)),
);

const textOf = (path: string): string => readFileSync(path, "utf8");

/** Everything that a page can name by an identifier. */
const CODE = ["src", "drizzle", "scripts", "test", "cli", "client"]
  .flatMap((folder) =>
    readdirSync(join(PROJECT, folder), { recursive: true, encoding: "utf8" })
      .filter((file) => /\.(ts|sql)$/.test(file) && file !== "scripts/docs.unit.test.ts")
      .map((file) => textOf(join(PROJECT, folder, file))),
  )
  .concat(textOf(join(PROJECT, "wrangler.toml")))
  .join("\n");
const SCRIPTS = Object.keys(
  (JSON.parse(textOf(join(PROJECT, "package.json"))) as { scripts: object }).scripts,
);
const IDENTIFIER = /^([a-z]+[A-Z]\w*|[A-Z]+_[A-Z_]+|[a-z]+_[a-z_]+)$/;

/** The fragments by which the headings of a page can be linked. */
function anchorsOf(path: string): string[] {
  return [...textOf(path).matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, "")
      .replaceAll(" ", "-"),
  );
}

function brokenLinksOf(page: string): string[] {
  const links = [...textOf(page).matchAll(/\]\((?!https?:)([^)\s]+)\)/g)].map(
    ([, link = ""]) => link,
  );
  return links.filter((link) => {
    const [path = "", fragment] = link.split("#");
    const target = path === "" ? page : join(dirname(page), path);
    if (!existsSync(target)) return true;
    return fragment !== undefined && !anchorsOf(target).includes(fragment);
  });
}

describe("the documentation", () => {
  it.each(pages.map((page) => [relative(PROJECT, page), page]))(
    "has no broken link in %s",
    (_, page) => {
      expect(brokenLinksOf(page)).toEqual([]);
    },
  );

  it.each(pages.map((page) => [relative(PROJECT, page), page]))(
    "names only files and folders that exist in %s",
    (_, page) => {
      const named = [
        ...textOf(page).matchAll(
          /`((?:bench|cli|client|docs|drizzle|examples|scripts|src|test)\/[\w./-]+)`/g,
        ),
      ].map(([, path = ""]) => path);
      expect(named.filter((path) => !existsSync(join(PROJECT, path)))).toEqual([]);
    },
  );

  it.each(pages.map((page) => [relative(PROJECT, page), page]))(
    "names only npm scripts that exist in %s",
    (_, page) => {
      const named = [...textOf(page).matchAll(/npm run ([a-z][\w:]*)/g)].map(
        ([, name = ""]) => name,
      );
      expect(named.filter((name) => !SCRIPTS.includes(name))).toEqual([]);
    },
  );

  it.each(pages.map((page) => [relative(PROJECT, page), page]))(
    "names only identifiers that exist in %s",
    (_, page) => {
      const spans = [...textOf(page).matchAll(/`([^`\n]+)`/g)].map(([, span = ""]) => span);
      const named = spans.filter((span) => IDENTIFIER.test(span));
      expect(named.filter((name) => !CODE.includes(name))).toEqual([]);
    },
  );

  it("names each function of the walks with the file that has it", () => {
    const steps = [
      ...textOf(join(PROJECT, "docs/architecture.md")).matchAll(
        /^\| \d+ +\| `(\w+)` +\| `(src\/[^`]+)` +\|/gm,
      ),
    ];
    expect(steps.length).toBeGreaterThan(30);
    const wrong = steps.filter(
      ([, name = "", path = ""]) =>
        !new RegExp(`\\b(function\\*?|const) ${name}\\b|^  (async )?${name}\\b`, "m").test(
          textOf(join(PROJECT, path)),
        ),
    );
    expect(wrong.map(([row]) => row)).toEqual([]);
  });
});

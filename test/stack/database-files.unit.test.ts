import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readCatalogue } from "../../scripts/database/catalogue.ts";
import {
  type DefinitionFile,
  pathOf,
  readDefinitionFiles,
} from "../../scripts/database/definition-files.ts";
import {
  type Drift,
  findDrift,
  migrationStatements,
  renderDrift,
} from "../../scripts/database/drift.ts";
import { freshDatabase } from "../support/database.ts";

/** A fault planted in a file, and what the check must report about it. */
interface Fault {
  fault: string;
  path: string;
  /** Edits the file. Null removes it. */
  edit: ((text: string) => string) | null;
  reported: readonly string[];
}

const replacing = (from: string | RegExp, to: string) => (text: string) => {
  expect(text).toMatch(from);
  return text.replace(from, to);
};

const adding = (statement: string) => () => `-- Planted.\n${statement}\n`;

/** Each fault has its own file, so that one run of the check finds them all. */
const FAULTS: readonly Fault[] = [
  {
    fault: "a changed body of a function",
    path: "drizzle/functions/refuse_change.sql",
    edit: replacing("'SL001'", "'SL002'"),
    reported: ["function refuse_change()", "'SL001'", "'SL002'", "npm run migration -- NAME"],
  },
  {
    fault: "a changed comment inside a function's body",
    path: "drizzle/functions/sweep_declared_data.sql",
    edit: replacing("-- Before any row", "-- Before each row"),
    reported: ["function sweep_declared_data(interval,integer)", "Before each row"],
  },
  {
    fault: "a changed search_path of a function",
    path: "drizzle/functions/claim_orphans.sql",
    edit: replacing("set search_path = pg_catalog, public", "set search_path = public"),
    reported: ["function claim_orphans(text[])", "'pg_catalog', 'public'"],
  },
  {
    fault: "a function that runs with its caller's rights",
    path: "drizzle/functions/tenant_name.sql",
    edit: replacing("security definer", ""),
    reported: ["function tenant_name()", "SECURITY DEFINER"],
  },
  {
    fault: "a changed volatility of a function",
    path: "drizzle/functions/label_rank.sql",
    edit: replacing("immutable", "stable"),
    reported: ["function label_rank(text)", "IMMUTABLE", "STABLE"],
  },
  {
    fault: "a function that everyone may execute",
    path: "drizzle/functions/rebuild_labels.sql",
    edit: replacing(/revoke .*;/, ""),
    reported: ["function rebuild_labels()", "grants", "EXECUTE to public"],
  },
  {
    fault: "a function with a comment",
    path: "drizzle/functions/new_id.sql",
    edit: (text) => `${text}comment on function new_id is 'An id.';\n`,
    reported: ["function new_id()", "comment", "An id."],
  },
  {
    fault: "a changed aggregate",
    path: "drizzle/functions/chain_hash.sql",
    edit: replacing("stype = bytea", "stype = bytea, initcond = ''"),
    reported: ["aggregate chain_hash(bytea,text)", "agginitval"],
  },
  {
    fault: "a changed WHEN of a trigger",
    path: "drizzle/triggers/tasks_move_with_event.sql",
    edit: replacing("new.event_seq <= old.event_seq", "new.event_seq < old.event_seq"),
    reported: ["trigger tasks_move_with_event on tasks", "event_seq <= old", "event_seq < old"],
  },
  {
    fault: "a disabled trigger",
    path: "drizzle/triggers/steps_sealed.sql",
    edit: (text) => `${text}alter table steps disable trigger steps_sealed;\n`,
    reported: ["trigger steps_sealed on steps", "enabled", "no"],
  },
  {
    fault: "a changed view that ignores row security and is not granted",
    path: "drizzle/views/task_facts.sql",
    edit: (text) =>
      replacing(
        "t.archived_at is not null",
        "t.archived_at is null",
      )(text)
        .replace("with (security_invoker = true)", "")
        .replace(/grant .*;/, ""),
    reported: [
      "view task_facts",
      "IS NOT NULL",
      "security_invoker=true",
      "SELECT to stepledger_app",
    ],
  },
  {
    fault: "a missing file of a trigger",
    path: "drizzle/triggers/tasks_kept.sql",
    edit: null,
    reported: ["the file is missing", "trigger tasks_kept on tasks"],
  },
  {
    fault: "a missing file of a function",
    path: "drizzle/functions/expire_operations.sql",
    edit: null,
    reported: ["the file is missing", "function expire_operations(integer)"],
  },
  {
    fault: "a function that no migration creates",
    path: "drizzle/functions/extra.sql",
    edit: adding("create or replace function extra() returns integer language sql return 1;"),
    reported: ["creates the function extra(), which no migration creates"],
  },
  {
    fault: "a trigger that no migration creates",
    path: "drizzle/triggers/extra.sql",
    edit: adding(
      "create or replace trigger extra before delete on tenants execute function refuse_change();",
    ),
    reported: ["creates the trigger extra on tenants, which no migration creates"],
  },
  {
    fault: "a view that no migration creates",
    path: "drizzle/views/extra.sql",
    edit: adding("create or replace view extra as select 1 as one;"),
    reported: ["creates the view extra, which no migration creates"],
  },
  {
    fault: "a file that is not named after its object",
    path: "drizzle/functions/misnamed.sql",
    edit: adding("create or replace function other() returns integer language sql return 1;"),
    reported: [
      "must create the function misnamed and nothing else, but creates the function other()",
    ],
  },
  {
    fault: "a file that creates nothing",
    path: "drizzle/views/empty.sql",
    edit: adding("select 1;"),
    reported: ["creates nothing that is new"],
  },
  {
    fault: "a file that Postgres rejects",
    path: "drizzle/views/rejected.sql",
    edit: adding("create or replace view rejected as select absent from tasks;"),
    reported: ['column "absent" does not exist'],
  },
  {
    fault: "a file that cannot replace its object",
    path: "drizzle/functions/iso.sql",
    edit: replacing("create or replace", "create"),
    reported: ["Begin the statement with `create or replace`"],
  },
  {
    fault: "a file without a comment at its top",
    path: "drizzle/functions/chain_link.sql",
    edit: replacing(/^(--.*\n)+/, ""),
    reported: ["no comment at its top"],
  },
  {
    fault: "a comment that mentions a deleted file",
    path: "drizzle/functions/late_runs.sql",
    edit: replacing("src/db/runs/worker-runs.ts", "src/db/worker-runs.ts"),
    reported: ["mentions src/db/worker-runs.ts, which does not exist"],
  },
];

let client: Client;
let files: readonly DefinitionFile[];

beforeAll(async () => {
  client = await connectAsOwner();
  files = await readDefinitionFiles();
});

afterAll(() => client.end());

async function connectAsOwner(): Promise<Client> {
  const { migrationDatabaseUrl } = await freshDatabase();
  const owner = new Client({ connectionString: migrationDatabaseUrl });
  await owner.connect();
  return owner;
}

function plant(faults: readonly Pick<Fault, "path" | "edit">[]): DefinitionFile[] {
  const planted = new Map(files.map((file) => [file.path, file]));
  for (const { path, edit } of faults) {
    const file = planted.get(path) ?? fileAt(path);
    planted.delete(path);
    if (edit) planted.set(path, { ...file, text: edit(file.text) });
  }
  return [...planted.values()];
}

/** Returns an empty file for a path that does not exist yet. */
function fileAt(path: string): DefinitionFile {
  const [, kind = "", name = ""] = /^drizzle\/(\w+)s\/(\w+)\.sql$/.exec(path) ?? [];
  const file = { kind, name, path, text: "" } as DefinitionFile;
  expect(pathOf(file)).toBe(path);
  return file;
}

describe("the files of functions, triggers and views", () => {
  test("define exactly what the migrations create", async () => {
    expect(renderDrift(await findDrift(client, files))).toBe("");
  });

  describe("are checked", () => {
    let drift: readonly Drift[];

    beforeAll(async () => {
      const before = await readCatalogue(client);
      drift = await findDrift(client, plant(FAULTS));
      expect(await readCatalogue(client), "the check changed the database").toEqual(before);
    });

    test.each(FAULTS)("for $fault", ({ path, reported }) => {
      const found = drift.filter((each) => each.path === path);
      expect(found).toHaveLength(1);
      for (const part of reported) expect(found[0]?.problem).toContain(part);
    });

    test("and nothing else is reported", () => {
      const paths = drift.map(({ path }) => path).toSorted();
      expect(paths).toEqual(FAULTS.map(({ path }) => path).toSorted());
    });
  });

  test("are checked for two objects with the same name", async () => {
    const owner = await connectAsOwner();
    await owner.query("create function iso(moment date) returns text language sql return 'x'");
    const problems = renderDrift(await findDrift(owner, files));
    await owner.end();
    expect(problems).toContain("function iso(date) and the function iso(timestamp with time zone)");
  });
});

describe("a migration that is written from the files", () => {
  test("resolves the drift of changed, added and dropped objects", async () => {
    const owner = await connectAsOwner();
    const planted = plant([
      { path: "drizzle/functions/label_rank.sql", edit: replacing("'DRAFT', ", "") },
      { path: "drizzle/triggers/tasks_kept.sql", edit: null },
      {
        path: "drizzle/views/extra.sql",
        edit: adding("create or replace view extra as select extra() as one;"),
      },
      {
        path: "drizzle/functions/extra.sql",
        edit: adding("create or replace function extra() returns integer language sql return 1;"),
      },
    ]);
    const statements = migrationStatements(await findDrift(owner, planted));
    expect(statements).toHaveLength(4);
    expect(statements.at(-1)).toBe("drop trigger tasks_kept on tasks;");
    for (const statement of statements) {
      expect(statement).not.toMatch(/^--/);
      await owner.query(statement);
    }
    expect(renderDrift(await findDrift(owner, planted))).toBe("");
    await owner.end();
  });
});

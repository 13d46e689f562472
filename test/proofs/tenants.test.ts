import { getTableName, is } from "drizzle-orm";
import { PgTable } from "drizzle-orm/pg-core";
import { beforeAll, describe, expect, test } from "vitest";
import * as schema from "../../src/db/schema/index.ts";
import { freshApi, type TestApi } from "../support/api.ts";
import { contentsOf } from "../support/contents.ts";
import { SqlError, type SqlRow } from "../support/database.ts";
import { silenceLog } from "../support/model/quiet.ts";
import { givenWorld } from "../support/model/world.ts";

/** Tables without a tenant, which the application cannot read. */
const OF_NO_TENANT = new Set(["tenants", "sweeps", "sweep_positions", "dead_letters"]);
const TENANT_TABLES = Object.values(schema)
  .flatMap((table) => (is(table, PgTable) ? [getTableName(table)] : []))
  .filter((name) => !OF_NO_TENANT.has(name));

silenceLog();

let api: TestApi;
/** The tenant in whose scope the statements run, and the one whose rows they try to reach. */
let mine: string;
let theirs: string;

beforeAll(async () => {
  api = await freshApi();
  await givenWorld(api, api.tenant);
  await givenWorld(api, api.otherTenant);
  mine = api.tenant.id;
  theirs = api.otherTenant.id;
});

/** Runs a statement as the application in the scope of a tenant. Returns its rows, or the SQLSTATE of its refusal. */
async function asTenant(
  scope: string,
  text: string,
  values: string[] = [],
): Promise<SqlRow[] | string> {
  try {
    const [, rows = []] = await api.database.transaction("application", [
      { text: "select set_config('app.tenant_id', $1, true)", values: [scope] },
      { text, values },
    ]);
    return rows;
  } catch (error) {
    if (error instanceof SqlError) return String(error.code);
    throw error;
  }
}

describe.for(TENANT_TABLES)("of %s", (table) => {
  test("a tenant sees only its own rows", async () => {
    const count = `select count(*) filter (where tenant_id = $1) as mine,
      count(*) filter (where tenant_id <> $1) as others from ${table}`;
    const [row] = await asTenant(mine, count, [mine]);
    expect(row).toMatchObject({ others: "0" });
    expect(row).not.toMatchObject({ mine: "0" });
    expect(await asTenant(mine, `select from ${table} where tenant_id = $1`, [theirs])).toEqual([]);
  });

  test("no row is visible without a tenant", async () => {
    expect(await asTenant("", `select 1 from ${table}`)).toEqual([]);
    const rows = await api.database.query("application", `select 1 from ${table}`);
    expect(rows).toEqual([]);
  });

  test("a tenant cannot change, take over or delete another's rows", async () => {
    const before = await contentsOf(api.database);
    const attempts = [
      `with done as (update ${table} set tenant_id = tenant_id where tenant_id = $1 returning 1) select * from done`,
      `with done as (update ${table} set tenant_id = '${mine}' where tenant_id = $1 returning 1) select * from done`,
      `with done as (delete from ${table} where tenant_id = $1 returning 1) select * from done`,
    ];
    for (const attempt of attempts) {
      // Either a grant refuses the statement, or it finds no rows.
      expect([[], "42501"]).toContainEqual(await asTenant(mine, attempt, [theirs]));
    }
    expect(await contentsOf(api.database)).toEqual(before);
  });

  test("a tenant cannot write a row for another, nor hand one over", async () => {
    const before = await contentsOf(api.database);
    const [their] = await api.database.query(
      "superuser",
      `select to_jsonb(t) as row from ${table} t where tenant_id = $1 limit 1`,
      [theirs],
    );
    const insert = `insert into ${table} select (jsonb_populate_record(null::${table}, $1::jsonb)).*`;
    expect(await asTenant(mine, insert, [their?.["row"] ?? ""])).toBe("42501");
    // Refused by a guard, a grant or row security, whichever is checked first.
    const give = `update ${table} set tenant_id = $1`;
    expect(["42501", "SL001"]).toContain(await asTenant(mine, give, [theirs]));
    expect(await contentsOf(api.database)).toEqual(before);
  });
});

test.for([...OF_NO_TENANT])("the application sees no row of %s", async (table) => {
  expect(await asTenant(mine, `select from ${table}`)).toBe("42501");
});

describe("a foreign key between rows of tenants", () => {
  /** Changes to a copied row that avoid a unique key violation, so that the foreign key is what refuses it. */
  const COPIES: Record<string, string> = {
    admin_events: "'seq', 99",
    people: "'id', new_id(), 'subject', null",
    api_keys: "'id', new_id(), 'digest', sha256(new_id()::text::bytea)",
    api_key_uses: "'key_id', new_id()",
    bulk_operation_items: "'position', 99",
    data: "'id', new_id(), 'kind', 'golden'",
    evals: "'id', new_id(), 'name', 'another name'",
    pipeline_dispatches: "'id', new_id(), 'state', 'recalled'",
    reviews: "'id', new_id(), 'sequence', 99",
    step_events: "'seq', 99",
    eval_step_events: "'seq', 99",
    steps: "'id', new_id(), 'attempt', 99",
    task_versions: "'id', new_id(), 'number', 99",
    tasks: "'id', new_id(), 'external_id', null",
    taxonomy: "'code', 'other', 'level', 'category'",
    trials: "'id', new_id(), 'model', 'another-model'",
    worker_runs:
      "'id', new_id(), 'dispatch_id', null, 'offered', false, 'lease_owner', null, 'lease_until', null, 'lease_seconds', null",
  };

  /** Which rows can have the reference at all. */
  const ROWS: Record<string, string> = { api_keys: "kind = 'person'" };

  test("refuses every reference from one tenant to another", async () => {
    const keys = await api.database.query(
      "superuser",
      `select c.conname as name, c.conrelid::regclass::text as child, c.confrelid::regclass::text as parent,
         (select json_agg(json_build_object('from', f.attname, 'to', t.attname))
          from unnest(c.conkey, c.confkey) as pair(child, parent)
            join pg_attribute f on f.attrelid = c.conrelid and f.attnum = pair.child
            join pg_attribute t on t.attrelid = c.confrelid and t.attnum = pair.parent
          where f.attname <> 'tenant_id') as columns
       from pg_constraint c
       where c.contype = 'f' and c.connamespace = 'public'::regnamespace and c.confrelid <> 'tenants'::regclass
         -- A tenant has one head of administration, so a second one fails before its key is checked.
         and c.conrelid <> 'admin_heads'::regclass
       order by 1`,
    );
    expect(keys.length).toBeGreaterThan(35);

    const before = await contentsOf(api.database);
    const ends: Record<string, string | null> = {};
    for (const { name, child, parent, columns } of keys) {
      // The catalog's answer to the query above.
      const pairs = JSON.parse(columns ?? "[]") as { from: string; to: string }[];
      const reference = pairs.map(({ from, to }) => `'${from}', p.${to}`).join(", ");
      const copy = COPIES[child ?? ""] ?? "'id', new_id()";
      const crossing = `insert into ${child}
        select (jsonb_populate_record(null::${child}, to_jsonb(c) || jsonb_build_object(${copy}) || jsonb_build_object(${reference}))).*
        from (select * from ${child} where tenant_id = $1 and ${ROWS[child ?? ""] ?? "true"} limit 1) c,
          (select * from ${parent} where tenant_id = $2 limit 1) p`;
      const end = await api.database
        .query("owner", crossing, [mine, theirs])
        .catch((error: unknown) => error);
      ends[name ?? ""] = end instanceof SqlError ? end.code : "accepted";
    }
    expect(ends).toEqual(Object.fromEntries(keys.map(({ name }) => [name ?? "", "23503"])));
    expect(await contentsOf(api.database)).toEqual(before);
  });
});

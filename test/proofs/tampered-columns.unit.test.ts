import { Client, DatabaseError } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { verifyChains } from "../../scripts/verify/chains.ts";
import { verifyContents } from "../../scripts/verify/contents.ts";
import { verifyLabels } from "../../scripts/verify/labels.ts";
import { type Gap, NOT_COVERED } from "../../scripts/verify/not-covered.ts";
import { verifyReferences } from "../../scripts/verify/references.ts";
import { brokenRows, verifySnapshot } from "../../scripts/verify/verify-database.ts";
import { type Invariant, INVARIANTS } from "../../src/db/invariants/index.ts";
import { givenVariedRows } from "../support/model/varied-rows.ts";
import { givenWorld } from "../support/model/world.ts";
import { apiOf } from "../support/node/api.ts";
import { startService, type TestService } from "../support/node/service.ts";

interface Column {
  table: string;
  column: string;
  type: string;
  isNullable: boolean;
  /** The values of its CHECK, if it has one. */
  allowed: string[] | null;
  /** What it references, as [table, column]. */
  parents: [string, string][];
  gap: Gap | undefined;
}

/** A change of one row, by someone who has disabled every guard. */
interface Tampering {
  column: Column;
  /** The new value, as SQL. */
  value: string;
  /** Which rows to change: of these, the first whose value differs and that no constraint protects. */
  where: string;
}

/** How many rows are tried before a change counts as impossible. */
const ROWS_MAX = 5;

let service: TestService;
/** A superuser, who can disable the guards. Checks run in the same transaction, so that the damage is rolled back. */
let forger: Client;
let columns: Column[];

beforeAll(async () => {
  service = await startService();
  forger = new Client({ connectionString: service.database.superuserUrl });
  await forger.connect();
  const api = apiOf(service);
  await givenVariedRows(api, await givenWorld(api, service.tenant));
  columns = await readColumns();
  // Disables the guards for good: each change of this setting makes Postgres forget the plans of the connection.
  await forger.query("set session_replication_role = replica");
}, 120_000);

afterAll(async () => {
  await forger.end();
  await service.stop();
});

async function readColumns(): Promise<Column[]> {
  const { rows } = await forger.query<Omit<Column, "gap">>(`
    select c.relname as table, a.attname as column, format_type(a.atttypid, null) as type,
      not a.attnotnull as "isNullable",
      (select (regexp_match(pg_get_constraintdef(k.oid), $$'(\\{[^']*\\})'::text\\[\\]$$))[1]::text[]
        from pg_constraint k where k.conrelid = c.oid and k.contype = 'c' and k.conkey = array[a.attnum]
          and pg_get_constraintdef(k.oid) like '%= ANY%' limit 1) as allowed,
      (select coalesce(json_agg(json_build_array(k.confrelid::regclass, p.attname)), '[]')
        from pg_constraint k join pg_attribute p on p.attrelid = k.confrelid
          and p.attnum = k.confkey[array_position(k.conkey, a.attnum)]
        where k.conrelid = c.oid and k.contype = 'f' and a.attname <> 'tenant_id') as parents
    from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
    order by c.relname, a.attnum`);
  return rows.map((row) => ({ ...row, gap: NOT_COVERED[row.table]?.[row.column] }));
}

/**
 * The kinds of rows of a table, as conditions: one for each value of its first column with a fixed list of values,
 * because what proves a row can depend on it. Events are hashed alike, whatever they say.
 */
function kindsOf(table: string): string[] {
  const kind = columns.find((one) => one.table === table && one.allowed !== null);
  if (!kind?.allowed || table.endsWith("step_events")) return ["true"];
  const kinds = kind.allowed.map((value) => `t."${kind.column}" = '${value}'`);
  return kind.isNullable ? [...kinds, `t."${kind.column}" is null`] : kinds;
}

/** Other values of a column, as SQL in which `t` is the row: changed ones, some that exist elsewhere, and null. */
function otherValues({ table, column, type, isNullable, allowed, parents }: Column): string[] {
  const value = `t."${column}"`;
  const changed = allowed
    ? [
        `(select v from unnest('{${allowed.join()}}'::text[]) v where v is distinct from ${value} limit 1)`,
      ]
    : (CHANGED_VALUES[type]?.(value) ??
      expect.fail(`Add a change of the type ${type} to this test.`));
  const existing = [[table, column] as const, ...parents].map(
    ([from, name]) => `(select o."${name}" from "${from}" o
      where o."${name}"::text is distinct from ${value}::text order by o.ctid limit 1)`,
  );
  return [...new Set([...changed, ...existing, ...(isNullable ? ["null"] : [])])];
}

const number = (value: string) => [`coalesce(${value}, 0) + 1`, `${value} - 1`];
const CHANGED_VALUES: Record<string, (value: string) => string[]> = {
  uuid: () => ["gen_random_uuid()"],
  text: (value) => [`coalesce(${value}, '') || 'x'`],
  boolean: (value) => [`not ${value}`],
  smallint: (value) => number(value).map((changed) => `(${changed})::smallint`),
  integer: number,
  bigint: number,
  numeric: number,
  "double precision": number,
  "timestamp with time zone": (value) => [
    `coalesce(${value}, now()) - interval '1 second'`,
    `coalesce(${value}, now()) + interval '1 hour'`,
  ],
  json: () => [`'{"forged": true}'`],
  jsonb: (value) => [
    `case jsonb_typeof(${value}) when 'object' then ${value} || '{"forged": true}' else '{"forged": true}' end`,
  ],
  bytea: (value) => [
    `case when ${value} is null then sha256('x') else set_byte(${value}, 0, get_byte(${value}, 0) # 1) end`,
  ],
  "text[]": (value) => [`coalesce(${value}, '{}') || 'x'::text`],
  xid8: () => ["'1'"],
  pg_snapshot: () => ["'1:1:'"],
};

/** Changes one row. Returns false if there is no such row, or if constraints reject the value. */
async function tamper({ column, value, where }: Tampering): Promise<boolean> {
  const { table, column: name, type } = column;
  for (let offset = 0; offset < ROWS_MAX; offset += 1) {
    await forger.query("savepoint attempt");
    try {
      const { rowCount } = await forger.query(
        `update "${table}" t set "${name}" = ${value} where t.ctid = (
           select t.ctid from "${table}" t
           where (${where}) and (${value})::${type}::text is distinct from t."${name}"::text
           order by t.ctid limit 1 offset ${offset})`,
      );
      return rowCount === 1;
    } catch (error) {
      const isRejected = error instanceof DatabaseError && error.code?.startsWith("23") === true;
      if (!isRejected) throw error;
      await forger.query("rollback to savepoint attempt");
    }
  }
  return false;
}

/** Runs `observe` after these changes, in a transaction that is rolled back. */
async function withDamage<Result>(
  damage: readonly Tampering[],
  observe: (done: readonly Tampering[]) => Promise<Result>,
): Promise<Result> {
  await forger.query("begin");
  try {
    const done: Tampering[] = [];
    for (const tampering of damage) if (await tamper(tampering)) done.push(tampering);
    // The role that runs `npm run verify`.
    await forger.query("set local role stepledger_owner");
    return await observe(done);
  } finally {
    await forger.query("rollback");
  }
}

/** Runs the checks of `npm run verify` until one is broken: first those that read the table. Returns its name. */
async function firstBroken(table = ""): Promise<string | null> {
  const isAbout = ({ sql }: Invariant) => new RegExp(`\\b${table}\\b`).test(sql);
  const brokenOf = async (invariants: readonly Invariant[]): Promise<string | null> => {
    for (const invariant of invariants) {
      if ((await brokenRows(forger, invariant)).length > 0) return invariant.name;
    }
    return null;
  };
  const found = await brokenOf(INVARIANTS.filter(isAbout));
  if (found !== null) return found;
  if ((await verifyReferences(forger)).broken.length > 0) return "references";
  if ((await verifyContents(forger)).forged.length > 0) return "contents";
  if ((await verifyChains(forger)).broken.length > 0) return "chains";
  if ((await verifyLabels(forger)).drifted.length > 0) return "labels";
  return brokenOf(INVARIANTS.filter((invariant) => !isAbout(invariant)));
}

/** Which of these changes stay unseen: all that are possible if they do so together, otherwise those of each half. */
async function unseenOf(damage: readonly Tampering[]): Promise<readonly Tampering[]> {
  const { done, isWhole } = await withDamage(damage, async (applied) => ({
    done: applied,
    isWhole: applied.length === 0 || (await firstBroken()) === null,
  }));
  if (isWhole) return done;
  if (damage.length <= 1) return [];
  const middle = Math.ceil(damage.length / 2);
  const halves = [damage.slice(0, middle), damage.slice(middle)];
  return [...(await unseenOf(halves[0] ?? [])), ...(await unseenOf(halves[1] ?? []))];
}

const nameOf = ({ table, column }: Pick<Column, "table" | "column">) => `${table}.${column}`;
const whereOf = (gap: Gap | undefined): string | null =>
  gap === undefined || typeof gap === "string" ? null : gap.where;

describe("npm run verify", () => {
  test("finds an untouched database whole", async () => {
    await withDamage([], async () => {
      const verification = await verifySnapshot(forger);
      expect(verification.invariants.filter(({ rows }) => rows > 0)).toEqual([]);
      expect(verification.isWhole).toBe(true);
    });
  });

  test("has no column in its list of gaps that does not exist", () => {
    const listed = Object.entries(NOT_COVERED).flatMap(([table, gaps]) =>
      Object.keys(gaps).map((column) => nameOf({ table, column })),
    );
    const existing = new Set(columns.map(nameOf));
    expect(listed.filter((name) => !existing.has(name))).toEqual([]);
  });

  test("names a change of every column that is not in its list of gaps", async () => {
    const unnamed: string[] = [];
    for (const column of columns) {
      const gap = whereOf(column.gap);
      if (column.gap !== undefined && gap === null) continue;
      const kinds = kindsOf(column.table).map((kind) =>
        gap === null ? kind : `${kind} and (${gap}) is not true`,
      );
      let isTampered = false;
      for (const where of kinds) {
        for (const value of otherValues(column)) {
          await withDamage([{ column, value, where }], async ([done]) => {
            if (done === undefined) return;
            isTampered = true;
            if ((await firstBroken(column.table)) !== null) return;
            unnamed.push(`${nameOf(column)} = ${value} where ${where}`);
          });
        }
      }
      if (!isTampered) unnamed.push(`${nameOf(column)}: there is no row to change`);
    }
    expect(
      unnamed,
      "Name these changes by an invariant in src/db/invariants, or list the columns in scripts/verify/not-covered.ts.",
    ).toEqual([]);
  }, 300_000);

  test("has no column in its list of gaps of which it names every change", async () => {
    const gaps = columns.filter(({ gap }) => gap !== undefined);
    const damageOf = (column: Column): Tampering[] =>
      otherValues(column).map((value) => ({ column, value, where: whereOf(column.gap) ?? "true" }));
    const unseen = await unseenOf(gaps.flatMap((column) => damageOf(column).slice(0, 1)));
    const seen: string[] = [];
    for (const column of gaps) {
      if (unseen.some((tampering) => tampering.column === column)) continue;
      const outcomes = new Set<"impossible" | "seen" | "unseen">();
      for (const one of damageOf(column)) {
        const outcome = await withDamage([one], async ([done]) => {
          if (done === undefined) return "impossible";
          return (await firstBroken(column.table)) === null ? "unseen" : "seen";
        });
        outcomes.add(outcome);
      }
      if (outcomes.has("seen") && !outcomes.has("unseen")) seen.push(nameOf(column));
    }
    expect(
      seen,
      "Take these columns out of scripts/verify/not-covered.ts: they are covered.",
    ).toEqual([]);
  }, 300_000);
});

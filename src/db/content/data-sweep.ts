import { sql } from "drizzle-orm";
import type { Database } from "../connection/client.ts";

/** A sweep of the bucket, as the bucket and the database name it. */
interface Begun {
  number: number;
  id: string;
}

/**
 * Begins a sweep, given the one that the bucket names (null if it names none). Returns null if the database does not
 * know that one: nothing may be deleted.
 */
export async function beginSweep(
  database: Database,
  inBucket: Begun | null,
): Promise<Begun | null> {
  const [row] = await database.acrossTenants<{ number: number | null; id: string | null }>(sql`
    select begun_number::float8 as number, begun_id as id
    from begin_sweep(${inBucket?.number ?? null}::bigint, ${inBucket?.id ?? null}::uuid)`);
  const { number = null, id = null } = row ?? {};
  return number === null || id === null ? null : { number, id };
}

/** Deletes declared rows that are older than `ageSeconds` and whose content never arrived, and returns their number. */
export async function sweepDeclared(
  database: Database,
  { ageSeconds, rowsMax }: { ageSeconds: number; rowsMax: number },
): Promise<number> {
  const [swept] = await database.acrossTenants<{ rows: number }>(sql`
    select rows from sweep_declared_data(make_interval(secs => ${ageSeconds}::integer), ${rowsMax}::integer)`);
  return swept?.rows ?? 0;
}

/** Marks the objects that no row names, and unmarks the others. Returns how many were marked. */
export async function markOrphans(database: Database, keys: readonly string[]): Promise<number> {
  if (keys.length === 0) return 0;
  const [row] = await database.acrossTenants<{ marked: number }>(
    sql`select mark_orphans(${textArray(keys)}) as marked`,
  );
  return row?.marked ?? 0;
}

/**
 * Claims objects that were marked 30 days ago and that no row names now, and returns their keys. The caller must delete
 * these objects.
 */
export async function claimDueOrphans(database: Database, rowsMax: number): Promise<string[]> {
  const rows = await database.acrossTenants<{ key: string }>(
    sql`select key from claim_due_orphans(${rowsMax}::integer) as key`,
  );
  return rows.map(({ key }) => key);
}

/** A tenant that would lose many objects at once. */
export interface HeldOrphans {
  tenantId: string;
  /** How many of its objects are held. */
  due: number;
}

/** Returns the tenants whose due objects are held because they are too many. */
export async function findHeldOrphans(database: Database): Promise<HeldOrphans[]> {
  return database.acrossTenants<HeldOrphans>(
    sql`select tenant_id as "tenantId", due::integer as due from held_orphans() order by tenant_id`,
  );
}

/** Records that claimed objects have been deleted. */
export async function finishSweep(database: Database, keys: readonly string[]): Promise<void> {
  await database.acrossTenants(sql`select finish_sweep(${textArray(keys)})`);
}

const OBJECT_SWEEP = "objects";

/** Returns the key at which the last run through the bucket stopped; null if the next one starts at the beginning. */
export async function readSweepPosition(database: Database): Promise<string | null> {
  const [row] = await database.acrossTenants<{ position: string | null }>(
    sql`select nullif(sweep_position(${OBJECT_SWEEP}), '') as position`,
  );
  return row?.position ?? null;
}

/** Saves the key at which a run through the bucket stopped; null if it reached the end. */
export async function keepSweepPosition(
  database: Database,
  position: string | null,
): Promise<void> {
  await database.acrossTenants(sql`select keep_sweep_position(${OBJECT_SWEEP}, ${position ?? ""})`);
}

const textArray = (texts: readonly string[]) =>
  sql`array(select json_array_elements_text(${JSON.stringify(texts)}))`;

import { sql } from "drizzle-orm";
import type { Database } from "../connection/client.ts";

/**
 * Deletes declared rows that are older than `ageSeconds` and whose content never arrived. Returns their number, and the
 * keys of the objects that the caller must delete now.
 */
export async function sweepDeclared(
  database: Database,
  { ageSeconds, rowsMax }: { ageSeconds: number; rowsMax: number },
): Promise<{ rows: number; keys: string[] }> {
  const [swept] = await database.acrossTenants<{ swept: { rows: number; keys: string[] } }>(sql`
    select row_to_json(s) as swept
    from sweep_declared_data(make_interval(secs => ${ageSeconds}::integer), ${rowsMax}::integer) s`);
  return swept?.swept ?? { rows: 0, keys: [] };
}

/** Claims the objects that no row names, and returns their keys. The caller must delete these objects. */
export async function claimOrphans(database: Database, keys: readonly string[]): Promise<string[]> {
  if (keys.length === 0) return [];
  const rows = await database.acrossTenants<{ key: string }>(
    sql`select key from claim_orphans(${textArray(keys)}) as key`,
  );
  return rows.map(({ key }) => key);
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

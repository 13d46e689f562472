import { sql } from "drizzle-orm";
import type { Database } from "../connection/client.ts";

/** Takes away declared rows of that age whose content never came; the keys are of objects to delete now. */
export async function sweepDeclared(
  database: Database,
  { ageSeconds, rowsMax }: { ageSeconds: number; rowsMax: number },
): Promise<{ rows: number; keys: string[] }> {
  const [swept] = await database.acrossTenants<{ swept: { rows: number; keys: string[] } }>(sql`
    select row_to_json(s) as swept
    from sweep_declared_data(make_interval(secs => ${ageSeconds}::integer), ${rowsMax}::integer) s`);
  return swept?.swept ?? { rows: 0, keys: [] };
}

/** Claims those of these objects that no row names: they are the caller's to delete. */
export async function claimOrphans(database: Database, keys: readonly string[]): Promise<string[]> {
  if (keys.length === 0) return [];
  const rows = await database.acrossTenants<{ key: string }>(
    sql`select key from claim_orphans(${textArray(keys)}) as key`,
  );
  return rows.map(({ key }) => key);
}

/** Says that claimed objects are deleted. */
export async function finishSweep(database: Database, keys: readonly string[]): Promise<void> {
  await database.acrossTenants(sql`select finish_sweep(${textArray(keys)})`);
}

const OBJECT_SWEEP = "objects";

/** Where the last look through the bucket ended; null at its beginning. */
export async function readSweepPosition(database: Database): Promise<string | null> {
  const [row] = await database.acrossTenants<{ position: string | null }>(
    sql`select nullif(sweep_position(${OBJECT_SWEEP}), '') as position`,
  );
  return row?.position ?? null;
}

/** Keeps where the look through the bucket ended. */
export async function keepSweepPosition(
  database: Database,
  position: string | null,
): Promise<void> {
  await database.acrossTenants(sql`select keep_sweep_position(${OBJECT_SWEEP}, ${position ?? ""})`);
}

const textArray = (texts: readonly string[]) =>
  sql`array(select json_array_elements_text(${JSON.stringify(texts)}))`;

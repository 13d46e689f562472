import { uuidv7 } from "uuidv7";
import {
  type DataRecord,
  declareData as insertData,
  type DeclaredData,
  findDeclared,
} from "../../db/content/data.ts";
import { succeed, alreadyDeclared, notFound, type Outcome, refuse } from "../../domain/refusals.ts";
import { objectKeyOf } from "../../storage/blobs.ts";
import type { ActionCall, Done } from "../call/call.ts";
import { settle } from "../call/replay.ts";

/**
 * Declares data of a task: what a blob is, before it is sent; or, with a `uri`, where it lies, which nobody fetches.
 * No label depends on it, so it writes no event.
 */
export async function declareData(
  call: ActionCall,
  input: DeclaredData,
): Promise<Outcome<Done<DataRecord>>> {
  const { database, operation } = call;
  const objectKey = input.uri === undefined ? objectKeyOf(database.tenantId, input.sha256) : null;
  const declared = await insertData(database, { id: uuidv7(), objectKey, ...input }, call);
  const settled = await settle(operation, declared, (data: DataRecord) => data);
  if ("answer" in settled) return settled.answer;
  const [row] = settled.rows;
  if (row === undefined) return refuse(notFound());
  if (row.data !== null) return succeed({ value: row.data, replayed: false });
  // A rival's row of this very moment stopped the insert without being visible to it: one more look finds it.
  const existing = row.existing ?? (await findDeclared(database, input, row.place));
  if (existing === null) throw new Error("Only the same data keep a row from being made");
  return refuse(alreadyDeclared(existing));
}

import { type StoredEntry, storeTaxonomyEntry } from "../../db/taxonomy/store-taxonomy.ts";
import type { Outcome } from "../../domain/refusals.ts";
import type { TaxonomyEntry } from "../../domain/taxonomy.ts";
import { type AdministrativeCall, administrationOf, type Done } from "../call/call.ts";
import { asStored, conclude } from "../call/conclude.ts";

/** Creates, renames, moves, archives or restores an entry of the taxonomy. Tasks keep their codes. */
export async function putTaxonomyEntry(
  call: AdministrativeCall,
  { reason, ...entry }: TaxonomyEntry & { archived: boolean; reason?: string | undefined },
): Promise<Outcome<Done<StoredEntry>>> {
  const { database, operation } = call;
  const stored = await storeTaxonomyEntry(database, entry, administrationOf(call, reason));
  return conclude(operation, stored, { result: ({ record }) => record, render: asStored });
}

import {
  type DataRecord,
  declareData as insertData,
  type DeclaredData,
  findDeclared,
} from "../../db/content/data.ts";
import {
  alreadyDeclared,
  notFound,
  type Outcome,
  refuse,
  takesNoData,
} from "../../domain/refusals.ts";
import { objectKeyOf } from "../../storage/blobs.ts";
import type { ActionCall, Done } from "../call/call.ts";
import { idsOf } from "../call/ids-of.ts";
import { asStored, conclude } from "../call/conclude.ts";

/**
 * Declares data of a task. Without a `uri` its content is uploaded later; with one, the service stores the address and
 * never fetches it. No label depends on data, so this writes no event.
 */
export async function declareData(
  call: ActionCall,
  input: DeclaredData,
): Promise<Outcome<Done<DataRecord>>> {
  const { database, operation } = call;
  const objectKey = input.uri === undefined ? objectKeyOf(database.tenantId, input.sha256) : null;
  const declared = await insertData(database, { id: idsOf(call)(), objectKey, ...input }, call);
  return conclude(operation, declared, {
    result: ({ data }) => data,
    render: asStored,
    unwritten: async (found) => {
      if (found === undefined) return refuse(notFound());
      // A concurrent insert can conflict with this one before the statement's snapshot shows it. Read it now.
      if (found.existing === null && found.sealedBy !== null) {
        return refuse(takesNoData(input.kind, found.sealedBy));
      }
      const existing = found.existing ?? (await findDeclared(database, input, found.place));
      if (existing === null)
        throw new Error("Data was not inserted, yet nothing conflicts with it");
      return refuse(alreadyDeclared(existing));
    },
  });
}

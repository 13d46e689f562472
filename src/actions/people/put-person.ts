import {
  findSubjectOwner,
  type PersonSettings,
  type StoredPerson,
  storePerson,
} from "../../db/tenants/people.ts";
import { type Outcome, refuse, subjectTaken } from "../../domain/refusals.ts";
import { type AdministrativeCall, administrationOf, type Done } from "../call/call.ts";
import { asStored, conclude } from "../call/conclude.ts";

/**
 * Creates or changes a person. Deactivating someone revokes their API keys in the same statement, and their tokens are
 * rejected from then on. Activating someone again does not bring their keys back.
 */
export async function putPerson(
  call: AdministrativeCall,
  { reason, ...person }: PersonSettings & { reason?: string | undefined },
): Promise<Outcome<Done<StoredPerson>>> {
  const { database, operation } = call;
  const stored = await storePerson(database, person, administrationOf(call, reason));
  return conclude(operation, stored, {
    result: ({ record }) => record,
    render: asStored,
    unwritten: async () => {
      const owner = person.subject && (await findSubjectOwner(database, person.subject));
      if (!owner) throw new Error("A person was not stored, but the subject is free");
      return refuse(subjectTaken(owner));
    },
  });
}

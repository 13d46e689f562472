import {
  changeClaim as changeHeldClaim,
  type ClaimChange,
  type ClaimRecord,
} from "../../db/reviews/slots.ts";
import { claimLost, notFound, type Outcome, refuse } from "../../domain/refusals.ts";
import type { ActionCall, Done } from "../call/call.ts";
import { asStored, conclude } from "../call/conclude.ts";

/** Renews, releases or declines a claim that the caller holds, or saves the draft of its notes. */
export async function changeClaim(
  call: ActionCall & { identity: string },
  { claimId, change }: { claimId: string; change: ClaimChange },
): Promise<Outcome<Done<ClaimRecord>>> {
  const { database, identity: person, operation } = call;
  const changed = await changeHeldClaim(database, { id: claimId, person, change }, operation);
  return conclude(operation, changed, {
    result: ({ claim }) => claim,
    render: asStored,
    unwritten: (row) => refuse(row?.isKnown === true ? claimLost() : notFound()),
  });
}

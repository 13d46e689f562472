import {
  previewResend,
  type Resend,
  resendDeliveries,
  type ResendRefusal,
} from "../../db/webhooks/resend-deliveries.ts";
import type { Batch } from "../../domain/delivery/batch.ts";
import { notFound, type Outcome, refuse, succeed } from "../../domain/refusals.ts";
import { type AdministrativeCall, administrationOf, type Done } from "../call/call.ts";
import { asStored, conclude } from "../call/conclude.ts";

/** Why a delivery is not sent again, as the answer says it. */
export const RESEND_REFUSALS: Readonly<Record<ResendRefusal, string>> = {
  being_sent: "It is being sent right now.",
  waiting: "It waits for its first attempt.",
};

/**
 * Sends the oldest messages of a webhook that match a filter again, each under its id and with a new set of attempts. A
 * dry run only says what would happen. One round trip.
 */
export async function resendMatching(
  call: AdministrativeCall,
  { reason, dryRun, ...resend }: Resend & { reason?: string | undefined; dryRun: boolean },
): Promise<Outcome<Done<Batch<ResendRefusal>>>> {
  const { database, operation } = call;
  if (dryRun) {
    const value = await previewResend(database, resend);
    return value === null ? refuse(notFound()) : succeed({ value, replayed: false });
  }
  const resent = await resendDeliveries(database, resend, administrationOf(call, reason));
  database.outgoing.events ||=
    resent.outcome === "written" && resent.rows.some(({ batch }) => batch.changed > 0);
  return conclude(operation, resent, { result: ({ batch }) => batch, render: asStored });
}

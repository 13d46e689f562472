import { type SendingTools, sendOutgoing } from "../actions/outgoing/send-outgoing.ts";
import type { StaticFiles } from "../env.ts";
import { type SeedMessage, seedMessage } from "../queues/messages.ts";
import type { Consumer } from "./consume.ts";

/** When to retry if other work on the run is in progress. It goes on by itself, unless it dies. */
const BUSY_RETRY_SECONDS = 30;
/** After so many, the other work is alive or its lease has ended. The sweep revives what is left. */
const BUSY_ATTEMPTS_MAX = 4;

/** The consumer of `stepledger-seed`: goes on with seed runs. Messages may arrive concurrently and more than once. */
export function seedConsumer(
  tools: SendingTools & { assets: StaticFiles | undefined },
): Consumer<SeedMessage> {
  return {
    schema: seedMessage,
    handle: async ({ tenantId, runId }, { id, attempts }) => {
      // Stories are loaded with the first message, because most isolates tell none.
      const { loadSeedTexts } = await import("../storage/seed-texts.ts");
      const { ROUND_TRIPS_MAX, workOnRun } = await import("../actions/seed/work-on-run.ts");
      const texts = await loadSeedTexts(tools.assets);
      const tenant = tools.database.forTenant(tenantId);
      try {
        const work = await workOnRun(
          { database: { jointly: () => tenant.jointly() }, texts, requestId: id },
          { tenantId, runId },
          { roundTripsMax: ROUND_TRIPS_MAX },
        );
        if (work.is === "early") return { retryAfterSeconds: work.seconds };
        const isBusy = work.is === "busy" && attempts < BUSY_ATTEMPTS_MAX;
        return isBusy ? { retryAfterSeconds: BUSY_RETRY_SECONDS } : "done";
      } finally {
        // The next message, if there is more to do. Also what was committed before an error.
        await sendOutgoing(tools, tenant);
      }
    },
  };
}

import { Webhook } from "standardwebhooks";
import { expect } from "vitest";
import { z } from "zod";
import type { Chance } from "./chance.ts";

/** The probability of each behavior. */
export interface ReceiverFaults {
  /** Responds with 500, or with 429 and a Retry-After. */
  away: number;
  /** Takes the message, but its response is lost. */
  answerLost: number;
  /** Always refuses this dispatch. */
  refuses: number;
}

const message = z.object({
  type: z.literal("pipeline.requested"),
  timestamp: z.iso.datetime(),
  data: z.object({ dispatchId: z.uuid(), run: z.object({ id: z.uuid() }) }),
});

/** A tenant's unreliable system behind `fetch`: it verifies and records messages, and often fails. */
export class UnreliableReceiver {
  faults: ReceiverFaults = { away: 0, answerLost: 0, refuses: 0 };
  /** The dispatches that it accepted, each with its run, once for each acceptance. */
  readonly taken = new Map<string, string[]>();
  readonly refused = new Set<string>();
  readonly #verifier: Webhook;
  readonly #chance: Chance;

  constructor(secret: string, chance: Chance) {
    this.#verifier = new Webhook(secret);
    this.#chance = chance;
  }

  async answer(request: Request): Promise<Response> {
    const body = await request.text();
    const verified = this.#verifier.verify(body, Object.fromEntries(request.headers));
    const { dispatchId, run } = message.parse(verified).data;
    expect(request.headers.get("webhook-id")).toBe(dispatchId);
    if (this.refused.has(dispatchId)) return new Response(null, { status: 410 });
    if (this.#chance.isHit(this.faults.away)) return this.#away();
    const known = this.taken.get(dispatchId);
    if (known === undefined && this.#chance.isHit(this.faults.refuses)) {
      this.refused.add(dispatchId);
      return new Response(null, { status: 410 });
    }
    this.taken.set(dispatchId, [...(known ?? []), run.id]);
    if (this.#chance.isHit(this.faults.answerLost)) throw new TypeError("The connection was lost");
    return new Response("Thank you", { status: 202 });
  }

  #away(): Response {
    if (this.#chance.isHit(0.5)) return new Response(null, { status: 503 });
    return new Response(null, { status: 429, headers: { "retry-after": "70" } });
  }
}

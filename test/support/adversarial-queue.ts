import type { MessageBatch, QueuedMessage } from "../../src/consumers/consume.ts";
import type { QueueBinding } from "../../src/env.ts";
import type { Chance } from "./chance.ts";

/** The probability of each fault. */
export interface QueueFaults {
  /** A message is delivered twice. */
  duplicate: number;
  /** A send fails and nothing is stored. */
  failBefore: number;
  /** A send fails although everything is stored. */
  failAfter: number;
  /** A message is delayed. */
  delay: number;
}

export const NO_FAULTS: QueueFaults = { duplicate: 0, failBefore: 0, failAfter: 0, delay: 0 };

/** A consumer of one batch. The platform starts as many as it likes. */
export interface Isolate {
  consume: (batch: MessageBatch) => Promise<void>;
  /** True if it crashed. Its acknowledgments may be lost. */
  isDead: () => boolean;
}

const CONSUMERS_MAX = 16;
const BATCH_MAX = 10;
const DELAY_SECONDS_MAX = 90;
/** The shortest step in which time passes while no consumer works. */
const IDLE_SECONDS = 60;
/** A message that reaches this many attempts is assumed to loop forever. */
const ATTEMPTS_MAX = 50;

interface StoredMessage {
  id: string;
  body: unknown;
  attempts: number;
  dueAt: number;
}

/**
 * A queue that does everything the platform's queue may do and its simulator does not: it delivers twice, in any order,
 * to 16 concurrent consumers, and forgets acknowledgments of a crashed one. It has its own time, which passes only
 * while all consumers are idle.
 */
export class AdversarialQueue implements QueueBinding {
  faults: QueueFaults = NO_FAULTS;
  /** All messages that it stored, whether or not the sender learned of it. */
  readonly taken: unknown[] = [];
  readonly seen = { sent: 0, duplicates: 0, failedSends: 0, crashes: 0, handedOut: 0 };
  readonly #name: string;
  readonly #chance: Chance;
  #stored: StoredMessage[] = [];
  #clock = 0;
  #ids = 0;

  constructor(name: string, chance: Chance) {
    this.#name = name;
    this.#chance = chance;
  }

  async sendBatch(
    messages: { body: unknown }[],
    options: { delaySeconds?: number } = {},
  ): Promise<void> {
    const { failBefore, failAfter } = this.faults;
    if (this.#chance.isHit(failBefore)) return this.#failSend("nothing was stored");
    for (const { body } of messages) this.#store(body, options.delaySeconds ?? 0);
    if (this.#chance.isHit(failAfter)) this.#failSend("everything was stored");
  }

  #failSend(what: string): never {
    this.seen.failedSends += 1;
    throw new Error(`The queue failed, and ${what}`);
  }

  #store(body: unknown, delaySeconds: number): void {
    const { duplicate } = this.faults;
    const id = String((this.#ids += 1));
    const message = { id, body, attempts: 0 };
    const copies = this.#chance.isHit(duplicate) ? 2 : 1;
    this.taken.push(body);
    this.seen.sent += 1;
    this.seen.duplicates += copies - 1;
    for (let copy = 0; copy < copies; copy += 1) {
      this.#stored.push({ ...message, dueAt: this.#clock + delaySeconds + this.#delay() });
    }
  }

  #delay(): number {
    const isDelayed = this.#chance.isHit(this.faults.delay);
    return isDelayed ? this.#chance.below(DELAY_SECONDS_MAX) : 0;
  }

  /** Delivers until nothing is left. `timePasses` advances the time of everything else. */
  async drain(
    startIsolate: (batchSize: number) => Isolate,
    timePasses: (seconds: number) => Promise<void>,
  ): Promise<void> {
    const working = new Set<Promise<void>>();
    while (this.#stored.length > 0 || working.size > 0) {
      const batch = working.size < CONSUMERS_MAX ? this.#take() : [];
      if (batch.length > 0) {
        const work = this.#handOut(batch, startIsolate(batch.length));
        const tracked = work.finally(() => working.delete(tracked));
        working.add(tracked);
      } else if (working.size > 0) {
        await Promise.race(working);
      } else {
        const nextDue = Math.min(...this.#stored.map(({ dueAt }) => dueAt));
        await this.passTime(Math.max(nextDue - this.#clock, IDLE_SECONDS), timePasses);
      }
    }
  }

  /** Advances the time of the queue and of everything else. */
  async passTime(seconds: number, timePasses: (seconds: number) => Promise<void>): Promise<void> {
    this.#clock += seconds;
    await timePasses(seconds);
  }

  /** Takes some due messages in random order. */
  #take(): StoredMessage[] {
    const size = 1 + this.#chance.below(BATCH_MAX);
    const batch: StoredMessage[] = [];
    for (let draw = 0; draw < size * 3 && batch.length < size; draw += 1) {
      const index = this.#chance.below(this.#stored.length);
      if ((this.#stored[index]?.dueAt ?? Infinity) <= this.#clock) {
        batch.push(...this.#removed(index));
      }
    }
    // If few are due, the random picks may have missed them all.
    if (batch.length === 0) {
      const index = this.#stored.findIndex(({ dueAt }) => dueAt <= this.#clock);
      if (index >= 0) batch.push(...this.#removed(index));
    }
    return batch;
  }

  /** Removes a message. The last one takes its place, because order does not matter. */
  #removed(index: number): StoredMessage[] {
    const last = this.#stored.pop();
    const taken = this.#stored[index];
    if (last === undefined || taken === undefined) return last === undefined ? [] : [last];
    this.#stored[index] = last;
    return [taken];
  }

  async #handOut(batch: readonly StoredMessage[], isolate: Isolate): Promise<void> {
    const deliveries = batch.map((stored) => new Delivery(stored));
    this.seen.handedOut += deliveries.length;
    const messages = deliveries.map((delivery) => delivery.message);
    const isWhole = await isolate.consume({ queue: this.#name, messages }).then(
      () => true,
      () => false,
    );
    if (isolate.isDead()) this.seen.crashes += 1;
    for (const { stored, settled } of deliveries) {
      const settlement = isolate.isDead()
        ? this.#settlementOfCrashed(settled)
        : (settled ?? (isWhole ? "acknowledged" : null));
      if (settlement === "acknowledged") continue;
      this.#redeliver(stored, settlement?.delaySeconds ?? 0);
    }
  }

  /** A crashed consumer's acknowledgment may be lost. A message without one is delivered again. */
  #settlementOfCrashed(settled: Settled | null): Settled | null {
    return this.#chance.isHit(0.5) ? settled : null;
  }

  #redeliver(stored: StoredMessage, delaySeconds: number): void {
    const attempts = stored.attempts + 1;
    if (attempts >= ATTEMPTS_MAX)
      throw new Error(`${JSON.stringify(stored.body)} is never acknowledged`);
    const dueAt = this.#clock + delaySeconds + this.#delay();
    this.#stored.push({ ...stored, attempts, dueAt });
  }
}

type Settled = "acknowledged" | { delaySeconds: number };

/** A delivered message. The first of `ack` and `retry` counts. */
class Delivery {
  readonly stored: StoredMessage;
  settled: Settled | null = null;

  constructor(stored: StoredMessage) {
    this.stored = stored;
  }

  get message(): QueuedMessage {
    const { id, body, attempts } = this.stored;
    return {
      id,
      body: structuredClone(body),
      attempts: attempts + 1,
      ack: () => {
        this.settled ??= "acknowledged";
      },
      retry: ({ delaySeconds = 0 } = {}) => {
        this.settled ??= { delaySeconds };
      },
    };
  }
}

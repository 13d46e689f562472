/** Too many large calls are busy in this isolate. The same call can succeed a little later. */
export class TurnsTaken extends Error {
  override name = "TurnsTaken";
}

/** How long a call waits for its turn before it is refused. */
const WAIT_MS_MAX = 60_000;
const POLL_MS = 10;
/** A call that was cancelled while it waited stops polling, and loses its place. */
const ABSENT_MS = 5000;
/** The platform lets a cancelled call work for 30 seconds. Should it not even do that, its turn ends. */
const TURN_MS_MAX = 120_000;

interface Options {
  /** How many calls work at the same time. */
  atOnce: number;
  /** How many more may wait. Each holds its input. */
  waitingMax: number;
}

/**
 * Limits how many calls of an isolate hold much memory at the same time, because the platform ends an isolate at 128
 * MiB with every request in it. Calls wait in order. Each polls for itself: workerd ties a promise to the request that
 * created it, and a cancelled request may run no further code.
 */
export class Turns {
  readonly #options: Options;
  /** The calls that work, with the time at which they lose their turn. */
  readonly #working = new Map<object, number>();
  /** The calls that wait, with the time at which they polled last, in order. */
  readonly #waiting = new Map<object, number>();

  constructor(options: Options) {
    this.#options = options;
  }

  /**
   * Runs the work when it is its turn.
   * @throws TurnsTaken if too many calls wait, or the calls before it take too long.
   */
  async use<Result>(work: () => Promise<Result>): Promise<Result> {
    const call = {};
    await this.#begin(call);
    try {
      return await work();
    } finally {
      this.#working.delete(call);
    }
  }

  async #begin(call: object): Promise<void> {
    const startedAt = performance.now();
    this.#forgetAbsent();
    if (this.#waiting.size >= this.#options.waitingMax) throw new TurnsTaken("Too many calls wait");
    this.#waiting.set(call, startedAt);
    try {
      while (!this.#isNext(call)) {
        if (performance.now() - startedAt > WAIT_MS_MAX) {
          throw new TurnsTaken("The wait is too long");
        }
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
        // An existing entry keeps its place. A call that polled too late begins at the end again.
        this.#waiting.set(call, performance.now());
      }
      // In the same step as the look, so that no other call can take the turn in between.
      this.#working.set(call, performance.now() + TURN_MS_MAX);
    } finally {
      this.#waiting.delete(call);
    }
  }

  #isNext(call: object): boolean {
    this.#forgetAbsent();
    const [first] = this.#waiting.keys();
    return first === call && this.#working.size < this.#options.atOnce;
  }

  #forgetAbsent(): void {
    const now = performance.now();
    for (const [waiting, seenAt] of this.#waiting) {
      if (now - seenAt > ABSENT_MS) this.#waiting.delete(waiting);
    }
    for (const [working, until] of this.#working) if (until < now) this.#working.delete(working);
  }
}

/** The turns of the large calls of an isolate. `npm run bench -- --only memory` measures what they leave of its memory. */
export interface LargeCalls {
  /** Plans of bulk changes with thousands of tasks. */
  plans: Turns;
  /** Parts of lookups and exports, with up to 2,500 rows. */
  parts: Turns;
  /** Work on stories, with the plan of up to 1,000 tasks. */
  stories: Turns;
}

export function createLargeCalls(): LargeCalls {
  return {
    plans: new Turns({ atOnce: 1, waitingMax: 8 }),
    parts: new Turns({ atOnce: 2, waitingMax: 12 }),
    stories: new Turns({ atOnce: 1, waitingMax: 4 }),
  };
}

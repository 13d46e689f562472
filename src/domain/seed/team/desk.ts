import type { Engine, Wait } from "./engine.ts";
import type { Colleague } from "./colleague.ts";

/** A task that waits for a reviewer. */
export interface ReviewRequest {
  /** Someone who may not take it, because the work is their own. */
  author: string;
  /** Higher comes first, and then who has waited longest. */
  priority: () => number;
}

interface Waiting extends ReviewRequest {
  take: (reviewer: Colleague) => void;
}

/** The pause between two reviews. */
const PAUSE_MINUTES = 4;

/** The queue of reviews. Each reviewer has at most one task, and takes the next one during office hours. */
export class ReviewDesk {
  private readonly waiting: Waiting[] = [];
  private readonly free: Colleague[];
  private readonly engine: Engine;

  constructor(engine: Engine, reviewers: readonly Colleague[]) {
    this.engine = engine;
    this.free = [...reviewers];
  }

  /** Waits until a reviewer takes the task. `taken` hears who it is. The reviewer is busy until `release`. */
  request(request: ReviewRequest, taken: (reviewer: Colleague) => void): Wait {
    return (resume) => {
      const take = (reviewer: Colleague) => {
        taken(reviewer);
        resume();
      };
      this.waiting.push({ ...request, take });
      this.assign();
    };
  }

  /** Frees a reviewer, after a short pause. */
  release(reviewer: Colleague): void {
    const at = reviewer.calendar.addWorkingMinutes(this.engine.now, PAUSE_MINUTES);
    this.engine.schedule(at, () => {
      this.free.push(reviewer);
      this.assign();
    });
  }

  /** Hands out tasks to everyone who is free and at work. Who is not at work looks again when work begins. */
  private assign(): void {
    const { now } = this.engine;
    const everyoneFree = this.free.slice();
    for (const reviewer of everyoneFree) {
      const next = this.nextFor(reviewer);
      if (next === undefined) continue;
      const at = reviewer.calendar.nextWorkingTime(now);
      if (at > now) {
        this.wake(reviewer, at);
        continue;
      }
      this.waiting.splice(this.waiting.indexOf(next), 1);
      this.free.splice(this.free.indexOf(reviewer), 1);
      next.take(reviewer);
    }
  }

  private nextFor({ key }: Colleague): Waiting | undefined {
    let best: Waiting | undefined;
    let bestPriority = 0;
    for (const one of this.waiting) {
      if (one.author === key) continue;
      const priority = one.priority();
      // Requests are in the order in which they came, so an equal priority does not replace the earlier one.
      if (best === undefined || priority > bestPriority) [best, bestPriority] = [one, priority];
    }
    return best;
  }

  private readonly woken = new Map<string, number>();

  private wake({ key }: Colleague, at: number): void {
    if (this.woken.get(key) === at) return;
    this.woken.set(key, at);

    this.engine.schedule(at, () => this.assign());
  }
}

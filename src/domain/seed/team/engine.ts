/** What a process waits for: a time in milliseconds, or something that calls `resume`. */
export type Wait = number | ((resume: () => void) => void);

/** A course of events that pauses between them. */
export type Process = Generator<Wait, void, void>;

interface Entry {
  at: number;
  /** Entries of the same time run in the order in which they were scheduled. */
  order: number;
  run: () => void;
}

/** A discrete-event simulation. Its time jumps from one entry to the next. */
export class Engine {
  now: number;
  private readonly heap: Entry[] = [];
  private scheduled = 0;

  constructor(startsAt: number) {
    this.now = startsAt;
  }

  /** Runs something at a time, or now if the time has passed. */
  schedule(at: number, run: () => void): void {
    const entry = { at: Math.max(at, this.now), order: (this.scheduled += 1), run };
    let index = this.heap.push(entry) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!isBefore(entry, this.heap[parent])) break;
      this.swap(index, parent);
      index = parent;
    }
  }

  /** Starts a process at a time. */
  start(at: number, process: Process): void {
    this.schedule(at, () => this.step(process));
  }

  /** Runs everything until a time, which is included. What would come later never happens. */
  runUntil(end: number): void {
    for (let entry = this.heap[0]; entry !== undefined && entry.at <= end; entry = this.heap[0]) {
      this.removeFirst();
      this.now = entry.at;
      entry.run();
    }
  }

  private step(process: Process): void {
    const { done, value } = process.next();
    if (done === true) return;
    const resume = () => this.step(process);
    if (typeof value === "number") this.schedule(value, resume);
    else value(() => this.schedule(this.now, resume));
  }

  private removeFirst(): void {
    const last = this.heap.pop();
    if (last === undefined || this.heap.length === 0) return;
    this.heap[0] = last;
    for (let index = 0; ;) {
      const [left, right] = [2 * index + 1, 2 * index + 2];
      const child = isBefore(this.heap[right], this.heap[left]) ? right : left;
      if (!isBefore(this.heap[child], last)) return;
      this.swap(index, child);
      index = child;
    }
  }

  private swap(one: number, other: number): void {
    const [first, second] = [this.heap[one], this.heap[other]];
    if (first === undefined || second === undefined) return;
    this.heap[one] = second;
    this.heap[other] = first;
  }
}

function isBefore(one: Entry | undefined, other: Entry | undefined): boolean {
  if (one === undefined || other === undefined) return one !== undefined;
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}

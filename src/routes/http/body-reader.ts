/** A client must send something in each of these periods. A body that stalls is cut off after one or two of them. */
const STALL_MS = 10_000;

/** How long a whole body may take: one of JSON, and one of content (100 MiB at a megabit per second takes 14 minutes). */
export const BODY_MS_MAX = { json: 60_000, content: 15 * 60_000 } as const;

/** The next piece of a body. */
type Piece =
  | { outcome: "chunk"; bytes: Uint8Array }
  | { outcome: "end" }
  /** The client sends too slowly. The rest is not read. */
  | { outcome: "timeout" };

/** Reads a request body and gives up on a client that sends too slowly, so that it cannot occupy the Worker. */
export class BodyReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #msMax: number;
  readonly #timeout: Promise<null>;
  #expire: () => void = () => {};
  /** One timer for the body, not one for each chunk. */
  #timer: ReturnType<typeof setTimeout> | undefined;
  #periods = 0;
  #hasProgress = false;
  hasTimedOut = false;

  constructor(stream: ReadableStream<Uint8Array>, msMax: number) {
    this.#reader = stream.getReader();
    this.#msMax = msMax;
    this.#timeout = new Promise((resolve) => {
      this.#expire = () => resolve(null);
    });
  }

  async read(): Promise<Piece> {
    this.#timer ??= setTimeout(() => this.#endPeriod(), STALL_MS);
    const read = await Promise.race([this.#reader.read(), this.#timeout]);
    if (read === null) {
      this.hasTimedOut = true;
      // Not awaited: canceling a stalled stream may take as long as the stall.
      this.cancel().catch(() => {});
      return { outcome: "timeout" };
    }
    this.#hasProgress = true;
    if (!read.done) return { outcome: "chunk", bytes: read.value };
    clearTimeout(this.#timer);
    return { outcome: "end" };
  }

  async cancel(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#reader.cancel();
  }

  #endPeriod(): void {
    this.#periods += 1;
    if (!this.#hasProgress || this.#periods * STALL_MS >= this.#msMax) {
      this.#expire();
      return;
    }
    this.#hasProgress = false;
    this.#timer = setTimeout(() => this.#endPeriod(), STALL_MS);
  }
}

/** Returns a stream of what the reader reads. It fails if the client sends too slowly. */
export function streamOf(reader: BodyReader): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const piece = await reader.read();
        if (piece.outcome === "chunk") controller.enqueue(piece.bytes);
        else if (piece.outcome === "end") controller.close();
        else controller.error(new Error("The client sent the body too slowly"));
      },
      cancel: () => reader.cancel(),
    },
    { highWaterMark: 0 },
  );
}

import * as z from "zod";
import type { EdgeContext } from "./context.ts";

export const EVENT_STREAM = "text/event-stream";

/** The caller's credential ended while the body was sent. */
export class NoLongerAdmitted extends Error {
  override name = "NoLongerAdmitted";
}

/** A streamed body: bytes from another source, or text from a generator. */
type ByteStream = ReadableStream<Uint8Array> | AsyncGenerator<string, void>;

/** A JSON answer that is written piece by piece, because it would be too large in memory as a whole. */
export class JsonStream {
  readonly pieces: AsyncGenerator<string, void>;

  constructor(pieces: AsyncGenerator<string, void>) {
    this.pieces = pieces;
  }
}

/** The response schema of a contract with a `mediaType`. The body is never in memory as a whole. */
export const byteStream = z
  .custom<ByteStream>((value) => value instanceof ReadableStream || isGenerator(value))
  .openapi({ type: "string" });

function isGenerator(value: unknown): boolean {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value;
}

/**
 * Returns the body as a stream that pulls from the source when the client has read the previous piece. An error in the
 * source breaks the connection, so that the client notices the missing rest. `end` aborts when the client disconnects.
 */
export function streamBody(
  source: ByteStream,
  { edge, trace }: EdgeContext,
  end: AbortController,
): ReadableStream<Uint8Array> {
  if (source instanceof ReadableStream) return source;
  const encoder = new TextEncoder();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const piece = await source.next();
          // The client disconnected while the piece was being produced, which is not an error.
          if (end.signal.aborted) return;
          if (piece.done === true) controller.close();
          else controller.enqueue(encoder.encode(piece.value));
        } catch (error) {
          if (!(error instanceof NoLongerAdmitted)) edge.reportDefect(trace, error);
          controller.error(error);
        }
      },
      async cancel() {
        end.abort();
        await source.return();
      },
    },
    { highWaterMark: 0 },
  );
}

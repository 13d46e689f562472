import * as z from "zod";
import type { EdgeContext } from "./context.ts";

export const EVENT_STREAM = "text/event-stream";

/** A body that is sent as it is made: text, piece by piece, or bytes that come from elsewhere. */
type ByteStream = ReadableStream<Uint8Array> | AsyncGenerator<string, void>;

/** What a contract with a `mediaType` answers with; the body never is in memory as a whole. */
export const byteStream = z
  .custom<ByteStream>((value) => value instanceof ReadableStream || isGenerator(value))
  .openapi({ type: "string" });

function isGenerator(value: unknown): boolean {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value;
}

/**
 * The body as the runtime sends it. Each piece is made when the client has taken the one before; where one cannot be
 * made the connection breaks, so that nobody takes a part for the whole. `end` aborts when the client has gone.
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
          // The client went while this was made: there is nobody to give it to, which is no fault.
          if (end.signal.aborted) return;
          if (piece.done === true) controller.close();
          else controller.enqueue(encoder.encode(piece.value));
        } catch (error) {
          edge.reportDefect(trace, error);
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

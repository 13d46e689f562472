import { createReadStream } from "node:fs";

/** A position in a file. Line and column count from 1, as in editors. */
export interface TextPosition {
  line: number;
  column: number;
}

/** The file does not have the expected format. Thrown before anything is sent. */
export class MalformedFile extends Error {
  readonly line: number;
  readonly column: number | null;

  constructor({ line, column }: { line: number; column: number | null }, message: string) {
    super(message);
    this.line = line;
    this.column = column;
  }
}

const CHUNK_BYTES = 256 * 1024;

/**
 * Yields the text of a file in chunks, without a byte order mark.
 * @throws MalformedFile if the file is not UTF-8, because a replacement character would change its text.
 */
export async function* readText(path: string): AsyncGenerator<string> {
  let position: TextPosition = { line: 1, column: 1 };
  let rest: Buffer = Buffer.alloc(0);
  let isFirst = true;
  for await (const chunk of byteChunks(path)) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const length = completeLength(bytes);
    const text = decode(bytes.subarray(0, length), { isFirst, position });
    rest = bytes.subarray(length);
    isFirst = isFirst && text === "";
    position = positionAfter(position, text);
    yield text;
  }
  const text = decode(rest, { isFirst, position });
  if (text !== "") yield text;
}

async function* byteChunks(path: string): AsyncGenerator<Buffer> {
  // The cast is safe: a stream without an encoding yields buffers.
  yield* createReadStream(path, { highWaterMark: CHUNK_BYTES }) as AsyncIterable<Buffer>;
}

function decode(
  bytes: Buffer,
  { isFirst, position }: { isFirst: boolean; position: TextPosition },
): string {
  const options = { ignoreBOM: !isFirst };
  try {
    return new TextDecoder("utf-8", { ...options, fatal: true }).decode(bytes);
  } catch {
    const lenient = new TextDecoder("utf-8", options).decode(bytes);
    const invalidAt = positionAfter(position, lenient.slice(0, lenient.indexOf("\uFFFD")));
    throw new MalformedFile(invalidAt, "The text is not UTF-8. Save the file in that encoding");
  }
}

/** Returns the number of bytes without an incomplete character at the end, where a chunk may have split it. */
function completeLength(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    const isContinuation = (byte & 0b1100_0000) === 0b1000_0000;
    if (isContinuation) continue;
    const needed = byte >= 0b1111_0000 ? 4 : byte >= 0b1110_0000 ? 3 : byte >= 0b1100_0000 ? 2 : 1;
    return needed > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

/** Returns the position after a text that begins at the given position. */
export function positionAfter({ line, column }: TextPosition, text: string): TextPosition {
  const lastBreak = text.lastIndexOf("\n");
  if (lastBreak === -1) return { line, column: column + text.length };
  return { line: line + text.split("\n").length - 1, column: text.length - lastBreak };
}

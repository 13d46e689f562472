import { createReadStream } from "node:fs";

/** A place in a file as editors count it: both from 1. */
export interface TextPosition {
  line: number;
  column: number;
}

/** The file cannot be read as what it should be. Raised before anything was sent. */
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
 * Streams a file as text, without a byte order mark.
 * @throws MalformedFile where it is not UTF-8: a replacement character would change what people wrote.
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
  // A stream without an encoding gives buffers, which its type does not say.
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
    const place = positionAfter(position, lenient.slice(0, lenient.indexOf("\uFFFD")));
    throw new MalformedFile(place, "The text is not UTF-8: save the file in that encoding");
  }
}

/** How many of the bytes are whole characters: a chunk may end in the middle of one. */
function completeLength(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    const continues = (byte & 0b1100_0000) === 0b1000_0000;
    if (continues) continue;
    const needed = byte >= 0b1111_0000 ? 4 : byte >= 0b1110_0000 ? 3 : byte >= 0b1100_0000 ? 2 : 1;
    return needed > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

/** The position behind a text that begins at a position. */
export function positionAfter({ line, column }: TextPosition, text: string): TextPosition {
  const lastBreak = text.lastIndexOf("\n");
  if (lastBreak === -1) return { line, column: column + text.length };
  return { line: line + text.split("\n").length - 1, column: text.length - lastBreak };
}

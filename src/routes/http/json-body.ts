import { BODY_MS_MAX, BodyReader } from "./body-reader.ts";
import type { Fault } from "./problem.ts";
import { JSON_DEPTH_MAX, scanJson } from "./json-scan.ts";

/** A parsed body. The value is `undefined` for an empty body. */
export type JsonBody = { ok: true; value: unknown } | { ok: false; fault: Fault };

/**
 * Reads a JSON body strictly: at most `bytesMax` bytes, whatever its headers claim, within a minute, and no value that
 * could not be stored as it was sent.
 */
export async function readJson(request: Request, bytesMax: number): Promise<JsonBody> {
  const contentType = request.headers.get("content-type");
  const hasJsonType = contentType !== null && isJson(contentType);
  if ((contentType !== null && !hasJsonType) || isEncoded(request)) return unsupported();

  const read = await readBytes(request, bytesMax);
  if (!read.ok) return read;
  if (read.bytes.length === 0) return { ok: true, value: undefined };
  if (!hasJsonType) return unsupported();
  return parseJson(read.bytes);
}

/** Returns the value of a JSON document in UTF-8, or the fault for an invalid one. */
export function parseJson(bytes: Uint8Array): JsonBody {
  const text = decodeUtf8(bytes);
  if (text === null) return failed({ code: "malformed_json", detail: "The body is not UTF-8." });

  const scan = scanJson(text);
  if (scan.tooDeep) return failed({ code: "json_too_deep", max: JSON_DEPTH_MAX });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return failed({ code: "malformed_json" });
  }
  if (scan.duplicateKey !== null) {
    return failed({ code: "duplicate_key", path: scan.duplicateKey });
  }
  if (scan.issues.length > 0) return failed({ code: "validation_failed", issues: scan.issues });
  return { ok: true, value };
}

function failed(fault: Fault): JsonBody {
  return { ok: false, fault };
}

function unsupported(): JsonBody {
  return failed({ code: "unsupported_media_type" });
}

/** Accepts `application/json` with no charset or UTF-8, and ignores other parameters. */
function isJson(contentType: string): boolean {
  const [essence = "", ...parameters] = contentType.split(";").map((part) => part.trim());
  if (essence.toLowerCase() !== "application/json") return false;
  return parameters.every((parameter) => {
    const [name = "", value = ""] = parameter.toLowerCase().split("=");
    return name.trim() !== "charset" || value.trim().replaceAll('"', "") === "utf-8";
  });
}

/** Returns whether the body is compressed, which the service does not support. */
export function isEncoded(request: Request): boolean {
  const encoding = request.headers.get("content-encoding");
  return encoding !== null && encoding.toLowerCase() !== "identity";
}

type Bytes = { ok: true; bytes: Uint8Array } | { ok: false; fault: Fault };

async function readBytes(request: Request, bytesMax: number): Promise<Bytes> {
  if (request.body === null) return { ok: true, bytes: new Uint8Array() };
  // The runtime's type does not say so, but a request body is a stream of bytes.
  const reader = new BodyReader(request.body as ReadableStream<Uint8Array>, BODY_MS_MAX.json);
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const piece = await reader.read();
    if (piece.outcome === "timeout") return { ok: false, fault: { code: "request_timeout" } };
    if (piece.outcome === "end") break;
    length += piece.bytes.length;
    if (length > bytesMax) {
      await reader.cancel();
      return { ok: false, fault: { code: "payload_too_large", max: bytesMax } };
    }
    chunks.push(piece.bytes);
  }
  return { ok: true, bytes: concatenated(chunks, length) };
}

function concatenated(chunks: readonly Uint8Array[], length: number): Uint8Array {
  if (chunks.length === 1 && chunks[0] !== undefined) return chunks[0];
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}

/** Keeps a byte order mark, so that JSON.parse rejects it: RFC 8259 does not allow one. */
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function decodeUtf8(bytes: Uint8Array): string | null {
  try {
    return utf8.decode(bytes);
  } catch {
    return null;
  }
}

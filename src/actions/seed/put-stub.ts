import { hex } from "../../db/sql/bytes.ts";
import { essenceOf } from "../../domain/data/content-type.ts";
import {
  type Outcome,
  payloadTooLarge,
  refuse,
  stubExists,
  stubTypeRefused,
  succeed,
  validationFailed,
} from "../../domain/refusals.ts";
import { stageOfObject } from "../../domain/seed/object-path.ts";
import { addressOfStub, stubKeyOf, type StubStore } from "../../storage/stubs.ts";
import type { Upload } from "../content/store-content.ts";

/** A stored stub, with what a declaration of data needs to name it. */
export interface StubView {
  path: string;
  contentType: string;
  sizeBytes: number;
  /** In hex. */
  sha256: string;
  /** An address for data that is stored elsewhere. */
  uri: string;
}

/**
 * Stores an object for a demo under one of the prefixes of the stages. Never overwrites one: refuses with what exists, even
 * if it is equal. Everything that can be refused without the body is refused before the body is read.
 */
export async function putStub(
  { stubs, tenantId }: { stubs: StubStore; tenantId: string },
  { path, upload }: { path: string; upload: Upload },
): Promise<Outcome<StubView>> {
  const stage = stageOfObject(path);
  if ("message" in stage) return refuse(validationFailed(stage));
  const { bytesMax, contentTypes } = stage;
  const contentType = upload.contentType === null ? null : essenceOf(upload.contentType);
  if (contentType === null || !contentTypes.includes(contentType)) {
    return refuse(stubTypeRefused(contentTypes));
  }
  if (upload.length !== null && upload.length > bytesMax) return refuse(payloadTooLarge(bytesMax));
  const key = stubKeyOf(tenantId, path);
  const existing = await stubs.find(key);
  if (existing !== null) return refuse(stubExists(path, existing));

  const read = await readUpTo(upload.stream, bytesMax);
  if (read === "too_large") return refuse(payloadTooLarge(bytesMax));
  if (read === "cut_off") {
    const message = "The body ended before its end.";
    return refuse(validationFailed({ path: [], code: "wrong_length", message }));
  }
  const sha256 = hex(new Uint8Array(await crypto.subtle.digest("SHA-256", read)));
  if (!(await stubs.store({ key, bytes: read, sha256, contentType }))) {
    return refuse(stubExists(path, await stubs.find(key)));
  }
  const uri = addressOfStub(tenantId, path);
  return succeed({ path, contentType, sizeBytes: read.length, sha256, uri });
}

/** Reads a body whole, because R2 needs its length. A stage's ceiling is small enough for that. */
async function readUpTo(
  stream: ReadableStream<Uint8Array>,
  bytesMax: number,
): Promise<Uint8Array<ArrayBuffer> | "too_large" | "cut_off"> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = stream.getReader();
  for (;;) {
    const piece = await reader.read().catch(() => null);
    if (piece === null) return "cut_off";
    if (piece.done) break;
    length += piece.value.length;
    if (length > bytesMax) {
      await reader.cancel().catch(() => {});
      return "too_large";
    }
    chunks.push(piece.value);
  }
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.length;
  }
  return whole;
}

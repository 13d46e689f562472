import type { DataRecord } from "../../../src/db/content/data.ts";
import { type Answer, expectDone, type Tenant, type TestApi } from "../../support/api.ts";

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Bytes without a pattern that would hide an order mixed up, the same for the same length. */
export function manyBytes(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = 1;
  for (let index = 0; index < length; index += 1) {
    // xorshift32 (Marsaglia, "Xorshift RNGs", 2003).
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[index] = state;
  }
  return bytes;
}

export async function sha256Of(bytes: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** What declares these bytes. */
export const declarationOf = async (bytes: Uint8Array, more: object = {}) => ({
  kind: "generated",
  contentType: "text/plain",
  sizeBytes: bytes.length,
  sha256: await sha256Of(bytes),
  ...more,
});

/** The bytes as a client sends them bit by bit, without saying how many there are. */
export function streamOf(bytes: Uint8Array, { breaksAfter = Infinity } = {}): ReadableStream {
  const piece = 64 * 1024;
  let sent = 0;
  return new ReadableStream<Uint8Array>({
    pull(controller) {
      if (sent >= breaksAfter) {
        controller.error(new Error("The client has gone"));
      } else if (sent >= bytes.length) {
        controller.close();
      } else {
        controller.enqueue(bytes.slice(sent, sent + piece));
        sent += piece;
      }
    },
  });
}

/** Sends content as a holder of a key would. */
export async function sendContent(
  api: TestApi,
  dataId: string,
  body: Uint8Array | ReadableStream,
  { headers = {}, tenant = api.tenant }: { headers?: object; tenant?: Tenant } = {},
): Promise<Answer<DataRecord>> {
  const response = await api.fetch(`/v1/data/${dataId}/content`, {
    method: "PUT",
    body,
    headers: { authorization: `Bearer ${tenant.keys.service}`, ...headers },
  });
  const text = await response.text();
  // What it is, is for its test to say.
  const answered = JSON.parse(text) as DataRecord;
  return { status: response.status, headers: response.headers, text, body: answered };
}

/** Asks for content as any reader may. */
export const readContent = (
  api: TestApi,
  dataId: string,
  headers: Record<string, string> = {},
): Promise<Response> =>
  api.fetch(`/v1/data/${dataId}/content`, {
    headers: { authorization: `Bearer ${api.tenant.keys.viewer}`, ...headers },
  });

/** A row that waits for these bytes, on a task of its own unless one is named. */
export async function givenDeclared(
  api: TestApi,
  bytes: Uint8Array,
  { taskId, ...more }: { taskId?: string; [field: string]: unknown } = {},
): Promise<DataRecord> {
  const task = taskId ?? (await api.givenTask()).id;
  const body = await declarationOf(bytes, more);
  return expectDone(await api.call<DataRecord>("POST", `/tasks/${task}/data`, { body }), 201);
}

import type { DataRecord } from "../../../src/db/content/data.ts";
import { type Answer, expectDone, type Tenant, type TestApi } from "../../support/api.ts";

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Returns pseudorandom bytes, which show any reordering. The same length gives the same bytes. */
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

/** Returns the body that declares these bytes. */
export const declarationOf = async (bytes: Uint8Array, more: object = {}) => ({
  kind: "generated",
  contentType: "text/plain",
  sizeBytes: bytes.length,
  sha256: await sha256Of(bytes),
  ...more,
});

/** Returns the bytes as a stream without a length, which fails after `breaksAfter` bytes. */
export function streamOf(bytes: Uint8Array, { breaksAfter = Infinity } = {}): ReadableStream {
  const piece = 64 * 1024;
  let sent = 0;
  return new ReadableStream<Uint8Array>({
    pull(controller) {
      if (sent >= breaksAfter) {
        controller.error(new Error("The client disconnected"));
      } else if (sent >= bytes.length) {
        controller.close();
      } else {
        controller.enqueue(bytes.slice(sent, sent + piece));
        sent += piece;
      }
    },
  });
}

/** Uploads content with the service key. */
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
  // Each test knows whether the response is a record or a problem.
  const answered = JSON.parse(text) as DataRecord;
  return { status: response.status, headers: response.headers, text, body: answered };
}

/** Downloads content with the viewer key. */
export const readContent = (
  api: TestApi,
  dataId: string,
  headers: Record<string, string> = {},
): Promise<Response> =>
  api.fetch(`/v1/data/${dataId}/content`, {
    headers: { authorization: `Bearer ${api.tenant.keys.viewer}`, ...headers },
  });

/** Declares these bytes as data of the given task, or of a new one. */
export async function givenDeclared(
  api: TestApi,
  bytes: Uint8Array,
  { taskId, ...more }: { taskId?: string; [field: string]: unknown } = {},
): Promise<DataRecord> {
  const task = taskId ?? (await api.givenTask()).id;
  const body = await declarationOf(bytes, more);
  return expectDone(await api.call<DataRecord>("POST", `/tasks/${task}/data`, { body }), 201);
}

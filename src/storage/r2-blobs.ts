import type { Bucket } from "../env.ts";
import {
  type BlobStore,
  type Expected,
  type Sweep,
  type UploadCheck,
  StorageUnavailable,
} from "./blobs.ts";
import { reach } from "./reach.ts";

/** Creates a store over an R2 bucket. */
export function createR2Blobs(bucket: Bucket): BlobStore {
  return {
    put: async (content, expected, key) => {
      // An object under this key has this content, because R2 checked its hash when it was stored.
      const isThere = (await reach(bucket.head(key))) !== null;
      return isThere ? compare(content, expected, null) : store(bucket, { key, content, expected });
    },
    open: async (key, range) => {
      const object = await reach(bucket.get(key, range === null ? {} : { range }));
      return object?.body ?? null;
    },
    delete: async (keys) => {
      for (let first = 0; first < keys.length; first += DELETED_MAX) {
        await reach(bucket.delete(keys.slice(first, first + DELETED_MAX)));
      }
    },
    list: async (after, limit) => {
      const found = await reach(
        bucket.list({ limit, ...(after !== null && { startAfter: after }) }),
      );
      const objects = found.objects.map(({ key, uploaded }) => ({ key, uploadedAt: uploaded }));
      // A page that is shorter than the limit need not be the last.
      return { objects, isLast: !found.truncated };
    },
    readSweep: async () => {
      const object = await reach(bucket.get(SWEEP_KEY, {}));
      return object === null ? null : sweepFrom(await reach(new Response(object.body).text()));
    },
    writeSweep: async ({ number, id }) => {
      await reach(bucket.put(SWEEP_KEY, `${number} ${id}`));
    },
    isReady: () =>
      bucket.head("readiness").then(
        () => true,
        () => false,
      ),
  };
}

/** Not the key of any content, which begins with a tenant's id. */
const SWEEP_KEY = "sweep";

/**
 * Parses what writeSweep wrote.
 * @throws if it is anything else, so that nothing is deleted.
 */
function sweepFrom(text: string): Sweep {
  const { number, id } = /^(?<number>\d{1,15}) (?<id>[\da-f-]{36})$/.exec(text)?.groups ?? {};
  if (number === undefined || id === undefined) throw new Error("The bucket names no valid sweep");
  return { number: Number(number), id };
}

/** R2 deletes up to 1,000 objects in one call. */
const DELETED_MAX = 1000;

async function store(
  bucket: Bucket,
  upload: { key: string; content: ReadableStream<Uint8Array>; expected: Expected },
): Promise<UploadCheck> {
  const { key, content, expected } = upload;
  const { readable, writable } = new FixedLengthStream(expected.sizeBytes);
  const sink = new Sink(writable.getWriter());
  const putting = bucket
    .put(key, readable, { sha256: expected.sha256, onlyIf: { etagDoesNotMatch: "*" } })
    .then(
      () => true,
      () => false,
    )
    .then(async (isStored) => {
      // A concurrent upload was first, or R2 refused the object. Nothing reads from the stream any more.
      await sink.abandon();
      return isStored;
    });
  const check = await compare(content, expected, sink);
  const isStored = await putting;
  if (check === "matches" && !isStored)
    throw new StorageUnavailable("The bucket did not store the object");
  return check;
}

/** Streams content into the sink and compares its length and hash with the declaration. */
async function compare(
  content: ReadableStream<Uint8Array>,
  { sizeBytes, sha256 }: Expected,
  sink: Sink | null,
): Promise<UploadCheck> {
  const digest = new crypto.DigestStream("SHA-256");
  const hasher = digest.getWriter();
  const reader = content.getReader();
  let length = 0;
  for (;;) {
    // An aborted upload counts as too short.
    const chunk = await reader.read().catch(() => ({ done: true, value: undefined }) as const);
    if (chunk.done) break;
    length += chunk.value.length;
    if (length > sizeBytes) {
      await reader.cancel().catch(() => {});
      break;
    }
    await Promise.all([hasher.write(chunk.value), sink?.write(chunk.value)]);
  }
  await hasher.close();
  const isWhole = length === sizeBytes;
  const isRight = isWhole && hex(await digest.digest) === sha256;
  await (isRight ? sink?.close() : sink?.abandon());
  if (isRight) return "matches";
  return isWhole ? "wrong_content" : "wrong_length";
}

/** The stream into the bucket. It ignores write errors, because the bucket's own response says whether it stored. */
class Sink {
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;

  constructor(writer: WritableStreamDefaultWriter<Uint8Array>) {
    this.#writer = writer;
    writer.closed.catch(() => {});
  }

  write(chunk: Uint8Array): Promise<void> {
    return this.#writer.write(chunk).catch(() => {});
  }

  close(): Promise<void> {
    return this.#writer.close().catch(() => {});
  }

  abandon(): Promise<void> {
    return this.#writer.abort(new Error("The upload was rejected")).catch(() => {});
  }
}

function hex(bytes: ArrayBuffer): string {
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

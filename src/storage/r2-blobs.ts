import type { Bucket } from "../env.ts";
import { type BlobStore, type Expected, type Soundness, StorageUnavailable } from "./blobs.ts";

/** Keeps blobs in an R2 bucket. */
export function createR2Blobs(bucket: Bucket): BlobStore {
  return {
    take: async (content, expected, key) => {
      // Content under this key is this very content: R2 checked its hash when it came.
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
      // A page may be shorter than was asked for and yet not the last.
      return { objects, isLast: !found.truncated };
    },
    isReady: () =>
      bucket.head("readiness").then(
        () => true,
        () => false,
      ),
  };
}

/** R2 deletes so many objects in one call. */
const DELETED_MAX = 1000;

/** R2's own failures are outages; what they say may name keys. */
async function reach<Value>(asking: Promise<Value>): Promise<Value> {
  try {
    return await asking;
  } catch {
    throw new StorageUnavailable("The bucket did not answer");
  }
}

async function store(
  bucket: Bucket,
  upload: { key: string; content: ReadableStream<Uint8Array>; expected: Expected },
): Promise<Soundness> {
  const { key, content, expected } = upload;
  const { readable, writable } = new FixedLengthStream(expected.sizeBytes);
  const sink = new Sink(writable.getWriter());
  const putting = bucket
    .put(key, readable, { sha256: expected.sha256, onlyIf: { etagDoesNotMatch: "*" } })
    .then(
      () => true,
      () => false,
    )
    .then(async (isKept) => {
      // A rival was first, or R2 refused: nobody reads from the other end any more.
      await sink.abandon();
      return isKept;
    });
  const soundness = await compare(content, expected, sink);
  const isKept = await putting;
  if (soundness === "sound" && !isKept) throw new StorageUnavailable("The bucket took no content");
  return soundness;
}

/** Hashes and counts content as it passes, on its way into the sink. */
async function compare(
  content: ReadableStream<Uint8Array>,
  { sizeBytes, sha256 }: Expected,
  sink: Sink | null,
): Promise<Soundness> {
  const digest = new crypto.DigestStream("SHA-256");
  const hasher = digest.getWriter();
  const reader = content.getReader();
  let length = 0;
  for (;;) {
    // An upload that breaks off is one that is too short.
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
  if (isRight) return "sound";
  return isWhole ? "wrong_content" : "wrong_length";
}

/** The way into the bucket. Whether content arrives there is for the bucket to say: a broken way is no error here. */
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
    return this.#writer.abort(new Error("The content is not wanted")).catch(() => {});
  }
}

function hex(bytes: ArrayBuffer): string {
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

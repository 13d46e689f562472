import type { ByteRange } from "../domain/data/byte-range.ts";

/** What an upload turned out to be. Only `sound` content is ever stored. */
export type Soundness = "sound" | "wrong_length" | "wrong_content";

/** What content was declared to be. */
export interface Expected {
  sizeBytes: number;
  /** In hex. */
  sha256: string;
}

/** A stored object, as a list tells it. */
export interface StoredObject {
  key: string;
  uploadedAt: Date;
}

/** Where blobs are kept: written once, under keys that follow from their content. */
export interface BlobStore {
  /**
   * Reads an upload to its end, or as far as it is sound, and compares it with what was declared. Sound content is
   * stored under the key unless it is there, and nothing else ever is.
   */
  take: (
    content: ReadableStream<Uint8Array>,
    expected: Expected,
    key: string,
  ) => Promise<Soundness>;
  /** A blob, or a part of it; null where there is none. */
  open: (key: string, range: ByteRange | null) => Promise<ReadableStream<Uint8Array> | null>;
  delete: (keys: readonly string[]) => Promise<void>;
  /** A page of objects by key, beginning after one. */
  list: (
    after: string | null,
    limit: number,
  ) => Promise<{ objects: StoredObject[]; isLast: boolean }>;
  isReady: () => Promise<boolean>;
}

/** The store could not be reached, or broke off: nothing is known to be wrong with the request. */
export class StorageUnavailable extends Error {
  override name = "StorageUnavailable";
}

/** Where a tenant's content with this hash lies, whichever of its rows it belongs to. */
export function objectKeyOf(tenantId: string, sha256: string): string {
  return `${tenantId}/${sha256}`;
}

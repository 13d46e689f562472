import type { ByteRange } from "../domain/data/byte-range.ts";

/** How an upload compares with its declaration. */
export type UploadCheck = "matches" | "wrong_length" | "wrong_content";

/** The declaration of content. */
export interface Expected {
  sizeBytes: number;
  /** In hex. */
  sha256: string;
}

/** A stored object in a list. */
export interface StoredObject {
  key: string;
  uploadedAt: Date;
}

/** Stores blobs under keys that are derived from their content. A blob is written once and never changes. */
export interface BlobStore {
  /**
   * Reads an upload and compares it with its declaration. Content that matches is stored under the key, unless it is
   * already there. Anything else is discarded.
   */
  put: (
    content: ReadableStream<Uint8Array>,
    expected: Expected,
    key: string,
  ) => Promise<UploadCheck>;
  /** Opens a blob or a range of it; null if there is none. */
  open: (key: string, range: ByteRange | null) => Promise<ReadableStream<Uint8Array> | null>;
  delete: (keys: readonly string[]) => Promise<void>;
  /** Returns a page of objects by key, starting after the given key. */
  list: (
    after: string | null,
    limit: number,
  ) => Promise<{ objects: StoredObject[]; isLast: boolean }>;
  /** Returns the last sweep that the bucket knows of; null if it was never swept. */
  readSweep: () => Promise<Sweep | null>;
  writeSweep: (sweep: Sweep) => Promise<void>;
  isReady: () => Promise<boolean>;
}

/** A sweep of the bucket. Numbers rise; the id distinguishes sweeps of two databases that have the same number. */
export interface Sweep {
  number: number;
  id: string;
}

/** The store could not be reached, or failed. The request may be valid, and can be retried. */
export class StorageUnavailable extends Error {
  override name = "StorageUnavailable";
}

/** The key of a tenant's content with this hash. Rows with equal content share one object. */
export function objectKeyOf(tenantId: string, sha256: string): string {
  return `${tenantId}/${sha256}`;
}

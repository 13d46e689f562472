import type { Bucket } from "../env.ts";
import { reach } from "./reach.ts";

/** What is stored under a stub's key. */
export interface StoredStub {
  sizeBytes: number;
  /** In hex. */
  sha256: string;
}

/**
 * The key of a tenant's stub. It begins with the tenant, so tenants never meet. It is no key of content, which is a hash,
 * so the sweep of the bucket never marks it.
 */
export function stubKeyOf(tenantId: string, path: string): string {
  return `${tenantId}/${path}`;
}

/** The address by which data names a stub. */
export function addressOfStub(tenantId: string, path: string): string {
  return `s3://stepledger/${stubKeyOf(tenantId, path)}`;
}

interface NewStub {
  key: string;
  bytes: Uint8Array;
  /** In hex. */
  sha256: string;
  contentType: string;
}

/** Stores stubs, which are never overwritten. */
export interface StubStore {
  /** Returns what is stored under a key; null if nothing is. */
  find: (key: string) => Promise<StoredStub | null>;
  /** Stores a stub. Returns false if there is an object under its key: then nothing changes. */
  store: (stub: NewStub) => Promise<boolean>;
}

/** Creates a store over an R2 bucket. */
export function createStubStore(bucket: Bucket): StubStore {
  return {
    find: async (key) => {
      const object = await reach(bucket.head(key));
      if (object === null) return null;
      return { sizeBytes: object.size, sha256: object.customMetadata?.["sha256"] ?? "" };
    },
    store: async ({ key, bytes, sha256, contentType }) => {
      const stored = await reach(
        bucket.put(key, bytes, {
          sha256,
          // R2 checks the condition when it stores the object, so of two uploads one is refused.
          onlyIf: { etagDoesNotMatch: "*" },
          httpMetadata: { contentType },
          customMetadata: { sha256 },
        }),
      );
      return stored !== null;
    },
  };
}

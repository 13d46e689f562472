import { createHash } from "node:crypto";
import type { BlobStore, Sweep } from "../../../src/storage/blobs.ts";

/** Returns a blob store in memory, for the service in Node, where the platform's bucket is not available. */
export function memoryBlobs(): BlobStore {
  const blobs = new Map<string, { bytes: Uint8Array; uploadedAt: Date }>();
  let sweep: Sweep | null = null;
  return {
    put: async (content, { sizeBytes, sha256 }, key) => {
      const bytes = new Uint8Array(await new Response(content).arrayBuffer());
      if (bytes.length !== sizeBytes) return "wrong_length";
      if (createHash("sha256").update(bytes).digest("hex") !== sha256) return "wrong_content";
      if (!blobs.has(key)) blobs.set(key, { bytes, uploadedAt: new Date() });
      return "matches";
    },
    open: async (key, range) => {
      const bytes = blobs.get(key)?.bytes;
      if (bytes === undefined) return null;
      const { offset, length } = range ?? { offset: 0, length: bytes.length };
      return new Response(bytes.slice(offset, offset + length)).body;
    },
    delete: async (keys) => {
      for (const key of keys) blobs.delete(key);
    },
    list: async (after, limit) => {
      const found = [...blobs]
        .map(([key, { uploadedAt }]) => ({ key, uploadedAt }))
        .filter(({ key }) => after === null || key > after)
        .toSorted((one, other) => (one.key < other.key ? -1 : 1));
      return { objects: found.slice(0, limit), isLast: found.length <= limit };
    },
    readSweep: async () => sweep,
    writeSweep: async (begun) => {
      sweep = begun;
    },
    isReady: async () => true,
  };
}

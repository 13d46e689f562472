import { type DataRecord, findData } from "../../db/content/data.ts";
import type { TenantDatabase } from "../../db/connection/client.ts";
import { type ByteRange, byteRangeOf } from "../../domain/data/byte-range.ts";
import {
  succeed,
  notFound,
  type Outcome,
  rangeNotSatisfiable,
  refuse,
} from "../../domain/refusals.ts";
import type { BlobStore } from "../../storage/blobs.ts";

/** Content that is open for reading. */
export interface OpenedContent {
  data: DataRecord;
  stream: ReadableStream<Uint8Array>;
  /** The part that the stream holds; null if it is the whole. */
  range: ByteRange | null;
}

interface ReadingCall {
  database: TenantDatabase;
  blobs: BlobStore;
  /** The `Range` header. */
  range: string | null;
  /** The entity tag that the content must have for `range` to apply. */
  ifRange: string | null;
  /** Whether the caller already has the content with this entity tag, in which case `range` is ignored. */
  isKnown: (entityTag: string) => boolean;
}

/** Opens the stored content of a row. Not found if it has not been uploaded, or is stored elsewhere. */
export async function openContent(
  { database, blobs, range: header, ifRange, isKnown }: ReadingCall,
  { dataId }: { dataId: string },
): Promise<Outcome<OpenedContent>> {
  const found = await findData(database, dataId);
  if (found === null || found.objectKey === null || found.data.storedAt === null) {
    return refuse(notFound());
  }
  const { data, objectKey } = found;
  const entityTag = contentTag(data);
  const isSame = ifRange === null || ifRange === entityTag;
  const range = isSame && !isKnown(entityTag) ? byteRangeOf(header, data.sizeBytes) : null;
  if (range === "unsatisfiable") return refuse(rangeNotSatisfiable(data.sizeBytes));
  const stream = await blobs.open(objectKey, range);
  if (stream === null) throw new Error("A row is marked as stored, but its object is missing");
  return succeed({ data, stream, range });
}

/** The strong entity tag of content, derived from its hash. */
export const contentTag = ({ sha256 }: DataRecord): string => `"${sha256}"`;

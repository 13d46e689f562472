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

/** Content on its way out. */
export interface OpenedContent {
  data: DataRecord;
  stream: ReadableStream<Uint8Array>;
  /** null where the stream is the whole. */
  range: ByteRange | null;
}

/** Who reads, and which part: `ifRange` names the content that the part must be of. */
interface ReadingCall {
  database: TenantDatabase;
  blobs: BlobStore;
  range: string | null;
  ifRange: string | null;
  /** Whether the caller has the content of this entity tag: then no part of it is asked for. */
  isKnown: (entityTag: string) => boolean;
}

/** Opens the stored content of a row; one that is awaited, or lies elsewhere, has none. */
export async function openContent(
  { database, blobs, range: asked, ifRange, isKnown }: ReadingCall,
  { dataId }: { dataId: string },
): Promise<Outcome<OpenedContent>> {
  const found = await findData(database, dataId);
  if (found === null || found.objectKey === null || found.data.storedAt === null) {
    return refuse(notFound());
  }
  const { data, objectKey } = found;
  const entityTag = contentTag(data);
  const isOfThis = ifRange === null || ifRange === entityTag;
  const range = isOfThis && !isKnown(entityTag) ? byteRangeOf(asked, data.sizeBytes) : null;
  if (range === "unsatisfiable") return refuse(rangeNotSatisfiable(data.sizeBytes));
  const stream = await blobs.open(objectKey, range);
  if (stream === null) throw new Error("What is stored has its object");
  return succeed({ data, stream, range });
}

/** The strong entity tag of content: it is the same wherever the bytes are. */
export const contentTag = ({ sha256 }: DataRecord): string => `"${sha256}"`;

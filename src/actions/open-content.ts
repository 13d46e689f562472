import { type DataView, findData } from "../db/data.ts";
import type { TenantDatabase } from "../db/client.ts";
import { type ByteRange, byteRangeOf } from "../domain/data/byte-range.ts";
import { accept, notFound, type Outcome, refuse } from "../domain/refusals.ts";
import type { BlobStore } from "../storage/blobs.ts";

/** Content on its way out. */
export interface OpenedContent {
  data: DataView;
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
}

/** Opens the stored content of a row; one that is awaited, or lies elsewhere, has none. */
export async function openContent(
  { database, blobs, range: asked, ifRange }: ReadingCall,
  { dataId }: { dataId: string },
): Promise<Outcome<OpenedContent>> {
  const found = await findData(database, dataId);
  if (found === null || found.objectKey === null || found.data.storedAt === null) {
    return refuse(notFound());
  }
  const { data, objectKey } = found;
  const isOfThis = ifRange === null || ifRange === `"${data.sha256}"`;
  const range = isOfThis ? byteRangeOf(asked, data.sizeBytes) : null;
  const stream = await blobs.open(objectKey, range);
  if (stream === null) throw new Error("What is stored has its object");
  return accept({ data, stream, range });
}

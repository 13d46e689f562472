import { type DataRecord, findData } from "../../db/content/data.ts";
import type { TenantDatabase } from "../../db/connection/client.ts";
import type { ByteRange } from "../../domain/data/byte-range.ts";
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
  /** The part that the stream contains; null if it is the whole content. */
  range: ByteRange | null;
}

/** Opens the stored content of a row. Not found if it has not been uploaded, or is stored elsewhere. */
export async function openContent(
  { database, blobs }: { database: TenantDatabase; blobs: BlobStore },
  {
    dataId,
    rangeOf,
  }: {
    dataId: string;
    /** Returns the part to read, or null for the whole content. */
    rangeOf: (data: DataRecord) => ByteRange | "unsatisfiable" | null;
  },
): Promise<Outcome<OpenedContent>> {
  const found = await findData(database, dataId);
  if (found === null || found.objectKey === null || found.data.storedAt === null) {
    return refuse(notFound());
  }
  const { data, objectKey } = found;
  const range = rangeOf(data);
  if (range === "unsatisfiable") return refuse(rangeNotSatisfiable(data.sizeBytes));
  const stream = await blobs.open(objectKey, range);
  if (stream === null) throw new Error("A row is marked as stored, but its object is missing");
  return succeed({ data, stream, range });
}

import { type DataRecord, findData, markStored } from "../../db/content/data.ts";
import { isSameType } from "../../domain/data/content-type.ts";
import {
  succeed,
  contentMismatch,
  notFound,
  type Outcome,
  refuse,
  wrongContentType,
} from "../../domain/refusals.ts";
import { type BlobStore, StorageUnavailable } from "../../storage/blobs.ts";
import type { ActionCall, Done } from "../call/call.ts";
import { settle } from "../call/replay.ts";

/** An upload, and what its sender says of it. */
export interface Upload {
  stream: ReadableStream<Uint8Array>;
  length: number | null;
  contentType: string | null;
}

/**
 * Stores the content that a row declares, as it streams by: only what has the declared length and hash is kept. Sent
 * again, it is compared again, and nothing changes unless the bucket has lost it.
 */
export async function storeContent(
  call: ActionCall & { blobs: BlobStore },
  { dataId, upload }: { dataId: string; upload: Upload },
): Promise<Outcome<Done<DataRecord>>> {
  const { database, blobs, operation } = call;
  const found = await findData(database, dataId);
  if (found === null || found.objectKey === null) return refuse(notFound());
  const { data, objectKey, readAt } = found;
  const { contentType, length, stream } = upload;
  if (contentType !== null && !isSameType(contentType, data.contentType)) {
    return refuse(wrongContentType(data.contentType));
  }
  if (length !== null && length !== data.sizeBytes) {
    return refuse(contentMismatch("wrong_length", data));
  }

  const soundness = await blobs.take(stream, data, objectKey);
  if (soundness !== "sound") return refuse(contentMismatch(soundness, data));
  if (data.storedAt !== null) return succeed({ value: data, replayed: false });

  const marked = await markStored(database, { id: dataId, readAt }, operation);
  const settled = await settle(operation, marked, (stored: DataRecord) => stored);
  if ("answer" in settled) return settled.answer;
  const [row] = settled.rows;
  if (row !== undefined) return succeed({ value: row.data, replayed: false });
  // The sweep came between: the next try finds the row as it is now, and stores the object anew.
  throw new StorageUnavailable("The object may have been swept away");
}

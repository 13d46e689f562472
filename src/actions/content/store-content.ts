import { type DataRecord, findData, markStored } from "../../db/content/data.ts";
import { isSameType } from "../../domain/data/content-type.ts";
import {
  succeed,
  contentMismatch,
  notFound,
  type Outcome,
  refuse,
  takesNoData,
  wrongContentType,
} from "../../domain/refusals.ts";
import { type BlobStore, StorageUnavailable } from "../../storage/blobs.ts";
import type { ActionCall, Done } from "../call/call.ts";
import { asStored, conclude } from "../call/conclude.ts";

/** An upload and its headers. */
export interface Upload {
  stream: ReadableStream<Uint8Array>;
  length: number | null;
  contentType: string | null;
}

/**
 * Streams an upload into the bucket and keeps it only if it has the declared length and hash. A repeated upload is
 * compared again and changes nothing, unless the bucket has lost the object.
 * @throws StorageUnavailable if the bucket fails, or the sweep deletes the object meanwhile: the client can retry.
 */
export async function storeContent(
  call: ActionCall & { blobs: BlobStore },
  { dataId, upload }: { dataId: string; upload: Upload },
): Promise<Outcome<Done<DataRecord>>> {
  const { database, blobs, operation } = call;
  const found = await findData(database, dataId);
  if (found === null || found.objectKey === null) return refuse(notFound());
  const { data, objectKey, sealedBy, readAt } = found;
  if (sealedBy !== null && data.storedAt === null) return refuse(takesNoData(data.kind, sealedBy));
  const { contentType, length, stream } = upload;
  if (contentType !== null && !isSameType(contentType, data.contentType)) {
    return refuse(wrongContentType(data.contentType));
  }
  if (length !== null && length !== data.sizeBytes) {
    return refuse(contentMismatch("wrong_length", data));
  }

  const check = await blobs.put(stream, data, objectKey);
  if (check !== "matches") return refuse(contentMismatch(check, data));
  if (data.storedAt !== null) return succeed({ value: data, replayed: false });

  const marked = await markStored(database, { ...data, readAt }, operation);
  return conclude(operation, marked, {
    result: (row) => row.data,
    render: asStored,
    unwritten: async () => {
      const now = await findData(database, dataId);
      if (now !== null && now.sealedBy !== null) {
        return refuse(takesNoData(data.kind, now.sealedBy));
      }
      // The sweep ran in between. A retry reads the row as it is then, and stores the object again.
      throw new StorageUnavailable("The sweep may have deleted the object");
    },
  });
}

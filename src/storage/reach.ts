import { StorageUnavailable } from "./blobs.ts";

/** Reports any failure of R2 as an outage, without its message, which may contain keys. */
export async function reach<Value>(call: Promise<Value>): Promise<Value> {
  try {
    return await call;
  } catch {
    throw new StorageUnavailable("The bucket did not answer");
  }
}

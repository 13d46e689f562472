/** The limits of one batch. */
export interface BatchLimits extends Size {
  count: number;
}

export interface Size {
  /** Bytes in the request body. */
  bytes: number;
  /** Characters kept in memory, in addition to the body, until the batch is done. */
  kept: number;
}

/**
 * Groups items into batches within all limits, in order. An item that exceeds a limit by itself gets a batch of its
 * own; the receiver decides what to do with it.
 */
export async function* inBatches<Item extends Size>(
  items: AsyncIterable<Item>,
  limits: BatchLimits,
): AsyncGenerator<Item[]> {
  let batch: Item[] = [];
  let [bytes, kept] = [0, 0];
  for await (const item of items) {
    const isFull =
      batch.length === limits.count ||
      bytes + item.bytes > limits.bytes ||
      kept + item.kept > limits.kept;
    if (isFull && batch.length > 0) {
      yield batch;
      batch = [];
      [bytes, kept] = [0, 0];
    }
    batch.push(item);
    bytes += item.bytes;
    kept += item.kept;
  }
  if (batch.length > 0) yield batch;
}

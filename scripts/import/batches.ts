/** How much one batch may be. */
export interface BatchLimits extends Size {
  count: number;
}

/** The size of an item. */
export interface Size {
  /** Of the request's body. */
  bytes: number;
  /** Characters that are kept in memory beside it until the batch is done. */
  kept: number;
}

/**
 * Gathers items into batches that respect all limits, in order. An item that is too large by itself comes alone:
 * what becomes of it is for the receiver to say.
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

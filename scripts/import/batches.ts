/** How much one request may carry. */
export interface BatchLimits {
  count: number;
  bytes: number;
}

/** An item with its size in the request's body. */
export interface Sized {
  bytes: number;
}

/**
 * Gathers items into batches that respect both limits, in order. An item that is too large by itself comes alone:
 * what becomes of it is for the receiver to say.
 */
export async function* inBatches<Item extends Sized>(
  items: AsyncIterable<Item>,
  limits: BatchLimits,
): AsyncGenerator<Item[]> {
  let batch: Item[] = [];
  let bytes = 0;
  for await (const item of items) {
    const isFull = batch.length === limits.count || bytes + item.bytes > limits.bytes;
    if (isFull && batch.length > 0) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(item);
    bytes += item.bytes;
  }
  if (batch.length > 0) yield batch;
}

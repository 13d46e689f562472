/** The maximum number of concurrent calls: enough to hide the latency, too few to crowd out other callers. */
const CALLS_MAX = 12;

/** Runs `work` for each item, up to 12 at a time. After the first failure it starts no more. */
export async function inParallel<Item>(
  items: Iterable<Item>,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const rest = closable(items);
  const worker = async (): Promise<void> => {
    for (const item of rest) await work(item);
  };
  await Promise.all(Array.from({ length: CALLS_MAX }, worker));
}

/** Wraps items in a generator. A throw in one worker's loop closes it, which ends the loops of all workers. */
function* closable<Item>(items: Iterable<Item>): Generator<Item, void> {
  yield* items;
}

/** Calls under way at once: enough to hide the waiting, too few to crowd out anybody. */
const CALLS_MAX = 12;

/** Works through a list, a few at a time. After the first that fails none is begun. */
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

/** A loop that a throw leaves closes its generator, for all who loop over it. */
function* closable<Item>(items: Iterable<Item>): Generator<Item, void> {
  yield* items;
}

/** The largest `limit` of a list or the feed. */
export const PAGE_MAX = 200;

interface Page<Item> {
  data: readonly Item[];
  nextCursor: string | null;
}

interface PagedInput {
  query?: { cursor?: string | undefined } | undefined;
}

/**
 * Yields every item of a list, fetching each page when it is needed:
 * `for await (const task of eachItem(stepledger.listTasks, { query: { unifiedStatus: ["PASSED"] } }))`.
 */
export async function* eachItem<Input extends PagedInput | undefined, Item>(
  list: (input: Input) => Promise<Page<Item>>,
  input: NoInfer<Input>,
): AsyncGenerator<Item, void, undefined> {
  let cursor = input?.query?.cursor;
  do {
    const page = await list({ ...input, query: { ...input?.query, cursor } });
    yield* page.data;
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
}

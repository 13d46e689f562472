import { ApiProblem } from "./api-client.ts";

/**
 * Sends items in one request. Where the request is refused as a whole because of what is in it, the halves are sent
 * by themselves, until the item that it was about stands alone.
 * @returns what became of each, in order.
 */
export async function inHalves<Item, Told>(
  items: readonly Item[],
  send: (items: readonly Item[]) => Promise<Told[]>,
  refused: (item: Item, problem: ApiProblem) => Told,
): Promise<Told[]> {
  const [first] = items;
  if (first === undefined) return [];
  try {
    return await send(items);
  } catch (error) {
    if (!isAboutContent(error)) throw error;
    if (items.length === 1) return [refused(first, error)];
    const middle = Math.ceil(items.length / 2);
    return [
      ...(await inHalves(items.slice(0, middle), send, refused)),
      ...(await inHalves(items.slice(middle), send, refused)),
    ];
  }
}

const isAboutContent = (error: unknown): error is ApiProblem =>
  error instanceof ApiProblem && (error.status === 400 || error.status === 413);

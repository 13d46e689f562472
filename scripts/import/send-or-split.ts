import { ApiProblem } from "./api-client.ts";

/**
 * Sends items in one request. If the service rejects the whole request because of its content, sends each half in a
 * request of its own, and so on until the offending item is in a request by itself.
 * @returns the outcome of each item, in order; `refused` makes the outcome of an item that was rejected by itself.
 */
export async function sendOrSplit<Item, Outcome>(
  items: readonly Item[],
  send: (items: readonly Item[]) => Promise<Outcome[]>,
  refused: (item: Item, problem: ApiProblem) => Outcome,
): Promise<Outcome[]> {
  const [first] = items;
  if (first === undefined) return [];
  try {
    return await send(items);
  } catch (error) {
    if (!isAboutContent(error)) throw error;
    if (items.length === 1) return [refused(first, error)];
    const middle = Math.ceil(items.length / 2);
    return [
      ...(await sendOrSplit(items.slice(0, middle), send, refused)),
      ...(await sendOrSplit(items.slice(middle), send, refused)),
    ];
  }
}

const isAboutContent = (error: unknown): error is ApiProblem =>
  error instanceof ApiProblem && (error.status === 400 || error.status === 413);

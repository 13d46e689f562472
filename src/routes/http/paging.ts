import type * as z from "zod";
import type { Chunk } from "../../db/sql/chunks.ts";
import { succeed, notFound, type Outcome, refuse } from "../../domain/refusals.ts";
import { type Answer, type Call, reply } from "./call.ts";
import { decodeCursor, encodeCursor } from "./cursor.ts";

/** How one page of a list is read. */
interface Listing<Row, Position extends z.ZodType> {
  operationId: string;
  /** What the cursor is bound to, beside tenant and operation. */
  filter: unknown;
  sort: string;
  /** The shape of the place in the list after which a page begins. */
  position: Position;
  /**
   * Reads up to `limit` rows after a place, or a chunk of them where rows are long; null where the thing that the list
   * belongs to is not there.
   */
  read: (
    after: z.output<Position> | null,
    limit: number,
  ) => Promise<readonly Row[] | Chunk<Row, unknown> | null>;
  positionOf: (row: Row) => z.output<Position>;
}

interface Page<Row, Position> {
  rows: readonly Row[];
  nextCursor: string | null;
  /** The place after which the page begins; null for the first one. */
  after: Position | null;
}

/** Answers one page of a list, each row shown by `itemOf`. */
export async function answerPage<Row, Item, Position extends z.ZodType>(
  call: Pick<Call, "tenantId" | "signer">,
  asked: { limit: number; cursor?: string | undefined },
  { itemOf, ...listing }: Listing<Row, Position> & { itemOf: (row: Row) => Item },
): Promise<Answer<{ data: Item[]; nextCursor: string | null }>> {
  const page = await readPage(call, asked, listing);
  if (!page.ok) return page;
  const { rows, nextCursor } = page.value;
  return reply({ data: rows.map(itemOf), nextCursor });
}

/** Reads one page of a list. One row more than asked for is read: it tells whether there is another page. */
export async function readPage<Row, Position extends z.ZodType>(
  { tenantId, signer }: Pick<Call, "tenantId" | "signer">,
  { limit, cursor }: { limit: number; cursor?: string | undefined },
  { operationId, filter, sort, position, read, positionOf }: Listing<Row, Position>,
): Promise<Outcome<Page<Row, z.output<Position>>>> {
  const binding = { tenantId, operationId, filter, sort };
  let after: z.output<Position> | null = null;
  if (cursor !== undefined) {
    const decoded = await decodeCursor(signer, binding, cursor, position);
    if (!decoded.ok) return decoded;
    after = decoded.value;
  }
  const found = await read(after, limit + 1);
  if (found === null) return refuse(notFound());
  const { rows: all, next } = "rows" in found ? found : { rows: found, next: null };
  const rows = all.slice(0, limit);
  const last = all.length > limit || next !== null ? rows.at(-1) : undefined;
  const nextCursor =
    last === undefined ? null : await encodeCursor(signer, binding, positionOf(last));
  return succeed({ rows, nextCursor, after });
}

import type * as z from "zod";
import type { Chunk } from "../../db/sql/chunks.ts";
import { succeed, notFound, type Outcome, refuse } from "../../domain/refusals.ts";
import { type Answer, type Call, reply } from "./call.ts";
import { decodeCursor, encodeCursor } from "./cursor.ts";

/** How a list is read page by page, with keyset pagination. */
interface Listing<Row, Position extends z.ZodType> {
  operationId: string;
  /** The filters, to which the cursor is bound together with the tenant, the operation, and the sort order. */
  filter: unknown;
  sort: string;
  /** The schema of a position in the list. A page starts after its position. */
  position: Position;
  /**
   * Returns up to `limit` rows after a position, or a chunk of them if rows are long. Returns null if the parent resource
   * does not exist.
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
  /** The position after which the page starts. Null for the first page. */
  after: Position | null;
}

/** Returns the response with one page of a list, its rows converted by `itemOf`. */
export async function answerPage<Row, Item, Position extends z.ZodType>(
  call: Pick<Call, "tenantId" | "signer">,
  requested: { limit: number; cursor?: string | undefined },
  { itemOf, ...listing }: Listing<Row, Position> & { itemOf: (row: Row) => Item },
): Promise<Answer<{ data: Item[]; nextCursor: string | null }>> {
  const page = await readPage(call, requested, listing);
  if (!page.ok) return page;
  const { rows, nextCursor } = page.value;
  return reply({ data: rows.map(itemOf), nextCursor });
}

/** Reads one page of a list. It reads one row more than requested, to find out whether there is another page. */
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

import * as z from "zod";
import type { Chunk } from "../../db/sql/chunks.ts";
import type { Answer, Call } from "../http/call.ts";
import { closedList } from "../http/closed-list.ts";
import { answerPage } from "../http/paging.ts";
import { paging, safeText } from "../http/schemas.ts";

/** The filters of a list of events of these types. */
export const eventFilterQuery = <Types extends z.ZodEnum>(type: Types) => ({
  type: closedList(type).optional().openapi({ description: "Events of any of these types." }),
  actor: safeText(262).optional().openapi({
    description:
      "The id of an actor, as events have it, or of a person. A person's id finds what the person did with any of their API keys and tokens.",
  }),
});

const inBothOrders = (member: string) => ({
  description: `\`${member}\` sorts from the oldest event to the newest, and \`-${member}\` from the newest to the oldest.`,
});

/** The order and the page of a list that is numbered. */
export const bySeq = (first: "seq" | "-seq" = "seq") => ({
  sort: z.enum(["seq", "-seq"]).default(first).openapi(inBothOrders("seq")),
  ...paging,
});

/** The order and the page of a list of several histories. */
export const byTime = {
  sort: z.enum(["at", "-at"]).default("at").openapi(inBothOrders("at")),
  ...paging,
};

interface EventQuery {
  sort: string;
  limit: number;
  cursor?: string | undefined;
}

/** Returns the response with one page of a list of events. Its cursor is bound to the parent, the filter and the order. */
export function answerEvents<Query extends EventQuery, Row, Item>(
  call: Pick<Call, "tenantId" | "signer">,
  { sort, limit, cursor, ...filter }: Query,
  list: {
    operationId: string;
    /** The parameters of the path. */
    params?: Readonly<Record<string, unknown>>;
    read: (
      filter: Omit<Query, keyof EventQuery>,
      page: { after: number | null; limit: number; descending: boolean },
    ) => Promise<readonly Row[] | Chunk<Row, true> | null>;
    positionOf: (row: Row) => number;
    itemOf: (row: Row) => Item;
  },
): Promise<Answer<{ data: Item[]; nextCursor: string | null }>> {
  const { operationId, params, read, positionOf, itemOf } = list;
  const requested = { limit, cursor };
  const descending = sort.startsWith("-");
  return answerPage(call, requested, {
    operationId,
    filter: { ...params, ...filter },
    sort,
    position: z.int(),
    read: (after, rows) => read(filter, { after, limit: rows, descending }),
    positionOf,
    itemOf,
  });
}
